"""The wheel: what it carries, and that it works where there is no checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import workshop

pytest.importorskip("hatchling", reason="builds the wheel")

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"


def pip(*words):
    command = [sys.executable, "-m", "pip", *map(str, words)]
    subprocess.run(command, check=True, env={**os.environ, "PIP_NO_INDEX": "1"})


def save(path, code):
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def home(wheel, tmp_path_factory):
    """A virtual environment with the wheel in it, and the dependencies of the one that tests."""
    home = tmp_path_factory.mktemp("home")
    venv.create(home, with_pip=False)
    python = home / SCRIPTS / "python"
    pip("--python", python, "install", "--quiet", "--no-deps", wheel)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-c", where], text=True).strip()
    # What lies in a folder that a .pth names is importable; the .pth files in it, such as the one
    # of an editable workshop, are not read.
    Path(packages, "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    for lesson in LESSONS:  # installed whole (see below); here they must not take minutes
        installed = Path(packages, "workshop", "notebooks", lesson.name)
        assert installed.read_bytes() == lesson.read_bytes()
        save(installed, "import workshop; workshop.__file__")
    return home


@pytest.fixture
def call(home, tmp_path):
    """Run a program of the environment in an empty folder."""

    def call(*words):
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        # nbconvert's templates lie beside the packages that are borrowed.
        environment["JUPYTER_PATH"] = str(Path(sysconfig.get_path("data"), "share", "jupyter"))
        program = home / SCRIPTS / words[0]
        return subprocess.run(
            [program, *words[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    return call


def test_wheel_holds_package_data_and_lessons_and_nothing_else(wheel):
    about = f"ucla_automl_workshop-{workshop.__version__}.dist-info"
    code = [*ROOT.glob("workshop/**/*.py"), *ROOT.glob("workshop/**/*.mplstyle")]
    expected = {path.relative_to(ROOT).as_posix(): path for path in code}
    for path in [*(ROOT / "data").iterdir(), *LESSONS]:
        expected[f"workshop/{path.relative_to(ROOT).as_posix()}"] = path
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if not name.startswith(f"{about}/")}
        assert names == set(expected)
        assert all(file.read(name) == path.read_bytes() for name, path in expected.items())
        about = file.read(f"{about}/METADATA").decode()
    assert len(LESSONS) == 2
    assert "workshop/data/ctcf_simulated.tsv.gz" in names
    assert f"\nVersion: {workshop.__version__}\n" in about
    assert "\nProvides-Extra: colab\n" in about


def test_wheel_is_what_is_imported(call, home):
    ran = call("python", "-c", "import workshop; print(workshop.__file__)")
    assert home in Path(ran.stdout.strip()).parents
    assert ROOT not in Path(ran.stdout.strip()).parents


def test_doctor_of_the_wheel(call):
    ran = call("workshop", "doctor")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1].split() == ["In", "short", "all", "is", "well"]


def test_data_of_the_wheel(call):
    ran = call("workshop", "data", "check")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "ctcf_simulated.tsv.gz: as shipped" in ran.stdout
    code = "from workshop import datasets; print(datasets.load_ctcf().X.shape)"
    assert call("python", "-c", code).stdout == "(5000, 200, 4)\n"


def test_workshop_run_of_ones_own_notebook(call, home, tmp_path):
    save(tmp_path / "mine.ipynb", "import workshop; print(workshop.__file__)")
    ran = call("workshop", "run", "mine.ipynb")
    assert (ran.returncode, ran.stderr) == (0, "")
    (cell,) = nbformat.read(tmp_path / "build" / "mine.ipynb", as_version=4).cells
    assert home in Path(cell.outputs[0].text.strip()).parents


def test_workshop_run_takes_the_lessons_of_the_wheel(call, tmp_path):
    ran = call("workshop", "run")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [path.name for path in sorted((tmp_path / "build").glob("*.ipynb"))] == [
        lesson.name for lesson in LESSONS
    ]
