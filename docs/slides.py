"""Make a deck of slides a day of the committed notebooks, and print it where there is a browser.

    python -m docs.slides       or: make slides

A slide shows a heading of the lesson with the figure that the notebook drew below it, or, where
there is none, what the lesson says first. A practice is a slide with its questions. What
INSTRUCTOR.md says as something begins is in the speaker's notes.
"""

import base64
import html
import os
import re
import shutil
import sys
from dataclasses import dataclass, field, replace
from importlib.metadata import files
from itertools import pairwise
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from playwright.sync_api import sync_playwright

from notebooks import build

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("WORKSHOP_BUILD", ROOT / "build"))
SLIDES = BUILD / "slides"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass
class Figure:
    """A figure that a notebook drew, with its texts; of a tall one a slide shows a part."""

    png: bytes
    alt: str
    caption: str
    zoom: str = ""

    @property
    def ratio(self):
        """Width by height, from the PNG's header."""
        width, height = (int.from_bytes(self.png[i : i + 4], "big") for i in (16, 20))
        return width / height

    @property
    def is_wide(self):
        """Whether there is room above or below it."""
        return self.ratio > 3

    @property
    def is_narrow(self):
        """Whether there is room beside it."""
        return 1 <= self.ratio < 1.2


@dataclass
class Part:
    """A heading of a lesson, and what stands below it."""

    level: int
    title: str
    section: str = ""
    text: str = ""
    output: str = ""
    figures: list = field(default_factory=list)

    @property
    def paragraphs(self):
        """The text, without folded answers and what belongs to them, and without the last word."""
        text = re.sub(r"<details>.*?</details>", "", self.text, flags=re.DOTALL)
        found = re.findall(r"```.*?```|\$\$.*?\$\$|(?:(?!\n\n|\$\$|```).)+", text, flags=re.DOTALL)
        found = [one.strip() for one in found if one.strip()]
        aside = r"\*\*(Predict|Takeaway|Objective)|⏸|\[.*\]: "
        return [one for one in found if not re.match(aside, one)]

    @property
    def asked(self):
        """HTML of a task, as the lesson asks it."""
        return markdown("\n\n".join(self.paragraphs))

    def paragraph(self, word):
        """The paragraph that begins with this word in bold, without that; or nothing."""
        pattern = rf"^\*\*{word}[^*]*\*\*\s(.+?)(?:\n\n|\Z)"
        found = re.search(pattern, self.text, flags=re.DOTALL | re.MULTILINE)
        return found[1][0].upper() + found[1][1:] if found else ""


@dataclass
class Slide:
    """What one slide shows: parts of a lesson, and a figure of the last of them."""

    kind: str
    parts: list
    figure: Figure = None
    notes: list = field(default_factory=list)


def parts_of(notebook):
    """Headings of a lesson, each with the text and the figures below it."""
    found, section = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[-1].figures += figures_of(cell.outputs)
            found[-1].output = found[-1].output or printed(cell.outputs)
            continue
        for odd, piece in enumerate(re.split(r"(```.*?```)", cell.source, flags=re.DOTALL)):
            for line in [piece] if odd % 2 else piece.splitlines():
                if (heading := re.match(r"(#{1,3}) (.+)", line)) and not odd % 2:
                    section = heading[2] if heading[1] == "#" else section
                    found.append(Part(len(heading[1]), heading[2], section))
                elif found:
                    found[-1].text += f"{line}\n"
        found[-1].text += "\n"
    return found


def printed(outputs):
    """What a cell prints or shows as a table, as text."""
    for output in outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        if output.output_type in ("stream", "execute_result") and len(text.splitlines()) < 12:
            return text
    return ""


def figures_of(outputs):
    """Figures of a cell, each with the caption that follows it."""
    return [
        Figure(
            base64.b64decode(output.data["image/png"]),
            output.metadata["image/png"]["alt"],
            following.data["text/markdown"],
        )
        for output, following in pairwise(outputs)
        if "image/png" in output.get("data", {})
    ]


