"""`workshop._notebook`: what other tools write into notebooks."""

import json

import nbformat
import pytest

from workshop._notebook import read_notebook

PYTHON = {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}


def code(source="x = 1", **more):
    return {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": []} | more


def book(*cells, **more):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": PYTHON, "cells": cells} | more


def without(cell, key):
    return {name: one for name, one in cell.items() if name != key}


def read(tmp_path, content, encoding="utf-8"):
    path = tmp_path / "one.ipynb"
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    return read_notebook(path)


@pytest.mark.parametrize(
    "content",
    [
        *(book(code(metadata={"tags": tags})) for tags in (None, 5, [], {}, "hide", ["a", 3])),
        *(book(code(metadata=one)) for one in (None, 3, [1], {"jupyter": None, "execution": 1})),
        *(book(code(), metadata=one) for one in (None, [], "x", {}, {"widgets": 0})),
        *(
            book(code(), metadata={"kernelspec": one})
            for one in (
                None,
                {},
                "python3",
                {"language": None},
                {"language": "Python"},
                {"name": 3},
            )
        ),
        book(code(), metadata={"kernelspec": {"language": 3}, "language_info": {"name": "python"}}),
        *(book(code(id=one)) for one in (None, 3, "", "a b", "x" * 99)),
        book(without(code(), "id"), without(code(), "metadata")),
        book(code(), code("y = 2")),  # one id for two
        book(code(["x = ", None, "1", 3])),
        book(code(outputs=[{"output_type": "what"}, None], execution_count="three")),
        book(
            None, 3, code(), {"source": "a cell of no type"}, {"cell_type": "heading", "level": 1}
        ),
        book(code(), {"cell_type": "markdown", "source": "a", "attachments": {"a.png": 3}}),
        {"nbformat": 3, "worksheets": [{"cells": [without(code(input="x = 1"), "source")]}]},
        {"cells": [code()]},
    ],
)
def test_what_is_broken_beside_the_sources_does_not_count(tmp_path, content):
    notebook = read(tmp_path, content)
    nbformat.validate(nbformat.from_dict(notebook))
    assert "x = 1" in [one["source"] for one in notebook["cells"] if one["cell_type"] == "code"]


@pytest.mark.parametrize("source", [None, 7, {}, []])
def test_a_cell_without_a_source_is_empty(tmp_path, source):
    cells = read(tmp_path, book(code(source), without(code(), "source")))["cells"]
    assert [cell["source"] for cell in cells] == ["", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path, encoding):
    (cell,) = read(tmp_path, book(code("café = 1")), encoding)["cells"]
    assert cell["source"] == "café = 1"


def test_what_is_right_is_kept(tmp_path):
    files = {"a.png": {"image/png": "iVBORw0KGgo="}}
    text = {"cell_type": "markdown", "id": "b-1", "metadata": {"tags": ["x"]}, "source": "![](a)"}
    cells = [code(metadata={"tags": ["skip-execution"], "cellView": "form"}), text]
    cells[1]["attachments"] = files
    notebook = read(tmp_path, book(*cells))
    assert notebook["cells"][0] == cells[0] | {"execution_count": None}
    assert notebook["cells"][1] == cells[1]
    assert notebook["metadata"] == PYTHON


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "^not a Jupyter notebook: JSONDecodeError"),
        ("Dear grader,", "^not a Jupyter notebook: JSONDecodeError"),
        ("[" * 200_000, "^not a Jupyter notebook: RecursionError"),
        ("[]", "^not a Jupyter notebook"),
        ("null", "^not a Jupyter notebook"),
        ('{"cells": null}', "^not a Jupyter notebook"),
        (book(metadata={"language_info": {"name": "R"}}), "^a notebook for R, not for Python"),
        (book(metadata={"kernelspec": {"language": "julia"}}), "^a notebook for julia, not"),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)
