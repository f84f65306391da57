"""What GitHub reads is what it expects: workflows, forms, Dependabot's settings, the citation.

Each check must be silent on the files as they are, and name a mistake that is put into a copy.
"""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for

ROOT = Path(__file__).resolve().parent.parent
TOOLS = {"actionlint": ["-no-color"], "zizmor": ["--offline", "--persona=pedantic"]}


def run(root, command, *paths):
    command = [Path(sysconfig.get_path("scripts")) / command[0], *command[1:], *paths]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


ROWS = [  # command, file, what the mistake replaces, the mistake, a word of the complaint
    ("actionlint", "workflows/colab.yml", "github.run_id", "github.run", '"run" is not defined'),
    (
        "actionlint",
        "workflows/site.yml",
        "needs: build",
        "needs: built",
        '"built" which does not exist',
    ),
    ("zizmor", "workflows/tests.yml", "permissions: {}", "permissions: write-all", "overly broad"),
    ("zizmor", "workflows/tests.yml", "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7", "unpinned"),
    ("zizmor", "workflows/colab.yml", '"$TITLE" --', "${{ github.ref }} --", "template-injection"),
]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_workflows_are_sound(tool):
    ran = run(ROOT, [tool, *TOOLS[tool]], *sorted(ROOT.glob(".github/workflows/*")))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(("tool", "name", "right", "wrong", "complaint"), ROWS)
def test_a_mistake_in_a_workflow_is_named(tmp_path, tool, name, right, wrong, complaint):
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    path = tmp_path / ".github" / name
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    ran = run(tmp_path, [tool, *TOOLS[tool]], path)
    assert ran.returncode != 0
    assert complaint in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("schema", "pattern", "needed"),
    [
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml", "body"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml", None),
        ("dependabot", ".github/dependabot.yml", "updates"),
        ("citation-file-format", "CITATION.cff", "authors"),
    ],
)
def test_a_file_has_the_shape_that_its_reader_documents(schema, pattern, needed):
    schema = get_builtin_schema(f"vendor.{schema}")
    validator = validator_for(schema)(schema)
    paths = sorted(ROOT.glob(pattern))
    assert paths
    for path in paths:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert not [error.message for error in validator.iter_errors(content)], path
    content.pop(needed, None)
    wrong = [error.message for error in validator.iter_errors(content | {"colour": "blue"})]
    assert any("colour" in message for message in wrong)
    assert needed is None or f"'{needed}' is a required property" in wrong
