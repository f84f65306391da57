"""Sphinx's settings; `docs/site.py` gathers the pages and calls Sphinx."""

import json
import os
from pathlib import Path

import nbformat
from docutils import nodes

import workshop

project = "CNNs and AutoML for genomics"
version = release = workshop.__version__
copyright = author = "The UCLA AutoML workshop contributors"
source = Path(os.environ["WORKSHOP_DOCS"])  # where the pages were gathered
facts = json.loads((source / "facts.json").read_text(encoding="utf-8"))

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
extensions += ["sphinx.ext.mathjax"]
default_role = "py:obj"

nb_execution_mode = "off"  # pages show what the committed notebooks hold
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}  # its menu would load more scripts

autosummary_generate = False
autodoc_typehints = "none"  # the docstrings say them
autodoc_member_order = "bysource"
add_module_names = False
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False

html_context = {"default_mode": "auto"}
html_theme = "pydata_sphinx_theme"
html_title = project
html_favicon = "_static/favicon.svg"
html_static_path = ["_static", str(source / "static")]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "CNNs and AutoML"},
    "icon_links": [
        {"name": "GitHub", "url": facts["repository"], "icon": "fa-brands fa-github"},
    ],
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
}
html_sidebars = {"**": []}


def alternative_texts(app, doctree):
    """Give the figures of a notebook the texts that its outputs hold, and that myst-nb drops."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    texts = [
        output.metadata["image/png"]["alt"]
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    figures = [image for image in doctree.findall(nodes.image) if not image.get("alt")]
    for figure, text in zip(figures, texts, strict=True):
        figure["alt"] = text


def describe_the_course(app, pagename, templatename, context, doctree):
    """Bioschemas' TrainingMaterial, in the head of the start page."""
    if pagename == "index":
        block = json.dumps(facts["training_material"], indent=1, ensure_ascii=False)
        context["metatags"] += f'\n<script type="application/ld+json">\n{block}\n</script>'


def skip(app, what, name, obj, skipped, options):
    """A NamedTuple's fields are among its parameters already."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def setup(app):
    app.connect("doctree-read", alternative_texts)
    app.connect("html-page-context", describe_the_course)
    app.connect("autodoc-skip-member", skip)
