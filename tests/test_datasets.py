"""`workshop.datasets`: the shipped bytes, round trips, and files that are refused."""

import csv
import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.damaged_files import damaged, or_refused
from workshop import _files
from workshop.datasets import (
    Dataset,
    load_ctcf,
    load_real_ctcf,
    read_dataset,
    read_windows,
    simulate_ctcf,
    write_dataset,
)
from workshop.motifs import load_motif
from workshop.sequences import one_hot_decode, one_hot_encode

DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture(scope="module")
def shipped():
    return load_ctcf()


# --- the shipped files ------------------------------------------------------------------------


def test_readme_and_sums_agree_with_the_files():
    sums = dict(reversed(line.split()) for line in (DATA / "SHA256SUMS").read_text().splitlines())
    prose = {"SHA256SUMS", "README.md", "LICENSE-gimmemotifs.txt"}
    assert set(sums) == {path.name for path in DATA.iterdir()} - prose
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for name, digest in sums.items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest
        assert name in readme
        assert digest in readme
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 2e6


def test_real_peaks_are_the_text_of_the_fasta_file():
    data = load_real_ctcf()
    records = (DATA / "ctcf_gm12878_top500_hg19.fa").read_text().split(">")[1:]
    by_name = {r.split("\n", 1)[0]: "".join(r.split("\n")[1:]).upper() for r in records}
    bed = (DATA / "ctcf_gm12878_top500_hg19.bed").read_text().splitlines()
    windows = [line.split("\t") for line in bed]
    expected = [by_name[f"{chrom}:{start}-{end}"] for chrom, start, end in windows]
    assert (data.X.shape, data.y.shape) == ((500, 200, 4), (500, 1))
    assert one_hot_decode(data.X) == expected
    assert (data.y == 1).all()
    assert list(data.table) == ["chrom", "start", "end", "strand", "label", "name"]
    assert (data.table["end"] - data.table["start"] == 200).all()


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the shipped files, which the loaders read."""
    shutil.copytree(DATA, tmp_path / "data")
    monkeypatch.setattr(_files, "_PACKAGE", tmp_path / "workshop")
    return tmp_path / "data"


def test_loaders_refuse_a_damaged_or_missing_file(copy):
    assert _files.check_shipped() == [
        "ctcf_gm12878_top500_hg19.bed",
        "ctcf_gm12878_top500_hg19.fa",
        "ctcf_simulated.tsv.gz",
        "jaspar_ctcf.txt",
        "nas_benchmark.tsv.gz",
        "nas_searches.tsv.gz",
    ]
    for name, load in (
        ("ctcf_simulated.tsv.gz", load_ctcf),
        ("ctcf_gm12878_top500_hg19.bed", load_real_ctcf),
        ("jaspar_ctcf.txt", lambda: load_motif("MA0139.1")),
    ):
        (copy / name).chmod(0o644)
        (copy / name).write_bytes((copy / name).read_bytes()[:-1])
        with pytest.raises(
            ValueError,
            match=rf"{name} is not the file that was shipped: expected SHA-256 \w{{12}}\.\.\., got "
            rf"\w{{12}}\.\.\.\. It was not read; restore it with: git checkout -- data/{name}",
        ):
            load()
    with pytest.raises(ValueError, match="bed is not the file that was shipped"):
        _files.check_shipped()
    (copy / "ctcf_simulated.tsv.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"is missing\. Restore it with: git checkout"):
        load_ctcf()
    with pytest.raises(ValueError, match=r"nothing\.txt is not shipped; data/ holds ctcf_gm12878"):
        _files.shipped_file("nothing.txt")


# --- write and read ---------------------------------------------------------------------------


NAMES = st.text("abcNA,\"'# 07", min_size=1, max_size=5)


@st.composite
def tables(draw):
    n, length = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    one = st.text("ACGTN", min_size=length, max_size=length)
    values = st.one_of(st.integers(0, 1), st.floats(-9, 9, width=32).map(np.float32))
    y = np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=np.float32)[:, None]
    table = pd.DataFrame(
        {
            "chrom": draw(st.lists(NAMES, min_size=n, max_size=n)),
            "start": draw(st.lists(st.integers(0, 10**9), min_size=n, max_size=n)),
            "end": 10**9 + 1,
            "strand": "+",
            "label": y[:, 0].astype(int) if (y % 1 == 0).all() else y[:, 0].astype(float),
            "name": draw(st.lists(NAMES, min_size=n, max_size=n)),
            "motif_starts": draw(
                st.lists(
                    st.lists(st.integers(0, 99), max_size=2).map(tuple), min_size=n, max_size=n
                )
            ),
        }
    )
    return Dataset(one_hot_encode(draw(st.lists(one, min_size=n, max_size=n))), y, table)


@given(data=tables(), zipped=st.booleans())
def test_read_undoes_write(tmp_path_factory, data, zipped):
    path = tmp_path_factory.mktemp("round") / ("data.tsv" + ".gz" * zipped)
    write_dataset(data, path)
    again = read_dataset(path)
    np.testing.assert_array_equal(again.X, data.X)
    np.testing.assert_array_equal(again.y, data.y)
    assert again.table["label"].tolist() == pytest.approx(data.table["label"].tolist())
    for column in data.table.columns.drop("label"):
        assert again.table[column].tolist() == data.table[column].tolist()
    assert [*path.parent.iterdir()] == [path]


def test_written_table_is_text_a_person_can_read(tmp_path):
    X = one_hot_encode(["ACGTN", "TTTTT"])
    table = pd.DataFrame(
        {"chrom": ["chr1", "chr2"], "start": [0, 7], "end": [5, 12], "strand": "+", "label": [1, 0],
         "name": ["a", "b"], "motif_starts": [(1, 3), ()]}
    )  # fmt: skip
    write_dataset(Dataset(X, np.array([[0.0], [1.0]], np.float32), table), tmp_path / "t.tsv")
    assert table["label"].tolist() == [1, 0]  # not touched; what is written is y
    assert (tmp_path / "t.tsv").read_text() == (
        "chrom\tstart\tend\tstrand\tlabel\tname\tmotif_starts\tsequence\n"
        "chr1\t0\t5\t+\t0\ta\t1,3\tACGTN\n"
        "chr2\t7\t12\t+\t1\tb\t.\tTTTTT\n"
    )


def test_same_data_same_bytes_whatever_the_name_and_the_hour(tmp_path, monkeypatch):
    data = simulate_ctcf(10)
    write_dataset(data, tmp_path / "a.tsv.gz")
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_dataset(data, tmp_path / "b.tsv.gz")
    content = (tmp_path / "a.tsv.gz").read_bytes()
    assert content == (tmp_path / "b.tsv.gz").read_bytes()
    # Deflate, no name, no time, best compression, system unknown: RFC 1952, section 2.3.
    assert content[:10] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])


@pytest.mark.parametrize("y", [(9, 1), (10, 2), (10,)])
def test_write_refuses_parts_that_do_not_fit(tmp_path, y):
    data = simulate_ctcf(10)
    bad = data._replace(y=np.zeros(y, np.float32))
    with pytest.raises(ValueError, match=r"shape \(N, 1\), for each of the 10 rows.*; got X \("):
        write_dataset(bad, tmp_path / "bad.tsv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d.take([]),
            "as write_dataset writes it: .*got none",
        ),
        (lambda d: table_with(d, name=["a\n", "b"]), "line 2: expected 8 fields"),
        (lambda d: table_with(d, name=["a", "b\tc"]), "line 3: expected 8 fields"),
        (lambda d: table_with(d, motif_starts=[(19.0,), ()]), "as motif_starts, not '19.0'"),
        (lambda d: d._replace(y=np.full((2, 1), np.nan)), "line 2: .* as label, not 'nan'"),
    ],
)
def test_write_refuses_what_would_be_read_back_otherwise(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write_dataset(change(simulate_ctcf(2)), tmp_path / "bad.tsv")
    assert not list(tmp_path.iterdir())


def table_with(data, **columns):
    return data._replace(table=data.table.assign(**columns))


def test_further_columns_and_great_labels_come_back(tmp_path):
    data = table_with(simulate_ctcf(2), score=[0.1, 2.5], rank=[1, 2], gene=['"a', "NA"])
    data = data._replace(y=np.array([[1e20], [3]], np.float32))
    write_dataset(data, tmp_path / "t.tsv")
    again = read_dataset(tmp_path / "t.tsv")
    pd.testing.assert_frame_equal(
        again.table.drop(columns="label"), data.table.drop(columns="label")
    )
    np.testing.assert_array_equal(again.y, data.y)
    assert again.table.attrs["excluded"] == {}


def test_quotes_in_a_file_by_hand_are_letters_of_names(tmp_path):
    rows = [ROW.replace("a", name) for name in ('"a', 'b"', "'c'")]
    (tmp_path / "t.tsv").write_text("\n".join([HEADER, *rows]))
    assert read_dataset(tmp_path / "t.tsv").table["name"].tolist() == ['"a', 'b"', "'c'"]


def test_take_keeps_rows_together(shipped):
    mask = shipped.table["chrom"] == "chr8"
    rows = np.flatnonzero(mask)
    for indices in (rows, rows.tolist(), mask):
        part = shipped.take(indices)
        np.testing.assert_array_equal(part.X, shipped.X[rows])
        np.testing.assert_array_equal(part.y, shipped.y[rows])
        assert part.table["name"].tolist() == shipped.table["name"].iloc[rows].tolist()
        assert part.table.index.tolist() == list(range(len(rows)))
    assert shipped.take([]).X.shape == (0, 200, 4)
    with pytest.raises(IndexError, match="out of bounds"):
        shipped.take([5000])


HEADER = "chrom\tstart\tend\tstrand\tlabel\tname\tsequence"
ROW = "chr1\t0\t4\t+\t1\ta\tACGT"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], r"line 1: expected different columns, among them start, .*; got \[\]\."),
        ([HEADER.replace("label", "y"), ROW], "line 1: expected .*, label, .*; got .* 'y'"),
        ([HEADER + "\tname", ROW + "\tb"], "line 1: expected different columns"),
        ([HEADER], "at least one sequence; got none"),
        ([HEADER, ROW, ROW.replace("chr1", "")], "line 3: expected 7 fields, none empty; got '"),
        ([HEADER, ROW, "chr1\t0\t4"], "line 3: expected 7 fields"),
        ([HEADER, ROW, ROW + "\textra\tfields"], "line 3: expected 7 fields"),
        (
            [HEADER, ROW.replace("\t1\t", "\tyes\t")],
            "line 2: .* number as label, not 'yes'",
        ),
        (
            [HEADER, ROW.replace("\t1\t", "\tnan\t")],
            "line 2: expected a number as label, not 'nan'",
        ),
        ([HEADER, ROW.replace("\t0\t", "\t1_0\t")], "line 2: expected a whole number .* as start"),
        ([HEADER, ROW.replace("+", "minus")], "line 2: expected .* as strand, not 'minus'"),
        ([HEADER, "", ROW, ROW.replace("ACGT", "ACRT")], "line 4: .* as sequence, not 'ACRT'"),
        ([HEADER, ROW, ROW.replace("ACGT", "ACG")], "line 3: expected 4 letters as sequence; got"),
        ([HEADER + "\tmotif_starts", ROW + "\tone"], "as motif_starts, not 'one'"),
    ],
)
def test_read_refuses_what_is_no_such_table(tmp_path, lines, message):
    path = tmp_path / "bad.tsv"
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=message) as error:
        read_dataset(path)
    assert str(path) in str(error.value)


@settings(max_examples=500)
@given(damaged(f"{HEADER}\n{ROW}\nchr2\t14\t18\t-\t0.5\t'b\tGGNA\n".encode()))
def test_a_damaged_table_is_read_as_pandas_reads_it_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.tsv"
    path.write_bytes(content)
    ours = or_refused(read_dataset, path)
    if ours is not None:
        options = {"sep": "\t", "quoting": csv.QUOTE_NONE, "encoding": "utf-8-sig", "dtype": str}
        theirs = pd.read_csv(path, **options, keep_default_na=False)
        assert one_hot_decode(ours.X) == theirs["sequence"].str.upper().tolist()
        assert ours.table["label"].tolist() == theirs["label"].astype(float).tolist()
        for column in ("chrom", "start", "end", "strand", "name"):
            assert ours.table[column].astype(str).tolist() == [
                text.lstrip("0") or "0" if column in ("start", "end") else text
                for text in theirs[column]
            ]


# --- truncated and corrupt files --------------------------------------------------------------


READERS = {
    "dataset": read_dataset,
    "bed": lambda path: read_windows(DATA / "ctcf_gm12878_top500_hg19.fa", path),
    "fasta": lambda path: read_windows(path, DATA / "ctcf_gm12878_top500_hg19.bed"),
}


@pytest.fixture(params=READERS)
def reader(request, tmp_path):
    """A reader and a good file for it, gzipped."""
    path = tmp_path / "data.gz"
    if request.param == "dataset":
        write_dataset(simulate_ctcf(30), path)
    else:
        suffix = {"bed": "bed", "fasta": "fa"}[request.param]
        text = (DATA / f"ctcf_gm12878_top500_hg19.{suffix}").read_bytes()
        path.write_bytes(gzip.compress(text))
    READERS[request.param](path)
    return READERS[request.param], path


DAMAGES = {
    "cut after the magic": lambda content: content[:2],
    "cut in the middle": lambda content: content[: len(content) // 2],
    "last byte missing": lambda content: content[:-1],
    "an unknown method": lambda content: content[:2] + b"\x07" + content[3:],
    "bytes overwritten": lambda content: content[:40] + bytes(40) + content[80:],
    "another checksum": lambda content: content[:-8] + bytes(4) + content[-4:],
    "something after the end": lambda content: content + b"what is this",
    "no text": lambda content: b"PK\x03\x04\xff" + content,  # as np.savez writes
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_file(reader, damage):
    read, path = reader
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        ValueError, match=r"data\.gz must be a text file, gzipped or not, and whole; .*Fetch it"
    ):
        read(path)


@pytest.mark.parametrize("content", [b"", b"\x1f"])
def test_file_cut_to_nothing(reader, content):
    read, path = reader
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"data\.gz.*(must|expected).*(got|holds|no column)"):
        read(path)
