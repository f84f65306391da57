"""Run a notebook from the top in a fresh kernel, with one progress line a cell.

The kernel belongs to the Python that runs this module and starts in an empty temporary folder, as
Colab does: a notebook that only works beside the files of somebody's checkout fails here too, and
the logs and models that it saves litter nothing.
"""

import asyncio
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from workshop._files import write_whole
from workshop._notebook import read_notebook

try:
    import nbformat
    from jinja2 import DictLoader
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbconvert import HTMLExporter
except ImportError as missing:
    raise ImportError(
        f"Running notebooks needs {missing.name}. Install it with: pip install ipykernel nbconvert"
    ) from missing

__all__ = ["CellRun", "ExecutedNotebook", "execute_notebook", "html_page"]


class CellRun(NamedTuple):
    """One code cell that has run; ``str()`` of it is its progress line.

    >>> print(CellRun("day1", number=3, total=84, seconds=3.21, label="Load the data"))
    day1  [ 3/84]    3.2 s  Load the data
    """

    notebook: str
    number: int  # of the code cells, counted from 1 as in ``In [1]``
    total: int
    seconds: float
    label: str  # the heading above it, or its first line

    def __str__(self):
        number = f"{self.number:>{len(str(self.total))}}/{self.total}"
        return f"{self.notebook}  [{number}]  {self.seconds:5.1f} s  {self.label}"


class ExecutedNotebook(NamedTuple):
    """What came of running one notebook; after a failure the files hold what ran up to there."""

    path: Path
    executed_path: Path
    html_path: Path
    seconds: float  # of the whole run, with the start of the kernel
    failure: str | None  # the code cell that ended the run, and why
    stderr_cells: tuple[int, ...]  # numbers of the cells that wrote to stderr: a warning, or a log

    @property
    def ok(self):
        """Whether every cell ran and none wrote to stderr."""
        return self.failure is None and not self.stderr_cells


def execute_notebook(path, *, output_dir, timeout=600, on_cell=print):
    """Run all cells of a notebook in a fresh kernel; write what they show.

    Parameters
    ----------
    path : path-like
        A ``.ipynb`` file. It is not changed.
    output_dir : path-like
        Where the executed notebook and its HTML page go, under the notebook's own name. Each file
        appears whole or not at all.
    timeout : float, default 600
        Seconds that one cell may take.
    on_cell : callable, default prints
        Called with a `CellRun` after each code cell.

    Returns
    -------
    ExecutedNotebook
    """
    path, output_dir = Path(path), Path(output_dir)
    try:
        notebook = nbformat.from_dict(read_notebook(path))
    except ValueError as problem:
        raise ValueError(f"{path} is {problem}.") from None
    if output_dir.resolve() == path.resolve().parent:
        raise ValueError(f"The executed {path} would overwrite it; pass another output_dir.")
    output_dir.mkdir(parents=True, exist_ok=True)  # before the cells have run for minutes

    started = time.perf_counter()
    failure, stderr_cells = _run(notebook, path.stem, timeout, on_cell)
    seconds = time.perf_counter() - started
    executed_path, html_path = output_dir / path.name, output_dir / f"{path.stem}.html"
    write_whole(executed_path, nbformat.writes(notebook) + "\n")
    write_whole(html_path, html_page(notebook, title=path.stem))
    return ExecutedNotebook(path, executed_path, html_path, seconds, failure, stderr_cells)


def _run(notebook, name, timeout, on_cell):
    """Run the cells in place; return the failure, or None, and which cells wrote to stderr."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    total = sum(bool(cell.source.strip()) for cell in code)
    number, label, started, noisy = 0, "", 0.0, []

    def start(cell, cell_index):
        nonlocal number, label, started
        number, label, started = number + 1, _label(notebook, cell_index), time.perf_counter()

    def done(cell, cell_index, execute_reply):
        if any(output.get("name") == "stderr" for output in cell.outputs):
            noisy.append(number)
        on_cell(CellRun(name, number, total, time.perf_counter() - started, label))

    # No kernel directories: the "python3" kernel is then this very Python's, whatever a user has
    # registered under that name. A kernel that offers encryption warns where none is used.
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    if manager.has_trait("transport_encryption"):
        manager.transport_encryption = "auto"
    client = NotebookClient(notebook, km=manager, timeout=timeout, coalesce_streams=True)
    client.on_cell_execute, client.on_cell_executed, client.record_timing = start, done, False
    with tempfile.TemporaryDirectory(prefix="workshop-", ignore_cleanup_errors=True) as folder:
        try:
            # What cells write to stderr reaches the notebook; the rest is a dying kernel's own.
            _execute(client, cwd=folder, cleanup_kc=True, stderr=subprocess.DEVNULL)
        except CellExecutionError as failed:
            error = f"{failed.ename}: {failed.evalue}"
        except CellTimeoutError:
            error = f"TimeoutError: the cell ran for more than {timeout:g} s"
        except DeadKernelError:
            error = "The kernel died: no memory was left, or the code ended its process"
        else:
            return None, tuple(noisy)
    return f"code cell {number} ({label}): {error}", tuple(noisy)


def _execute(client, **options):
    """Run in a thread: in the main one, nbclient handles Ctrl-C itself, and trips over that."""
    with closing(asyncio.new_event_loop()) as loop, ThreadPoolExecutor(1) as thread:
        task = loop.create_task(client.async_execute(**options))
        run = thread.submit(loop.run_until_complete, task)
        try:
            run.result()
        except KeyboardInterrupt:
            loop.call_soon_threadsafe(task.cancel)  # it ends the kernel, too
            raise


def _label(notebook, index):
    """The heading right above a cell, or its own first line."""
    above, cell = notebook.cells[index - 1 : index + 1] if index else (None, notebook.cells[0])
    headings = []
    if above and above.cell_type == "markdown":
        headings = re.findall(r"^#+ +(.+)$", above.source, flags=re.MULTILINE)
    label = headings[-1] if headings else cell.source.strip().splitlines()[0]
    return label if len(label) <= 60 else label[:57] + "..."


# The stock template leaves a figure's alternative text out (the classic one reads the same key),
# sets figures and captions left of the text, and loads RequireJS, which only widgets need, from the
# network. A figure is as wide as its metadata say, or as the screen.
_TEMPLATE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js_requirejs %}{% endblock %}
{% block html_head_css %}
{{ super() }}
<style>
.jp-OutputArea-output.jp-RenderedImage, .jp-OutputArea-output.jp-RenderedMarkdown {
  padding-left: 11px;
}
.jp-RenderedImage img { max-width: 100%; height: auto; }
</style>
{% endblock %}
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
    )
    return exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})[0]
