"""Read a notebook as other tools leave it: sources count, what is broken beside them does not."""

import json
import re

DICTS = ("kernelspec", "language_info", "widgets", "jupyter", "execution", "slideshow")


def read_notebook(path):
    """A notebook of format 4.5 as a dict, without the outputs of an earlier run.

    ValueError, "not a Jupyter notebook" or "a notebook for R, not for Python".
    """
    try:
        found = json.loads(path.read_bytes())  # in UTF-8 or UTF-16, with a byte order mark or not
        sheets = [found] if "cells" in found else found["worksheets"]  # those of format 3
        cells = [cell for sheet in sheets for cell in sheet["cells"] if isinstance(cell, dict)]
        metadata = _metadata(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as damage:
        reason = " ".join(f"{type(damage).__name__}: {damage}".split())[:200]
        raise ValueError(f"not a Jupyter notebook: {reason}") from None
    kernel, language = (metadata.get(key, {}) for key in ("kernelspec", "language_info"))
    languages = [kernel.get("language"), language.get("name")]
    languages = [one for one in languages if isinstance(one, str) and one]
    if languages and not any("python" in one.lower() for one in languages):
        raise ValueError(f"a notebook for {languages[0][:40]}, not for Python")
    if not all(isinstance(kernel.get(key), str) for key in ("name", "display_name")):
        metadata.pop("kernelspec", None)
    cells = [_cell(cell) for cell in cells]
    taken = set()
    for number, cell in enumerate(cells):
        if not re.fullmatch(r"[\w-]{1,64}", cell["id"], re.ASCII) or cell["id"] in taken:
            cell["id"] = f"cell-{number}"
        taken.add(cell["id"])
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def _metadata(node):
    """Metadata of a notebook or a cell, without those of a type that tools cannot work with."""
    found = node.get("metadata")
    found = found if isinstance(found, dict) else {}
    kept = {k: v for k, v in found.items() if k not in DICTS or isinstance(v, dict)}
    tags = kept.pop("tags", None)
    tags = [tags] if isinstance(tags, str) else tags
    return kept | ({"tags": list(map(str, tags))} if isinstance(tags, list) else {})


def _cell(cell):
    source = cell.get("source", cell.get("input"))  # the latter in code cells of format 3
    lines = source if isinstance(source, list) else [source]
    source = "".join(line for line in lines if isinstance(line, str))
    kept = {"id": str(cell.get("id")), "metadata": _metadata(cell), "source": source}
    kept["cell_type"] = (
        cell["cell_type"] if cell.get("cell_type") in ("code", "raw") else "markdown"
    )
    if kept["cell_type"] == "code":
        return kept | {"outputs": [], "execution_count": None}
    files = cell.get("attachments")
    valid = isinstance(files, dict) and all(isinstance(one, dict) for one in files.values())
    return kept | ({"attachments": files} if valid else {})
