"""The site and the decks, as a reader, a phone, a printer and a screen reader meet them.

They are built once. What needs a browser is skipped where there is no Chromium, unless
WORKSHOP_REQUIRE_BROWSER is set, as in CI: then it fails. Each check returns what it complains of,
nothing on the pages as they are, and something on a copy with a mistake in it.
"""

import base64
import functools
import html
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from docs import site as pages
from docs import slides
from notebooks import build

ROOT = Path(__file__).resolve().parent.parent
DAYS = tuple(build.NAMES)
DECKS = [f"slides/{day}.html" for day in DAYS]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"], "preload": False}
WORDS = """logit, ReLU, tanh, stochastic gradient descent, mini-batch, backpropagation, Adam,
learning rate, hyperparameter, epoch, overfitting, underfitting, regularisation, dropout, weight
decay, early stopping, generalise, data augmentation, receptive field, padding, AUROC, average
precision, bootstrap interval, bits, log-odds, background, proxy, tabular benchmark, entropy, LSTM,
embedding"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the site, built as `make site` builds it."""
    folder = tmp_path_factory.mktemp("build")
    command = [sys.executable, "-W", "ignore", "-m", "docs.site"]
    environment = os.environ | {"WORKSHOP_BUILD": str(folder)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"Look at {(folder / 'site' / 'index.html').as_uri()}" in ran.stdout
    return folder / "site"


@pytest.fixture(scope="module")
def address(site):
    """Where a server of this process shows the site."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            """Say nothing."""

    handler = functools.partial(Handler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    if not slides.browser() and not os.environ.get("WORKSHOP_REQUIRE_BROWSER"):
        pytest.skip("there is no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=slides.browser())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def visit(chromium, address):
    """Open a page of the site; what it does on the way is in its `complaints`."""
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.complaints = []

    def asked(request):
        if urlparse(request.url).netloc not in ("", urlparse(address).netloc):
            page.complaints.append(f"asks {request.url}")

    def said(message):
        if message.type == "error":
            page.complaints.append(f"says {message.text}")

    page.on("request", asked)
    page.on("console", said)
    page.on("pageerror", lambda error: page.complaints.append(f"breaks: {error}"))

    def visit(path):
        page.goto("about:blank")  # else a deck's address with another number would load nothing
        page.complaints.clear()
        page.goto(urljoin(address, path))
        page.evaluate("window.MathJax?.startup?.promise")
        page.evaluate("document.fonts.ready.then(() => null)")
        return page

    return visit


def all_pages(site):
    names = [path.relative_to(site).as_posix() for path in site.rglob("*.html")]
    return sorted(name for name in names if not name.startswith("_"))


def loading(page):
    """Errors in the console, and requests to other hosts."""
    return list(page.complaints)


def pictures(page):
    """Images without a text, or with a path for one."""
    texts = page.eval_on_selector_all(
        "img", "all => all.map(one => [one.getAttribute('alt') ?? '', one.src])"
    )
    return [one for one in texts if not one[0].strip() or re.search(r"\.(png|svg)$|/", one[0])]


def sideways(page):
    """What scrolls sideways, or makes the page do so, and is neither code nor a table."""
    return page.evaluate("""() => {
        const page = document.documentElement, room = page.clientWidth + 1;
        const may = "pre, table, mjx-container, .highlight";
        const wide = [...document.querySelectorAll("main *")].filter(one => {
            const free = ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
            return free && one.scrollWidth > one.clientWidth + 1
                && !one.matches(may) && !one.querySelector(may);
        });
        const names = wide.map(one => one.outerHTML.slice(0, 80));
        return page.scrollWidth > room ? [...names, `the page: ${page.scrollWidth}`] : names;
    }""")


def barriers(page, options=AXE):
    """What axe-core finds against WCAG 2.2 AA."""
    if not page.evaluate("'axe' in window"):
        page.add_style_tag(content="* { transition: none !important }")
        page.evaluate(Axe().axe_script)
    # Of the cells of code, those that show a colour first.
    page.evaluate("""() => {
        const seen = new Set();
        for (const block of document.querySelectorAll(".highlight")) {
            const kinds = [...block.querySelectorAll("span")].map(one => one.className);
            block.toggleAttribute("data-again", kinds.every(one => seen.has(one)));
            kinds.forEach(one => seen.add(one));
        }
    }""")
    context = {"exclude": [[".highlight[data-again]"]]}
    found = page.evaluate("([context, options]) => axe.run(context, options)", [context, options])
    return [(one["id"], one["nodes"][0]["html"][:100]) for one in found["violations"]]


def in_the_dark(page):
    """Of that, what the colours of the dark change."""
    page.emulate_media(color_scheme="dark")
    found = barriers(page, AXE | {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    page.emulate_media(color_scheme="light")
    return found


def on_a_phone(page):
    """What scrolls sideways at a width of 390 pixels."""
    page.set_viewport_size({"width": 390, "height": 720})
    found = sideways(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    return found


def overflowing(page):
    """What leaves the slide that is shown: a box of 1280 x 720."""
    return page.evaluate("""() =>
        [...Reveal.getCurrentSlide().querySelectorAll("*:not(aside, aside *, mjx-container *)")]
            .map(one => [one.tagName, one.getBoundingClientRect()])
            .filter(([_, box]) => box.width && (
                box.left < 0 || box.top < 0 || box.right > 1281 || box.bottom > 700))
            .map(([name, box]) => `${name} ${Math.round(box.right)} x ${Math.round(box.bottom)}`)
    """)


def along(page, check):
    """Complaints of each slide on the way to the deck's end, by the arrow key."""
    found, last = [], page.evaluate("Reveal.getTotalSlides()")
    for number in range(1, last + 1):
        shown = page.evaluate("Reveal.getSlidePastCount() + 1")
        if shown != number:
            return [*found, f"the arrow key leads to slide {shown}, not to {number}"]
        found += [(number, one) for one in check(page)]
        page.keyboard.press("ArrowRight")
    return found


@functools.cache
def anchors(path):
    return set(re.findall(r"""\bid=["']?([^"'\s>]+)""", path.read_text(encoding="utf-8")))


def dead_links(site, name):
    """Links of a page, or of a deck, that lead to no file or to no place in one."""
    found = []
    text = (site / name).read_text(encoding="utf-8")
    for link in re.findall(r"""<(?:a|link|img|script)\b[^>]*?\b(?:href|src)=["']([^"']*)""", text):
        link, anchor = urldefrag(html.unescape(link))
        if urlparse(link).scheme:
            continue
        path = urlparse(link).path
        target = (site / name).parent / unquote(path) if path else site / name
        if not target.is_file():
            found.append(f"{name}: {link}")
        elif anchor and target.suffix == ".html" and unquote(anchor) not in anchors(target):
            found.append(f"{name}: {link}#{anchor}")
    return found


CHECKS = (loading, pictures, barriers, in_the_dark, on_a_phone)


@pytest.fixture(scope="module")
def complaints(site, visit):
    """What each check complains of, by page: each is opened once."""
    found = {check: {} for check in CHECKS}
    for name in all_pages(site):
        page = visit(name)
        for check in CHECKS if name not in DECKS else (loading, pictures):
            if what := check(page):
                found[check][name] = what
    return found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_page_gives_cause_for_complaint(complaints, check):
    assert not complaints[check]


def test_no_link_is_dead(site):
    names = all_pages(site)
    assert not [one for name in names for one in dead_links(site, name)]
    assert {"index.html", "day1.html", "day2.html", "reference/nas.html", *DECKS} <= set(names)


@pytest.mark.parametrize("deck", DECKS)
def test_the_arrow_key_leads_through_a_deck_whose_slides_hold_what_they_show(visit, deck):
    page = visit(deck)
    assert not along(page, lambda page: overflowing(page) + barriers(page) + in_the_dark(page))
    assert page.evaluate("Reveal.isLastSlide()")
    assert 25 <= page.evaluate("Reveal.getTotalSlides()") <= 40


def test_search_finds_what_is_there_and_nothing_else(visit):
    def hits(words):
        page = visit(f"search.html?q={words}")
        page.wait_for_function(
            "document.querySelector('#search-results p')?.innerText.match(/[.!]/)"
        )
        page.wait_for_timeout(300)
        return page.eval_on_selector_all("#search-results li a", "all => all.map(one => one.href)")

    found = hits("saturation+mutagenesis")
    assert any("reference/interpret.html" in one for one in found)
    assert any("day2.html" in one for one in found)
    assert not hits("mutagenesisofnothing")


def n_pages(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_the_cheat_sheet_prints_on_one_page(visit):
    page = visit("cheatsheet.html")
    assert n_pages(page.pdf(prefer_css_page_size=True)) == 1
    page.evaluate("document.querySelector('article').innerHTML += '<p>more</p>'.repeat(40)")
    assert n_pages(page.pdf(prefer_css_page_size=True)) > 1


@pytest.mark.parametrize("day", DAYS)
def test_a_handout_has_a_page_a_slide_and_all_figures(site, chromium, day):
    deck = (site / "slides" / f"{day}.html").read_text(encoding="utf-8")
    pdf = (site / "slides" / f"{day}.pdf").read_bytes()
    assert n_pages(pdf) == deck.count("<section")
    assert len(re.findall(rb"/Subtype\s*/Image\b", pdf)) >= deck.count("<img")


FONT = "@font-face { font-family: x; src: url(https://x.example/x.woff2) } p { font-family: x }"
WIDE = '<div class=wide style="overflow-x: auto"><p style="width: 500px">wide</p></div>'
CODE = ".highlight .n { color: #999 !important }"
MUTANTS = [  # page, what is put before its </main>, the check, a word of the complaint
    ("cite.html", '<img src="focus.png" alt="">', pictures, "focus.png"),
    ("cite.html", '<img src="a.png" alt="_images/a.png">', pictures, "_images/a.png"),
    ("cite.html", "<script>console.error('oh')</script>", loading, "says oh"),
    ("cite.html", "<script>undefined.x</script>", loading, "breaks: "),
    ("cite.html", f"<style>{FONT}</style>", loading, "asks https://x.example/x.woff2"),
    ("cite.html", '<p style="color: #bbb">faint</p>', barriers, "color-contrast"),
    ("cite.html", '<div style="width: 500px">wide</div>', on_a_phone, "the page: 5"),
    ("cite.html", WIDE, on_a_phone, "wide"),
    ("benchmarks.html", f"<style>{CODE}</style>", barriers, "color-contrast"),
    (DECKS[0], "<style>h2 { font-size: 300px !important }</style>", overflowing, "H2"),
    (DECKS[0], "<style>h2 { color: #ddd !important }</style>", barriers, "color-contrast"),
    (DECKS[0], "<style>h2 { color: #333 !important }</style>", in_the_dark, "color-contrast"),
]


@pytest.mark.parametrize(("name", "mistake", "check", "complaint"), MUTANTS)
def test_a_mistake_is_seen(site, visit, name, mistake, check, complaint):
    copy = (site / name).with_name("mutant.html")
    text = (site / name).read_text(encoding="utf-8")
    copy.write_text(text.replace("</main>", f"{mistake}</main>", 1), encoding="utf-8")
    path = copy.relative_to(site).as_posix()
    try:
        assert complaint in json.dumps(check(visit(f"{path}?{hash(mistake)}")))
    finally:
        copy.unlink()


@pytest.mark.parametrize("link", ["nowhere.html", "day1.html#nowhere", "#nowhere"])
def test_a_dead_link_is_seen(site, link):
    copy = site / "mutant.html"
    copy.write_text(f'<a href="index.html"></a> <a class="x" href="{link}"></a>')
    assert len(dead_links(site, copy.name)) == 1
    copy.unlink()


def test_a_deck_that_an_arrow_key_does_not_lead_through_is_seen(visit):
    page = visit(DECKS[0])
    page.evaluate("Reveal.configure({keyboard: false})")
    assert along(page, overflowing) == ["the arrow key leads to slide 1, not to 2"]


def lesson(day):
    return nbformat.read(ROOT / build.notebook_path(day, "student"), as_version=4)


@pytest.mark.parametrize("day", DAYS)
def test_a_deck_has_every_concept_and_task_of_the_lesson_and_what_is_said(site, day):
    deck = html.unescape((site / "slides" / f"{day}.html").read_text(encoding="utf-8"))
    shown = set(re.findall(r"<(?:h2|h3|li)>([^<]+)", deck))
    text = "\n".join(cell.source for cell in lesson(day).cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    homework = re.findall(r"^## (\d\.6\.\d · .+)$", text, flags=re.MULTILINE)
    taught = re.findall(r"^###? (.+)$", text.split("\n# 6 · ")[0], flags=re.MULTILINE)
    assert len(homework) == 5
    assert len(taught) > 30
    assert not {*homework, *taught} - shown
    sheet = (ROOT / "INSTRUCTOR.md").read_text(encoding="utf-8").split(f"**Day {day[-1]}, ")[1]
    said = re.findall(r'\| "(.+)" \|$', sheet.split("\n\n")[1], flags=re.MULTILINE)
    notes = " ".join(re.findall(r'<aside class="notes">(.*?)</aside>', deck, flags=re.DOTALL))
    assert len(said) > 12
    assert not [one for one in said if one.replace("*", "") not in re.sub("<[^>]+>", "", notes)]


@pytest.mark.parametrize("day", DAYS)
def test_the_figures_of_a_deck_and_of_a_page_are_the_notebooks_with_their_texts(site, day):
    outputs = [one for cell in lesson(day).cells for one in cell.get("outputs", [])]
    outputs = [one for one in outputs if "image/png" in one.get("data", {})]
    texts = {
        base64.b64decode(one.data["image/png"]): one.metadata["image/png"]["alt"] for one in outputs
    }
    for name, n_least in ((f"{day}.html", len(texts)), (f"slides/{day}.html", len(texts) - 3)):
        page = (site / name).read_text(encoding="utf-8")
        found = re.findall(r'<img\b[^>]*?alt="([^"]*)"[^>]*?src="([^"]+)"', page)
        found += [(alt, src) for src, alt in re.findall(r'<img src="([^"]+)" alt="([^"]*)"', page)]
        drawn = {(site / name).parent.joinpath(src).read_bytes(): alt for alt, src in found}
        assert len(drawn) >= n_least
        assert {png: html.unescape(alt) for png, alt in drawn.items()}.items() <= texts.items()


def test_every_word_is_in_the_glossary_and_linked_where_a_lesson_uses_it_first(site):
    words = [" ".join(word.split()) for word in WORDS.split(",")]
    assert not set(words) - set(pages.terms())
    days = "".join((site / f"{day}.html").read_text(encoding="utf-8") for day in DAYS)
    linked = set(re.findall(r'glossary\.html#term-([\w-]+)"', days))
    assert not [one for one in words if one.replace(" ", "-") not in linked]


def test_the_first_use_is_linked_and_only_outside_of_code_headings_and_links():
    texts = ["# A logit\n`logit` [the logit](x) $logit$ and **logits**, the logit", "a logit"]
    assert pages.with_terms(texts) == [
        "# A logit\n`logit` [the logit](x) $logit$ and **{term}`logits <logit>`**, the logit",
        "a logit",
    ]


def test_the_start_page_describes_the_course_to_machines(site):
    head = (site / "index.html").read_text(encoding="utf-8").split("</head>")[0]
    (block,) = re.findall(r'<script type="application/ld\+json">(.+?)</script>', head, re.DOTALL)
    material = json.loads(block)
    conforms = material.pop("http://purl.org/dc/terms/conformsTo")["@id"]
    assert conforms.endswith("/TrainingMaterial/1.0-RELEASE")
    assert material["@type"] == "LearningResource"
    needed = {"name", "description", "keywords", "license", "author", "teaches", "url"}
    assert all(material[one] for one in needed)
    assert material["timeRequired"] == "PT610M"


def test_no_solution_is_on_the_site_unless_it_is_asked_for(site, tmp_path, monkeypatch):
    source = (ROOT / "notebooks" / "src" / "day1.py").read_text(encoding="utf-8")
    solution = re.search(r'# %% tags=\["solution"\]\n(.+)\n', source)[1]
    for name in all_pages(site):
        text = re.sub("<[^>]+>", "", (site / name).read_text(encoding="utf-8"))
        assert "solved" not in name
        assert solution not in html.unescape(text)
    monkeypatch.setattr(pages, "SOURCE", tmp_path / "docs")
    pages.gather(solutions=True)
    solved = nbformat.read(tmp_path / "docs" / "solved_day1.ipynb", as_version=4)
    assert any(solution in cell.source for cell in solved.cells)


def test_the_reference_has_every_public_name(site):
    import workshop

    for module in workshop.__all__[1:]:
        page = (site / "reference" / f"{module}.html").read_text(encoding="utf-8")
        names = getattr(workshop, module).__all__
        assert not [one for one in names if f'id="workshop.{module}.{one}"' not in page]


def test_the_site_is_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 25_000_000
