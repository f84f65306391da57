"""What holds for both lessons: little plumbing, short cells, words before use, no answer told."""

import ast
import re

import nbformat
import pytest

from notebooks import build, claims

DAYS = ["day1", "day2"]
PLUMBING = re.compile(r"\bplot\.show\(|\bplt\b|\bmatplotlib\b|\b(ax|axes|figure)(\[\d\])?\.")


@pytest.fixture(scope="module", params=DAYS)
def lesson(request):
    """The student's notebook of a day, without outputs, and its name."""
    address = build.read_address(build.ROOT)
    notebook = build.generate_from(build.ROOT, request.param, "student", address)
    notebook.metadata["day"] = request.param
    return notebook


def code_of(notebook):
    """Sources of the code cells, without the lines for the notebook alone, such as %pip."""
    return [
        re.sub(r"^(\s*)([%!])", r"\1# \2", cell.source, flags=re.MULTILINE)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def code_lines(source):
    lines = (line.strip() for line in source.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_no_code_cell_is_longer_than_a_screen(lesson):
    long = [cell.splitlines()[0] for cell in code_of(lesson) if len(cell.splitlines()) > 30]
    assert long == []


def test_a_tenth_of_the_code_at_most_is_plumbing(lesson):
    """Every line of a statement with `plot.show`, or with a method of matplotlib's, counts."""
    plumbing = total = 0
    for source in code_of(lesson):
        total += len(code_lines(source))
        for node in ast.walk(ast.parse(source)):
            text = ast.get_source_segment(source, node) if isinstance(node, ast.stmt) else None
            if text and not hasattr(node, "body") and PLUMBING.search(text):
                plumbing += len(code_lines(text))
    assert plumbing <= 0.1 * total, f"{plumbing} of {total} lines"


@pytest.mark.parametrize("one", claims.CLAIMS, ids=lambda one: f"{one.day}-{one.measure.__name__}")
def test_a_claim_stands_in_its_section_word_for_word(one):
    assert one.says in claims.section_text(one.day, one.section)
    assert one.low < one.high


# A word of the field is in bold where a lesson first uses it: there it is explained.
WORDS = {
    "day1": (
        "logit, learning rate, stochastic gradient descent, mini-batch, epoch, hyperparameter, "
        "backpropagation, bits, generalise, AUROC, background, log-odds, ReLU, padding, Adam, "
        "receptive field, early stopping, bootstrap interval, average precision, underfitting, "
        "overfitting, regularisation, dropout, weight decay, data augmentation"
    ),
    "day2": "proxy, tabular benchmark, entropy, LSTM, embedding, tanh",
}


def text_of(notebook):
    """The Markdown cells, one after the other."""
    cells = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"(?<!\n)\n(?!\n)", " ", "\n\n".join(cells))


def test_a_word_is_explained_where_it_first_comes(lesson):
    text, late = text_of(lesson), []
    for word in WORDS[lesson.metadata["day"]].split(", "):
        first = re.search(rf"(?<![\w`]){word}", text, flags=re.IGNORECASE)
        bold = first and text.count("**", text.rfind("\n\n", 0, first.start()), first.start()) % 2
        late += [] if bold else [word]
    assert late == []


# What a stub asks for, as an answer would write it.
ANSWERS = {
    "day1": {
        "1.P1.2": r"29 % A and T|21 % C and G|richer in C and G than",
        "1.P2.1": r"\b801\b|pool size changes no",
        "1.P2.2": r"2,529|runs away from val",
        "1.P2.3": r"lowest.{0,40}last epoch",
        "1.P3.1": r"\(64, (4, 200|32, 200|32, 50|32|1)\)(?!`)",
        "1.6.1": r"fewer false negatives",
        "1.6.2": r"near the diagonal|miss the same",
        "1.6.4": r"0\.1 throws|SGD .{0,30}likes",
    },
    "day2": {
        "2.6.1": r"red diagonal band",
        "2.6.2": r"largest values are small|lowest more negative",
    },
}


def test_no_answer_stands_in_the_students_notebook(lesson):
    day = lesson.metadata["day"]
    path = build.ROOT / build.notebook_path(day, "student")
    committed = nbformat.read(path, as_version=4)
    shown = [cell.source for cell in lesson.cells]
    if build.difference(committed, lesson) is None:  # else they await `make notebooks`
        shown += [str(cell.outputs) for cell in committed.cells if cell.cell_type == "code"]
    told = [
        practice
        for practice, answer in ANSWERS[day].items()
        if any(re.search(answer, text) for text in shown)
    ]
    assert told == []
    assert path.stat().st_size < build.MAX_BYTES
