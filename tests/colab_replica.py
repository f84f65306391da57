"""Proof that the notebooks run in Colab, without Colab: a replica of its runtime, on this machine.

    python tests/colab_replica.py                    both days, student's and solved: `make replica`
    python tests/colab_replica.py day1 --solved      one of the four

The replica is an environment of Colab's Python with the versions of constraints/colab.txt, and
without this package. Each notebook starts in a fresh copy of it, in an empty folder and an empty
home, in a kernel where ``google.colab`` is loaded; so its setup cell takes the path that it takes
there. Its text is untouched: git is told to find the repository's address on this disk, where a
clone of the commit has the branch or tag that the cell names. Then pip clones, builds and installs
as it does in Colab, with no cache.

It is no proof of what only Google has: its front end, its GPU, its network. Packages that the
course does not use are not installed; tests/test_colab.py lets pip look at all versions instead.

Exit status 0 says that every cell ran, that nothing was written to stderr and no warning shown,
and that the packages before and after differ only by additions, eight at most.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import tomllib
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from packaging.utils import canonicalize_name

from constraints import colab
from tests.pythons import find_python

ROOT = Path(__file__).resolve().parent.parent
COLAB = colab.versions()
NOTEBOOKS = {"day1": "day1_build_cnns.ipynb", "day2": "day2_automl_and_interpretation.ipynb"}
# Colab's kernel and what a notebook meets beside the package's own requirements.
BESIDES = [
    "pip", "setuptools", "wheel", "ipykernel", "ipywidgets", "jupyter-client", "seaborn", "shap",
]  # fmt: skip
# Torch's wheel on the index brings CUDA; Colab's own brings it in another way.
CUDA = ("cuda-", "nvidia-", "triton")
KERNEL = (
    "import google.colab; from ipykernel.kernelapp import launch_new_instance; "
    "launch_new_instance()"
)
WARNING = re.compile(r"^.*(?:\bWARNING\b|\bERROR\b|\w+Warning:).*$", re.MULTILINE)


def project():
    """The table ``project`` of pyproject.toml, and the ref that setup cells name."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["project"], settings["tool"]["workshop"]["ref"]


def build_replica(folder):
    """An environment with Colab's versions, made once; return its folder."""
    replica, made_of = folder / "replica", folder / "made-of.json"
    table = project()[0]
    recipe = json.dumps([COLAB, BESIDES, table["dependencies"], table["optional-dependencies"]])
    if made_of.exists() and made_of.read_text(encoding="utf-8") == recipe:
        return replica
    version = colab.python_version()
    python = find_python(version)
    if python is None:
        sys.exit(f"Colab runs Python {version}; none was found on the PATH or in pyenv.")
    print(f"Building the replica in {replica}: gigabytes, once.", flush=True)
    shutil.rmtree(replica, ignore_errors=True)
    made_of.unlink(missing_ok=True)
    subprocess.run([python, "-m", "venv", replica], check=True)
    pip = [replica / "bin" / "python", "-m", "pip", "--quiet"]
    # All that the package needs, at Colab's versions; then what Colab lacks goes out again. (In
    # the environment, the constraint takes the place of one that this machine's pip may have.)
    needed = [f"ucla-automl-workshop[colab,homework] @ {ROOT.as_uri()}", *BESIDES]
    environment = os.environ | {"PIP_CONSTRAINT": str(colab.PATH)}
    subprocess.run([*pip, "install", *needed], check=True, env=environment)
    lacking = [name for name in freeze(replica) if name not in COLAB and not name.startswith(CUDA)]
    subprocess.run([*pip, "uninstall", "--yes", *lacking], check=True)
    # Colab has drawn figures before; the first to do so looks for fonts.
    draw = [replica / "bin" / "python", "-c", "import matplotlib.pyplot"]
    subprocess.run(draw, check=True, env=os.environ | {"MPLCONFIGDIR": str(folder / "matplotlib")})
    made_of.write_text(recipe, encoding="utf-8")
    return replica


