"""Turn a notebook into one HTML page that says what its figures show."""

from jinja2 import DictLoader
from nbconvert import HTMLExporter

# The stock template leaves a figure's alternative text out (the classic one reads the same key),
# and loads RequireJS, which only widgets need, from the network.
_TEMPLATE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js_requirejs %}{% endblock %}
{% block data_png scoped -%}
{%- set alt = output | get_metadata('alt', 'image/png') -%}
{%- if alt -%}
{{ super() | replace('<img ', '<img alt="' ~ alt | escape_html ~ '" ', 1) }}
{%- else -%}{{ super() }}{%- endif -%}
{%- endblock %}"""


def html_page(notebook, *, title):
    """HTML of a notebook; figures and styles are inside, only MathJax comes from the network."""
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"workshop.html.j2": _TEMPLATE})],
        template_file="workshop.html.j2",
        embed_images=True,
    )
    return exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})[0]
