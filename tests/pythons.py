"""Run the tests that need no framework on every Python that the course admits.

    python tests/pythons.py                 3.10 to 3.13: what needs neither TensorFlow nor Torch
    python tests/pythons.py 3.10 3.12       only these

Each Python, found on the PATH or in pyenv, gets an environment of its own in ``build/pythons``.
Neither TensorFlow nor Torch is in it, so a module that must not need them is seen not to. What is
left out then is listed here once; a new test is run until it is, too.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
FRAMEWORKS = {
    "amber-automl", "captum", "keras", "pytorch-lightning", "shap", "tensorboard", "tensorflow",
    "torch", "torchmetrics",
}  # fmt: skip
NEED_FRAMEWORKS = [
    "tests/test_nas*.py",
    "tests/homework_cases*.py",
    "tests/search_cases.py",
    "tests/test_amber.py",
    "tests/test_answers.py",
    "tests/test_colab.py",  # looks up what is installed
    "tests/test_fit.py",
    "tests/test_gpu.py",
    "tests/test_grading.py",
    "tests/test_homework.py",
    "tests/test_import.py",
    "tests/test_interpret.py",
    "tests/test_ism.py",
    "tests/test_readme.py",
    "tests/test_real_sections.py",
    "tests/test_site.py",
    "tests/test_triton.py",
    "tests/test_twins.py",
    "tests/test_walls.py",
    "tests/test_wheel.py",
    "workshop/nas/*.py",
    "workshop/torch_cnn/*.py",
    "workshop/interpret/gradients.py",
    "workshop/grading/worker.py",
    "workshop/keras_cnn/*.py",
]
NEED_TOMLLIB = [  # Python 3.11
    "tests/colab_replica.py",
    "tests/test_address.py",
    "tests/test_notebook_pipeline.py",
    "tests/test_packaging.py",
]


def find_python(version):
    """A Python of this version, such as ``"3.13"``, on the PATH or in pyenv; or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for python in filter(None, candidates):
        asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True)  # pyenv's shim may refuse
        if answer.stdout.strip() == version:
            return str(python)
    return None


def requirements():
    """What pyproject.toml asks for, without the frameworks."""
    import tomllib  # Python 3.11, which runs this file but need not run its importers
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(one for extra in extras if extra != "bench" for one in extras[extra]),
    ]
    found = {Requirement(line).name: line for line in lines}
    del found["ucla-automl-workshop"]
    return [line for name, line in found.items() if name not in FRAMEWORKS]


def run(version, python, folder):
    """Make the environment, or bring it up to date, and run pytest in it; return its exit code."""
    folder = folder.resolve() / version
    if not (folder / "bin" / "python").exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *requirements()], check=True)
    subprocess.run([*pip, "--no-deps", "--editable", ROOT], check=True)
    excluded = NEED_FRAMEWORKS + (NEED_TOMLLIB if version == "3.10" else [])
    command = [folder / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [f"--ignore-glob={ROOT / pattern}" for pattern in excluded] + ["workshop", "tests"]
    return subprocess.run(command, cwd=ROOT).returncode


def main(argv=None):
    """Run on each Python; return 1 when one is missing or fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", nargs="*", default=VERSIONS, metavar="VERSION")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "pythons")
    arguments = parser.parse_args(argv)
    results = {}
    for version in arguments.versions:
        python = find_python(version)
        print(f"=== Python {version}: {python or 'not found on the PATH or in pyenv'}", flush=True)
        code = run(version, python, arguments.folder) if python else None
        results[version] = {None: "missing", 0: "passed"}.get(code, "FAILED")
    print(*(f"Python {version}: {result}" for version, result in results.items()), sep="\n")
    return int(set(results.values()) != {"passed"})


if __name__ == "__main__":
    sys.exit(main())
