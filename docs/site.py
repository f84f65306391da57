"""Gather the pages of the site from where they are written, and let Sphinx render them.

    python -m docs.site [--solutions]       or: make site, make site SOLUTIONS=1

Nothing is written twice: the days are the committed notebooks, the guides lie in the repository's
root, the syllabus is the tables of the lessons, and what one will be able to do is what the
questionnaire asks. Nothing is executed, and nothing is fetched.
"""

import argparse
import json
import os
import re
import shutil
import sys
from pathlib import Path, PurePosixPath

import nbformat
import yaml
from sphinx.cmd.build import main as sphinx

import workshop
from docs import slides
from notebooks import build

ROOT = Path(__file__).resolve().parent.parent
DOCS, SOURCE, SITE = ROOT / "docs", slides.BUILD / "docs", slides.BUILD / "site"
DAYS = {name: build.notebook_path(name, "student") for name in build.NAMES}
GUIDES = {  # page of the site: where it is written
    "instructor.md": "INSTRUCTOR.md",
    "grading.md": "GRADING.md",
    "survey.md": "SURVEY.md",
    "benchmarks.md": "benchmarks/README.md",
}
OWN = ("index.md", "slides.md", "glossary.md", "cheatsheet.md", "changelog.md")
PAGES = {place: page for page, place in GUIDES.items()}
PAGES |= {place: f"{name}.ipynb" for name, place in DAYS.items()}

# Where no word may be turned into a link, and no link be rewritten.
CODE = r"```.*?```|`[^`]+`"
APART = rf"{CODE}|\$\$.*?\$\$|\$[^$]+\$|!?\[[^\]]*\](?:\([^)]*\))?:?|<[^>]+>|^#.*?$|https?:\S+"


def outside(pattern, text, change):
    """`text` with `change` made to what lies outside of the matches of `pattern`."""
    parts = re.split(f"({pattern})", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if odd % 2 else change(part) for odd, part in enumerate(parts))


def relinked(text, place, address):
    """Links of a file at `place` lead to its page on the site, or to the repository."""

    def target(found):
        text, path, mark, anchor = found.groups()
        whole = os.path.normpath(PurePosixPath(place).parent / path) if path else place
        if whole in PAGES:  # a file's name says nothing here: the page's title does
            return f"[{'' if text == path else text}]({PAGES[whole]}{mark}{anchor})"
        kind = "tree" if (ROOT / whole).is_dir() else "blob"
        return f"[{text}]({address.repository}/{kind}/{address.ref}/{whole}{mark}{anchor})"

    pattern = r"\[([^\]]*)\]\((?!https?:|mailto:)([^)\s#]*)(#?)([^)\s]*)\)"
    return outside(CODE, text, lambda part: re.sub(pattern, target, part))


def terms():
    """Terms of the glossary."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    block = re.search(r"```\{glossary\}\n(.+?)\n```", text, flags=re.DOTALL)[1]
    return re.findall(r"^(\S.*)$", block, flags=re.MULTILINE)


def with_terms(texts):
    """Texts of a page in which the first use of each term leads to the glossary."""
    texts = list(texts)
    for term in sorted(terms(), key=len, reverse=True):
        letters = r"\s".join(re.escape(word) for word in term.split())
        flags = re.IGNORECASE if term.islower() else 0
        word = re.compile(rf"(?<![\w-]){letters}(?:e?s)?(?![\w-])", flags)
        linked = False

        def link(part, word=word, term=term):
            nonlocal linked
            if linked or not (found := word.search(part)):
                return part
            linked = True
            role = f"{{term}}`{' '.join(found[0].split())} <{term}>`"
            return part[: found.start()] + role + part[found.end() :]

        for number, text in enumerate(texts):
            if not linked:
                texts[number] = outside(APART, text, link)
    return texts


def demoted(text):
    """Markdown whose headings are one level further down."""
    return outside(CODE, text, lambda part: re.sub(r"^(#+ )", r"#\1", part, flags=re.MULTILINE))


def anchor(heading):
    """What MyST makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def students(address, name):
    """Links that open a day's notebook: HTML, without the badges' pictures from elsewhere."""
    links = dict(re.findall(r"in (\w+)\]\(.*?\)\]\((.+)\)", build.badges(address, DAYS[name])))
    colab = f"Students, click here: open Day {name[-1]} in Colab"
    shown = [f'<a class="button" href="{links.pop("Colab")}">{colab}</a>']
    shown += [f'<a class="button plain" href="{links[host]}">in {host}</a>' for host in links]
    return f"<p>{' '.join(shown)}</p>\n"