def slides_of(parts):
    """Slides of a lesson, from its title to its homework."""
    slides = [Slide("title", parts[:1])]
    for part in parts:
        last = slides[-1]
        if not re.match(r"[0-5] · ", part.section):
            continue
        if part.level == 3:
            last.parts.append(part)
        elif part.title.startswith("Practice "):
            slides.append(Slide("practice", [part]))
        elif part.figures:
            show_figures(slides, part)
        elif part.level == 1 and "\n|" not in part.text:
            continue  # its first concept says what it is about
        elif goes_on(last, part) and "```" not in last.parts[0].text:
            last.parts.append(part)
        else:
            slides.append(Slide("text", [part]))
    homework = [part for part in parts if re.match(r"6 · |At the end", part.section)]
    return [*slides, Slide("homework", homework)]


def goes_on(slide, part):
    """Whether a slide shows the words of one concept, and has room for the next one."""
    return slide.kind == "text" and len(slide.parts) == 1 and slide.parts[0].section == part.section


def show_figures(slides, part):
    """A slide a figure: four of a tall one, and one of words and a figure that leaves them room."""
    for figure in part.figures:
        last = slides[-1]
        if figure.ratio < 1:
            for zoom in ("0%", "30%", "60%", "100%"):
                slides.append(Slide("figure", [part], replace(figure, zoom=zoom)))
        elif goes_on(last, part) and (figure.is_wide or figure.is_narrow):
            last.kind = "figure beside" if figure.is_narrow else "figure below"
            last.parts.append(part)
            last.figure = figure
        else:
            slides.append(Slide("figure", [part], figure))


def hand_over(slides, sheet):
    """Put what the run sheet says as something begins onto the slide with which that begins."""
    begun = set()
    for what, project, words in sheet:
        number = re.match(r"\*\*(\d)\*\* ", what)
        names = [*re.split(r"[;,] ", what.removeprefix(number[0] if number else ""))]
        names += re.findall(r"\*(.+?)\*", project)
        if number and number[1] not in begun:
            begun.add(number[1])
            fits = [one for one in slides if one.parts[0].section.startswith(f"{number[1]} · ")]
        else:
            fits = [
                slide
                for name in names
                for slide in slides
                for part in slide.parts
                if part.title.removeprefix("6 · ").lower().startswith(name.lower())
            ]
        if not fits:
            raise ValueError(f"INSTRUCTOR.md's run sheet: no slide begins {what!r}.")
        fits[0].notes.append(words)
    for slide in slides:
        for part in slide.parts:
            if question := part.paragraph("Predict first"):
                slide.notes.append(f"Predict first: {question}")


def run_sheet(day):
    """Rows of INSTRUCTOR.md's run sheet that have something to say."""
    text = (ROOT / "INSTRUCTOR.md").read_text(encoding="utf-8")
    table = text.split(f"**Day {day}, ")[1].split("\n\n")[1]
    return re.findall(
        r'^\| [\d:]+ \| (.+?) \| \d* \| (.*?) \| "(.+)" \|$', table, flags=re.MULTILINE
    )


