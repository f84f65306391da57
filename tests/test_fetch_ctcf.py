"""`datasets.fetch_ctcf` and `workshop data fetch`, from a server on loopback."""

import numpy as np
import pandas as pd
import pytest

from tests.fault_server import FaultServer
from tests.small_genome import small_source, write_genome
from workshop import __main__ as console
from workshop.datasets import (
    CTCF_GM12878,
    fetch_ctcf,
    read_peaks,
)
from workshop.splits import split_by_chromosome

GOOD = "md5:" + 16 * "ab"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    write_genome(folder)
    return folder


@pytest.fixture
def web(folder, monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    with FaultServer(folder) as server:
        yield server


@pytest.fixture
def source(folder, web):
    return small_source(folder, web.address)


def test_what_comes_is_what_lies_there(folder, source, tmp_path):
    data = fetch_ctcf(source=source, cache_dir=tmp_path, progress=False)
    fasta = [folder / f"{chrom}.fa.gz" for chrom in ("chr9", "chr21", "chr22")]
    expected = read_peaks(fasta, folder / "peaks.bed.gz")
    np.testing.assert_array_equal(data.X, expected.X)
    pd.testing.assert_frame_equal(data.table, expected.table)
    chroms = data.table["chrom"]
    split = split_by_chromosome(chroms, val_chroms=["chr21"], test_chroms=["chr22"])
    assert [set(chroms.iloc[part]) for part in split] == [{"chr9"}, {"chr21"}, {"chr22"}]
    assert all(data.y[part].mean() == 0.5 for part in split)


def test_it_is_fetched_once_and_then_read_from_the_cache(source, web, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WORKSHOP_CACHE", "~/cache")
    first = fetch_ctcf(source=source, chroms=iter(["chr22"]), progress=False)
    assert web.asked == ["peaks.bed.gz", "chr22.fa.gz"]
    assert (tmp_path / "cache" / "small_genome" / "chr22.fa.gz").is_file()
    again = fetch_ctcf(source=source, chroms=["chr22"], download=False)
    assert len(web.asked) == 2
    np.testing.assert_array_equal(first.X, again.X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chroms": ["chr9", "chr1"]}, r"chromosomes of small_genome: chr21, .*chr9; got chr1\."),
        ({"chroms": "chr9"}, r"got one string\. Pass \['chr9'\]"),
        ({"length": 0}, "length must be a whole number, 1 or more; got 0"),
        ({"random_state": None}, "random_state must be a whole number, 0 or more; got None"),
    ],
)
def test_arguments_are_checked_before_anything_is_fetched(source, web, tmp_path, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fetch_ctcf(source=source, cache_dir=tmp_path, **options)
    assert web.asked == []


def test_the_real_source_is_the_designs():
    """Addresses and MD5 sums as ENCODE and UCSC publish them."""
    files = [CTCF_GM12878.peaks, *CTCF_GM12878.chromosomes.values()]
    names = ["ENCFF796WRU.bed.gz", "chr9.fa.gz", "chr21.fa.gz", "chr22.fa.gz"]
    assert [file.name for file in files] == names
    assert all(file.url.startswith("https://") for file in files)
    assert [file.hash[:8] for file in files] == ["md5:3f36", "md5:f7e9", "md5:184d", "md5:41b4"]


# --- the command ---


@pytest.fixture
def command(source, monkeypatch, capsys):
    def run(*words):
        fetch = console.main(["data", "fetch", *map(str, words)])
        return fetch, capsys.readouterr()

    defaults = {**fetch_ctcf.__kwdefaults__, "source": source}
    monkeypatch.setattr(fetch_ctcf, "__kwdefaults__", defaults)
    return run


def test_the_command_fails_with_one_line_and_then_goes_on_with_that_file(command, web, tmp_path):
    web.faults["chr22.fa.gz"] = [404] * 4
    code, shown = command("--cache", tmp_path)
    assert code == 1
    assert shown.err.startswith("workshop: chr22.fa.gz could not be fetched: http://127.0.0.1:")
    assert shown.err.count("\n") == 1
    web.asked.clear()
    code, shown = command("--cache", tmp_path)
    assert web.asked == ["chr22.fa.gz"]
    assert (code, shown.err) == (0, "")
    assert "chr9: 555 peaks, and as many windows of equal GC content without one" in shown.out
    assert "60 peaks excluded: an unknown base" in shown.out
    assert command("--cache", tmp_path, "--chroms", "chr22")[1].out.startswith("chr22: 138 peaks")
    assert command("--chroms", "chr1")[1].err.startswith("workshop: chroms must be a list of")


def test_ctrl_c_says_that_the_command_goes_on(monkeypatch, capsys):
    def stop(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("workshop.datasets.fetch_ctcf", stop)
    assert console.main(["data", "fetch"]) == 130
    assert capsys.readouterr().err.startswith("workshop: stopped")
