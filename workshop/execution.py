"""Run a notebook from the top in a fresh kernel, with one progress line a cell.

The kernel belongs to the Python that runs this module and starts in an empty temporary folder, as
Colab does: a notebook that only works beside the files of somebody's checkout fails here too, and
the logs and models that it saves litter nothing.
"""

import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from workshop._files import write_whole

MAX_PRINTED = 100_000
"""Characters of one stream of a cell that are kept."""

__all__ = ["MAX_PRINTED", "CellFailure", "CellRun", "ExecutedNotebook", "execute_notebook"]


@dataclass(frozen=True)
class CellRun:
    """One code cell that has run; ``str()`` of it is its progress line.

    Parameters
    ----------
    notebook : str
        Name of the notebook, without ``.ipynb``.
    number, total : int
        Which of the code cells, counted from 1 as in ``In [1]``, and how many there are.
    seconds : float
        How long it ran.
    label : str
        The heading above it, or its first line where another cell stands between.

    Examples
    --------
    >>> print(CellRun("day1", number=3, total=84, seconds=3.21, label="Load the data"))
    day1  [ 3/84]    3.2 s  Load the data
    """

    notebook: str
    number: int
    total: int
    seconds: float
    label: str

    def __str__(self):
        width = len(str(self.total))
        return (
            f"{self.notebook}  [{self.number:>{width}}/{self.total}]  "
            f"{self.seconds:5.1f} s  {self.label}"
        )


@dataclass(frozen=True)
class CellFailure:
    """The code cell that ended a run, and why.

    Parameters
    ----------
    number : int
        Which of the code cells, counted from 1.
    first_line : str
        Its first line of code.
    error : str
        Such as ``ValueError: X must have shape (N, L, 4)``.
    """

    number: int
    first_line: str
    error: str


@dataclass(frozen=True)
class ExecutedNotebook:
    """What came of running one notebook.

    Parameters
    ----------
    path : pathlib.Path
        The notebook that was run; it is not changed.
    executed_path, html_path : pathlib.Path
        The same with its outputs, as a notebook and as one HTML page. After a failure they hold the
        outputs up to and including the failed cell.
    seconds : float
        Wall-clock time of the whole run, with the start of the kernel.
    failure : CellFailure or None
        The cell that failed.
    stderr_cells : tuple of int
        Numbers of the code cells that wrote to stderr: a warning, or a library's log.
    """

    path: Path
    executed_path: Path
    html_path: Path
    seconds: float
    failure: CellFailure | None
    stderr_cells: tuple[int, ...]

    @property
    def ok(self):
        """Whether every cell ran and none wrote to stderr."""
        return self.failure is None and not self.stderr_cells


def _print_line(cell):
    print(cell, flush=True)


def execute_notebook(path, *, output_dir, timeout=600, on_cell=_print_line):
    """Run all cells of a notebook in a fresh kernel; write what they show.

    Parameters
    ----------
    path : path-like
        A ``.ipynb`` file.
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

    Raises
    ------
    FileNotFoundError
        If there is no such notebook.
    NotADirectoryError
        If `output_dir` is a file.
    ValueError
        If the file is not a Python notebook, `output_dir` is the notebook's own folder, or
        `timeout` is not positive.
    ImportError
        If what runs notebooks is not installed.
    """
    path, output_dir = Path(path), Path(output_dir)
    if not timeout > 0:
        raise ValueError(f"timeout must be a positive number of seconds; got {timeout!r}.")
    notebook = _read(path)

    executed_path = output_dir / path.name
    if executed_path.resolve() == path.resolve():
        raise ValueError(
            f"The executed copy of {path} would overwrite it; pass another output_dir."
        )
    if output_dir.exists() and not output_dir.is_dir():  # before the cells have run for minutes
        raise NotADirectoryError(f"output_dir must be a folder; {output_dir} is a file.")
    started = time.perf_counter()
    failure = _run(notebook, path.stem, timeout, on_cell)
    seconds = time.perf_counter() - started
    _join_streams(notebook)
    html_path = executed_path.with_suffix(".html")
    write_whole(executed_path, _serialise(notebook))
    write_whole(html_path, html_page(notebook, title=path.stem))
    noisy = tuple(
        number
        for number, index in enumerate(_runnable(notebook), start=1)
        if any(output.get("name") == "stderr" for output in notebook.cells[index].outputs)
    )
    return ExecutedNotebook(path, executed_path, html_path, seconds, failure, noisy)