def freeze(environment):
    """Names and versions of all that is installed."""
    command = [environment / "bin" / "python", "-m", "pip", "list", "--format=json"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {canonicalize_name(one["name"]): one["version"] for one in json.loads(answer)}


def clone_repository(folder):
    """A clone whose HEAD carries the ref of pyproject.toml; return its folder."""
    clone, ref = folder / "repository", project()[1]
    shutil.rmtree(clone, ignore_errors=True)
    for command in (
        ["clone", "--quiet", "--no-hardlinks", ROOT, clone],
        ["-C", clone, "checkout", "--quiet", "--detach"],
        ["-C", clone, "branch", "--force", ref],  # what pip looks for first
        ["-C", clone, "config", "uploadpack.allowFilter", "true"],  # as GitHub does
        ["-C", clone, "config", "uploadpack.allowAnySHA1InWant", "true"],
    ):
        subprocess.run(["git", *command], check=True, capture_output=True)
    return clone


def fresh_copy(replica, folder):
    """The replica again, its files linked: a second, not minutes. With ``google.colab``."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(replica, folder, copy_function=os.link, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    stub = site / "google" / "colab" / "__init__.py"
    stub.parent.mkdir(parents=True)
    stub.write_text('"""Stands for the module of this name in Colab."""\n')
    return folder


def kernel_environment(folder, environment, clone):
    """Environment variables of a kernel that knows nothing of this machine's user."""
    home, git_config = folder / "home", folder / "gitconfig"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    address = project()[0]["urls"]["Repository"]
    redirect = f'[url "{clone.as_uri()}"]\n\tinsteadOf = {address}\n[safe]\n\tdirectory = *\n'
    git_config.write_text(redirect, encoding="utf-8")
    foreign = ("JUPYTER", "MPL", "PYTHON", "VIRTUAL_ENV", "WORKSHOP", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "GIT_CONFIG_GLOBAL": str(git_config),
        "HOME": str(home),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": os.devnull,  # its warnings and caps are not Colab's
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def execute(path, executed_path, python, environment, folder):
    """Run a notebook's cells; return what went wrong, and the seconds of the cell with pip."""
    spec = {"argv": [str(python), "-c", KERNEL, "-f", "{connection_file}"], "display_name": "Colab"}
    specs = folder / "kernels" / "colab"
    specs.mkdir(parents=True, exist_ok=True)
    (specs / "kernel.json").write_text(json.dumps(spec | {"language": "python"}))
    content = folder / "content"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    started, setup_seconds = {}, []

    def start(cell, cell_index):
        started[cell_index] = time.perf_counter()

    def done(cell, cell_index, execute_reply):
        if "%pip install" in cell.source:
            setup_seconds.append(time.perf_counter() - started[cell_index])

    manager = AsyncKernelManager(
        kernel_name="colab", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs.parent)])
    )
    client = NotebookClient(
        notebook, km=manager, timeout=1200, on_cell_execute=start, on_cell_executed=done
    )
    found = []
    try:
        client.execute(
            cwd=str(content), env=environment, cleanup_kc=True, stderr=subprocess.DEVNULL
        )
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        found.append(str(problem))
    executed_path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, executed_path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        found += [f"code cell {number}: {line}" for line in shown_problems(cell)]
    if not setup_seconds:
        found.append("no cell has installed the package with %pip")
    return found, sum(setup_seconds)


def shown_problems(cell):
    """What a cell shows that a student should never see."""
    for output in cell.outputs:
        text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
        if output.get("name") == "stderr":
            yield f"stderr: {text.strip()}"
        else:
            yield from (f"shows: {line}" for line in WARNING.findall(text))


def prove(name, replica, clone, folder):
    """Run one notebook in a fresh copy of the replica, print what came of it; whether all holds."""
    environment = fresh_copy(replica, folder / "runtime")
    variables = kernel_environment(folder, environment, clone)
    python = environment / "bin" / "python"
    before, started = freeze(environment), time.perf_counter()
    found, setup = execute(clone / name, folder / "executed" / name, python, variables, folder)
    seconds, after = time.perf_counter() - started, freeze(environment)
    added = sorted(after.keys() - before.keys() - {"ucla-automl-workshop"})
    found += [
        f"{package} {version} became {after.get(package)}"
        for package, version in before.items()
        if after.get(package) != version
    ]
    if len(added) > colab.MOST_ADDED:
        found.append(f"{len(added)} packages were added; at most {colab.MOST_ADDED} may be")
    print(f"{name}: {seconds:.0f} s, of which the setup cell {setup:.0f} s")
    print(f"  {len(before)} packages before, {len(after)} after: workshop and these were added:")
    print("  " + ", ".join(f"{package} {after[package]}" for package in added))
    lines = [f"  PROBLEM {line}" for line in found] or ["  nothing wrong"]
    print(*lines, sep="\n", flush=True)
    return not found


def main(argv=None):
    """Run the notebooks; return 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("days", nargs="*", metavar="DAY", help="day1, day2; default: both")
    parser.add_argument("--solved", action="store_true", help="only the solved")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "colab")
    arguments = parser.parse_args(argv)
    if set(arguments.days) - set(NOTEBOOKS):
        parser.error(f"days must be of {', '.join(NOTEBOOKS)}; got {arguments.days}")
    kinds = ["notebooks/solutions"] if arguments.solved else ["notebooks", "notebooks/solutions"]
    names = [f"{kind}/{NOTEBOOKS[day]}" for day in arguments.days or NOTEBOOKS for kind in kinds]
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    replica = build_replica(folder)
    clone = clone_repository(folder)
    results = [prove(name, replica, clone, folder) for name in names]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