def markdown(text):
    """HTML of a lesson's Markdown, its formulas left to MathJax."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.use(
        dollarmath_plugin,
        renderer=lambda formula, options: (
            r"\[{}\]" if options["display_mode"] else r"\({}\)"
        ).format(html.escape(formula)),
    )
    return reader.render(text)


def gist(part):
    """What a concept says first, and its first list, table, diagram, formula or output."""
    links = re.findall(r"^\[.+\]: \S+$", part.text, flags=re.MULTILINE)
    found = part.paragraphs
    drawn = [i for i, one in enumerate(found) if re.match(r"\||- |```text|\$\$", one)]
    kept = [0, *range(max(drawn[0] - 1, 1), drawn[0] + 1)] if drawn else [0]
    shown = markdown("\n\n".join([*(found[i] for i in kept), "\n".join(links)]))
    return shown if drawn or not part.output else f"{shown}<pre>{html.escape(part.output)}</pre>"


def drawing(figure, name):
    """HTML of a figure, whose picture is written beside the deck."""
    (SLIDES / name).write_bytes(figure.png)
    zoom = f' class="zoom" style="object-position: 0 {figure.zoom}"' if figure.zoom else ""
    image = f'<img src="{name}" alt="{html.escape(figure.alt)}"{zoom}>'
    return f"<figure>{image}<figcaption>{markdown(figure.caption)}</figcaption></figure>"


def rendered(slide, day, number, objectives):
    """HTML of a slide."""
    part, *others = slide.parts
    blocks = [[f"<h2>{html.escape(one.title)}</h2>"] for one in slide.parts]
    if slide.kind == "practice":
        cards = [f"<div><h3>{html.escape(one.title)}</h3>{one.asked}</div>" for one in others]
        blocks = [[*blocks[0], f'<div class="cards">{"".join(cards)}</div>']]
    elif slide.kind == "homework":
        tasks = [html.escape(one.title) for one in others if one.title[0].isdigit()]
        end = markdown(others[-1].paragraph("Takeaway"))
        about = markdown(part.paragraph("Objective"))
        blocks = [[*blocks[0], about, f"<ul><li>{'<li>'.join(tasks)}</ul>", end]]
    else:
        for block, one in zip(blocks, slide.parts, strict=True):
            shows = slide.figure and one is slide.parts[-1]
            block.append(drawing(slide.figure, f"{day}-{number}.png") if shows else gist(one))
    above = "" if slide.kind == "title" else f'<p class="kicker">{html.escape(part.section)}</p>'
    if slide.kind != "title" and part.section in objectives:  # the first slide of a section
        above += f'<div class="objective">{markdown(objectives.pop(part.section))}</div>'
    notes = markdown("\n\n".join(slide.notes))
    inner = "".join(f"<div>{''.join(block)}</div>" for block in blocks)
    return (
        f'<section class="{slide.kind}">{above}<div class="blocks">{inner}</div>'
        f'<aside class="notes">{notes}</aside></section>'
    )


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="reveal/reset.css">
<link rel="stylesheet" href="reveal/reveal.css">
<link rel="stylesheet" href="slides.css">
</head>
<body>
<main class="reveal"><div class="slides">
{slides}
</div></main>
<script src="reveal/reveal.js"></script>
<script src="reveal/notes.js"></script>
<script>
MathJax = {{ options: {{ enableMenu: false }} }};
Reveal.initialize({{
  width: 1280, height: 720, margin: 0, display: "flex", center: false, hash: true,
  slideNumber: "c/t", progress: true, transition: "none", pdfMaxPagesPerSlide: 1,
  plugins: [RevealNotes],
}});
</script>
<script defer src="tex-svg.js"></script>
</body>
</html>
"""


def packaged(package, ending, target):
    """Copy a file of an installed package: scripts that others wrote come by pip, not by git."""
    (file,) = [one for one in files(package) if one.as_posix().endswith(ending)]
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(file.locate(), target)


def write_deck(day):
    """Write a day's deck; return its slides."""
    path = ROOT / build.notebook_path(day, "student")
    parts = parts_of(nbformat.read(path, as_version=4))
    slides = slides_of(parts)
    objectives = {
        part.section: part.paragraph("Objective")
        for part in parts
        if part.level == 1 and re.match(r"[0-5] · ", part.title)
    }
    hand_over(slides, run_sheet(day[-1]))
    body = "\n".join(
        rendered(slide, day, number, objectives) for number, slide in enumerate(slides, start=1)
    )
    page = PAGE.format(title=html.escape(parts[0].title), slides=body)
    (SLIDES / f"{day}.html").write_text(page, encoding="utf-8")
    return slides


def browser():
    """Path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_deck(browser, day):
    """Print a deck to PDF, a page a slide."""
    page = browser.new_page()
    page.goto(f"{(SLIDES / day).as_uri()}.html?print-pdf")
    page.wait_for_selector(".pdf-page")
    page.evaluate("Promise.all([...document.images].map(one => one.decode()))")
    page.evaluate("MathJax.startup.promise")
    page.pdf(path=SLIDES / f"{day}.pdf", prefer_css_page_size=True, print_background=True)
    page.close()


def main():
    """Write both decks and their handouts; return the exit code."""
    shutil.rmtree(SLIDES, ignore_errors=True)
    SLIDES.mkdir(parents=True)
    for name in ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js"):
        packaged("sphinx-revealjs", f"_static/revealjs/{name}", SLIDES / "reveal")
    packaged("sphinx-mathjax-offline", "mathjax/tex-svg.js", SLIDES)
    shutil.copy(Path(__file__).parent / "_static" / "slides.css", SLIDES)
    for day in build.NAMES:
        slides = write_deck(day)
        print(f"{len(slides)} slides. Look at {(SLIDES / day).as_uri()}.html")
    if not browser():
        print("No Chromium was found, so no PDF was printed.")
        return 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser())
        for day in build.NAMES:
            print_deck(chromium, day)
            print(f"To print: {(SLIDES / day).as_uri()}.pdf")
    return 0


if __name__ == "__main__":
    sys.exit(main())