def day_page(name, place, address):
    """A day's notebook as the site shows it: one title, links to the glossary, no badges."""
    notebook = nbformat.read(ROOT / place, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    title = re.search(r"^# .+\n", cells[0].source, flags=re.MULTILINE)[0]
    below = cells[0].source.split(title)[1]
    for cell in cells[1:]:
        cell.source = demoted(cell.source)
    cells[0].source = f"{title}\n{students(address, name)}\n{below}"
    texts = with_terms(relinked(cell.source, place, address) for cell in cells)
    for cell, text in zip(cells, texts, strict=True):
        cell.source = text
    return nbformat.writes(notebook)


def syllabus(name):
    """A day's title, its table of sections with links to them, and the minutes of its lesson."""
    markdown = [
        cell.source
        for cell in nbformat.read(ROOT / DAYS[name], as_version=4).cells
        if cell.cell_type == "markdown"
    ]
    title = re.search(r"^# (.+)$", markdown[0], flags=re.MULTILINE)[1]
    headings = re.findall(r"^# (\d) · (.+)$", "\n".join(markdown), flags=re.MULTILINE)
    anchors = {number: anchor(f"{number} · {rest}") for number, rest in headings}
    rows = re.findall(r"^\| (\d) \| (.+) \| (.+) \|$", "\n".join(markdown), flags=re.MULTILINE)
    minutes = sum(int(spent) for number, _, spent in rows if spent.isdigit() and int(number) < 6)
    lines = [f"**[{title}]({name}.ipynb)**: {minutes} minutes of lesson", ""]
    lines += ["| section | what you do | minutes |", "|---|---|---|"]
    lines += [
        f"| [{number}]({name}.ipynb#{anchors[number]}) | {what} | {spent} |"
        for number, what, spent in rows
    ]
    return "\n".join(lines), minutes


def readme(begin, end):
    """What stands in README.md between two marks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.split(begin)[1].split(end)[0].strip()


def facts(address):
    """What the start page says, and its head says to machines."""
    survey = (ROOT / "SURVEY.md").read_text(encoding="utf-8")
    abilities = re.findall(r"^\d\. (.+)$", survey.split("*And two")[0], flags=re.MULTILINE)
    days = {name: syllabus(name) for name in DAYS}
    minutes = sum(spent for _, spent in days.values())
    lead = readme("# CNNs and AutoML for genomics\n", "<img")
    audience = readme("**For whom.**", "**You will**")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    material = {
        "@context": "https://schema.org/",
        "@type": "LearningResource",
        "http://purl.org/dc/terms/conformsTo": {
            "@id": "https://bioschemas.org/profiles/TrainingMaterial/1.0-RELEASE",
            "@type": "CreativeWork",
        },
        "name": citation["title"],
        "description": " ".join(lead.split()),
        "keywords": ["genomics", "convolutional neural networks", "AutoML", "deep learning"],
        "license": "https://spdx.org/licenses/MIT",
        "url": address.repository,
        "version": workshop.__version__,
        "inLanguage": "en",
        "author": {"@type": "Organization", "name": citation["authors"][0]["name"]},
        "timeRequired": f"PT{minutes}M",
        "educationalLevel": "Beginner",
        "learningResourceType": ["tutorial", "slides", "hands-on"],
        "audience": {"@type": "Audience", "audienceType": " ".join(audience.split())},
        "teaches": abilities,
    }
    return {
        "repository": address.repository,
        "training_material": material,
        "lead": lead,
        "abilities": "\n".join(f"- {one}" for one in abilities),
        "audience": audience,
        "picture": " ".join(readme('width="680" alt="', '">').split()),
        "syllabus": "\n\n".join(table for table, _ in days.values()),
        "buttons": "\n\n".join(students(address, name) for name in DAYS),
    }


def how_to_cite():
    """A page made of CITATION.cff."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (paper,) = citation["references"]
    names = [f"{one['family-names']}, {one['given-names']}" for one in paper["authors"]]
    who, what = citation["authors"][0]["name"], citation["title"]
    return f"""# How to cite

{citation["message"]}

> {who}. *{what}*, version {citation["version"]}. <{citation["repository-code"]}>

```bibtex
@software{{cnn_automl_course,
  author = {{{{{who}}}}},
  title = {{{what}}},
  version = {{{citation["version"]}}},
  url = {{{citation["repository-code"]}}}
}}
```

And AMBER, whose search it teaches:

> {"; ".join(names).rstrip(".")}. {paper["title"]}. *{paper["journal"]}*, {paper["year"]}.
> [doi:{paper["doi"]}](https://doi.org/{paper["doi"]})
"""


def reference(folder):
    """A page for each module: its docstring, and that of each public name."""
    folder.mkdir()
    modules = [name for name in workshop.__all__ if name != "__version__"]
    table = re.search(r"=====.+=====$", workshop.__doc__, flags=re.DOTALL | re.MULTILINE)[0]
    lines = ["Reference", "=========", "", "Every public name of the library, a page a module.", ""]
    table = re.sub(r"^=+", "=" * 24, table, flags=re.MULTILINE)
    lines += [re.sub(r"^(`\w+` +)", r":doc:\1 ", table, flags=re.MULTILINE)]
    lines += ["", ".. toctree::", "   :hidden:", "", *(f"   {name}" for name in modules)]
    (folder / "index.rst").write_text("\n".join(lines), encoding="utf-8")
    for name in modules:
        module, path = getattr(workshop, name), f"workshop.{name}"
        lines = [path, "=" * len(path), "", f".. automodule:: {path}", ""]
        lines += [f".. py:currentmodule:: {path}", ""]
        for public in module.__all__:
            value = getattr(module, public)
            if not callable(value):  # a constant has no docstring: its value says what it is
                shown = f"   :value: {value!r}" if len(repr(value)) < 100 else ""
                lines += [f".. py:data:: {public}", shown, ""]
            elif isinstance(value, type):
                lines += [f".. autoclass:: {public}", "   :members:", ""]
            else:
                lines += [f".. autofunction:: {public}", ""]
        (folder / f"{name}.rst").write_text("\n".join(lines), encoding="utf-8")


def gather(*, solutions):
    """Write all pages into build/docs."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    address = build.read_address(ROOT)
    values = facts(address)
    (SOURCE / "facts.json").write_text(json.dumps(values), encoding="utf-8")
    pages = {f"{name}.ipynb": day_page(name, place, address) for name, place in DAYS.items()}
    for page, place in GUIDES.items():
        pages[page] = relinked((ROOT / place).read_text(encoding="utf-8"), place, address)
    if solutions:
        for name in DAYS:
            place = build.notebook_path(name, "solution")
            pages[f"solved_{name}.ipynb"] = day_page(name, place, address)
    values["solutions"] = "\n".join(f"solved_{name}" for name in DAYS if solutions)
    values["decks"] = "\n".join(
        f'- <a href="slides/{name}.html">Day {name[-1]}</a>'
        + (f', <a href="slides/{name}.pdf">to print</a>' if slides.browser() else "")
        for name in DAYS
    )
    for page in OWN:
        text = (DOCS / page).read_text(encoding="utf-8")
        pages[page] = re.sub(r"{{(\w+)}}", lambda found: values[found[1]], text)
    pages["cite.md"] = how_to_cite()
    for page, text in pages.items():
        (SOURCE / page).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / build.PICTURE, SOURCE)
    reference(SOURCE / "reference")
    slides.packaged("sphinx-mathjax-offline", "mathjax/tex-svg.js", SOURCE / "static" / "mathjax")


def main(argv=None):
    """Gather and render; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solutions", action="store_true", help="show the solved notebooks, too")
    gather(solutions=parser.parse_args(argv).solutions)
    slides.main()
    shutil.rmtree(SITE, ignore_errors=True)
    os.environ["WORKSHOP_DOCS"] = str(SOURCE)
    doctrees = SOURCE.with_name("doctrees")
    shutil.rmtree(doctrees, ignore_errors=True)
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(DOCS), "-d", str(doctrees)]
    if code := sphinx([*options, str(SOURCE), str(SITE)]):
        return code
    shutil.copytree(slides.SLIDES, SITE / "slides")
    print(f"The site is built. Look at {(SITE / 'index.html').as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