def _read(path):
    try:
        import nbclient  # noqa: F401
        import nbconvert  # noqa: F401
        import nbformat
    except ImportError as missing:
        raise ImportError(
            f"Running notebooks needs {missing.name}. Install it with: pip install 'workshop[lab]'"
        ) from missing
    if not path.is_file():
        raise FileNotFoundError(f"There is no notebook {path}.")
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as problem:  # nbformat raises a different type for each kind of damage
        raise ValueError(f"{path} is not a Jupyter notebook: {problem}") from problem
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise ValueError(f"{path} must be a Python notebook; its kernel runs {language}.")
    return notebook


def _join_streams(notebook):
    """Join what a cell printed piece by piece, and cut it where nobody would read on.

    nbclient can join too, but searches each line for carriage returns in a time that grows with
    the square of its length: minutes for a line of a million letters.
    """
    for cell in notebook.cells:
        outputs = []
        for output in cell.get("outputs", []):
            if (
                outputs
                and output.output_type == "stream"
                and outputs[-1].get("name") == output.name
            ):
                outputs[-1].text += output.text
            else:
                outputs.append(output)
        for output in outputs:
            if len(output.get("text", "")) > MAX_PRINTED:
                cut = len(output.text) - MAX_PRINTED
                output.text = f"{output.text[:MAX_PRINTED]}\n... and {cut:,} more characters\n"
        if "outputs" in cell:
            cell.outputs = outputs


def _serialise(notebook):
    import nbformat

    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _runnable(notebook):
    """Indices of the cells that a kernel runs, in order."""
    return [
        index
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
        and cell.source.strip()
        and "skip-execution" not in cell.metadata.get("tags", [])
    ]


def _labels(notebook):
    """Label of each cell: the heading right above it, or its own first line."""
    labels, heading = {}, None
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            found = re.findall(r"^#+ +(.+)$", cell.source, flags=re.MULTILINE)
            heading = found[-1] if found else heading
        elif cell.cell_type == "code":
            label, heading = heading or _first_line(cell), None
            labels[index] = label if len(label) <= 60 else label[:57] + "..."
    return labels


def _first_line(cell):
    return next((line for line in cell.source.splitlines() if line.strip()), "")


def _run(notebook, name, timeout, on_cell):
    """Run the cells in place; return the failure that ended the run, or None."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    runnable, labels = _runnable(notebook), _labels(notebook)
    for cell in notebook.cells:  # a committed notebook's outputs are not this run's
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    current = {}

    def start(cell, cell_index):
        current.update(index=cell_index, started=time.perf_counter())

    def done(cell, cell_index, execute_reply):
        seconds = time.perf_counter() - current["started"]
        number = runnable.index(cell_index) + 1
        on_cell(CellRun(name, number, len(runnable), seconds, labels[cell_index]))

    # No kernel directories: the "python3" kernel is then this very Python's, whatever a user has
    # registered under that name. A kernel that offers encryption warns where none is used.
    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[])
    )
    if manager.has_trait("transport_encryption"):
        manager.transport_encryption = "auto"
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=timeout,
        record_timing=False,
        on_cell_execute=start,
        on_cell_executed=done,
    )
    with tempfile.TemporaryDirectory(prefix="workshop-", ignore_cleanup_errors=True) as folder:
        try:
            # What cells write to stderr reaches the notebook; the rest is a dying kernel's own.
            client.execute(cwd=folder, cleanup_kc=True, stderr=subprocess.DEVNULL)
        except CellExecutionError as failed:
            error = f"{failed.ename}: {failed.evalue}"
        except CellTimeoutError:
            error = f"TimeoutError: the cell ran for more than {timeout:g} s"
        except AssertionError:  # what nbclient trips over after it has ended the kernel on a signal
            if client.km is not None:
                raise
            raise KeyboardInterrupt from None
        except DeadKernelError:
            error = "The kernel died: no memory was left, or the code ended its process"
        else:
            return None
    index = current["index"]
    return CellFailure(runnable.index(index) + 1, _first_line(notebook.cells[index]), error)


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
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"workshop.html.j2": _TEMPLATE})],
        template_file="workshop.html.j2",
        embed_images=True,
    )
    return exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})[0]
