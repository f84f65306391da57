"""`datasets.fetch_ctcf` and `workshop data fetch`, from a server on loopback."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.fault_server import FaultServer, Reply
from tests.small_genome import small_source, write_genome
from workshop import __main__ as console
from workshop.datasets import (
    CTCF_GM12878,
    DownloadError,
    RemoteFile,
    Source,
    download,
    fetch_ctcf,
    read_peaks,
    remote,
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
    monkeypatch.setattr(download, "WAITS", (0, 0))
    with FaultServer(folder) as server:
        yield server


@pytest.fixture
def source(folder, web):
    return small_source(folder, web.url("")[:-1])


def test_what_comes_is_what_lies_there(folder, source, tmp_path):
    data = fetch_ctcf(source=source, cache_dir=tmp_path, progress=False)
    fasta = [folder / f"{chrom}.fa.gz" for chrom in ("chr9", "chr21", "chr22")]
    expected = read_peaks(fasta, folder / "peaks.bed.gz")
    np.testing.assert_array_equal(data.X, expected.X)
    pd.testing.assert_frame_equal(data.table, expected.table)


def test_whole_chromosomes_can_be_held_out(source, tmp_path):
    table = fetch_ctcf(source=source, cache_dir=tmp_path, progress=False).table
    split = split_by_chromosome(table["chrom"], val_chroms=["chr21"], test_chroms=["chr22"])
    chroms = [table["chrom"].iloc[part].unique().tolist() for part in split]
    assert chroms == [["chr9"], ["chr21"], ["chr22"]]
    assert all(table["label"].iloc[part].mean() == 0.5 for part in split)


def test_it_is_fetched_once_and_then_read_from_the_cache(source, web, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    first = fetch_ctcf(source=source, chroms=["chr22"], progress=False)
    assert sorted(request.name for request in web.requests) == ["chr22.fa.gz", "peaks.bed.gz"]
    assert (tmp_path / "cache" / "small_genome" / "chr22.fa.gz").is_file()
    again = fetch_ctcf(source=source, chroms=["chr22"], download=False)
    assert len(web.requests) == 2
    np.testing.assert_array_equal(first.X, again.X)


def test_without_download_one_sentence_says_what_brings_it(source, web, tmp_path):
    with pytest.raises(DownloadError) as error:
        fetch_ctcf(source=source, cache_dir=tmp_path / "none", download=False)
    assert str(error.value) == (
        "peaks.bed.gz is not on this computer yet, and nothing is downloaded unasked: "
        "`workshop data fetch` brings it, once."
    )
    assert web.requests == []
    assert not (tmp_path / "none").exists()


def test_a_missing_file_is_named(source, web, tmp_path):
    web.always("chr21.fa.gz", Reply(404))
    with pytest.raises(DownloadError, match=r"chr21\.fa\.gz is not to be had.* 404"):
        fetch_ctcf(source=source, cache_dir=tmp_path, progress=False)
    # What came is kept: only the rest is asked for the next time.
    web.requests.clear()
    web.always("chr21.fa.gz", Reply())
    fetch_ctcf(source=source, cache_dir=tmp_path, progress=False)
    assert sorted(request.name for request in web.requests) == ["chr21.fa.gz", "chr22.fa.gz"]


@pytest.mark.parametrize(
    ("chroms", "came"), [(["chr9", "chr1"], "chr1"), ([], "none"), (iter(["chrX"]), "chrX")]
)
def test_chromosomes_that_are_not_there(chroms, came):
    with pytest.raises(ValueError, match=rf"chr9, chr21, chr22; got {came}\."):
        fetch_ctcf(chroms=chroms)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chroms": "chr9"}, r"got one string\. Pass \['chr9'\]"),
        ({"chroms": ["chr9", "chr9"]}, "chroms must name each chromosome once; got chr9, chr9"),
        ({"length": 0}, "length must be a whole number, 1 or more; got 0"),
        ({"random_state": None}, "random_state must be a whole number, 0 or more; got None"),
    ],
)
def test_arguments_are_checked_before_anything_is_fetched(source, web, tmp_path, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fetch_ctcf(source=source, cache_dir=tmp_path, **options)
    assert web.requests == []


def test_chromosomes_from_a_generator(source, tmp_path):
    chroms = (chrom for chrom in ["chr22"])
    table = fetch_ctcf(source=source, cache_dir=tmp_path, chroms=chroms, progress=False).table
    assert set(table["chrom"]) == {"chr22"}


@pytest.mark.parametrize(
    ("chr9", "message"),
    [
        (
            RemoteFile("http://a/peaks.bed.gz", GOOD),
            r"each in another; got \['peaks\.bed\.gz', 'pe",
        ),
        (RemoteFile("http://a/chr9/", GOOD), r"must end in file names"),
        (
            RemoteFile("http://a/chr9.fa", GOOD[4:]),
            r"hash of chr9\.fa must be md5: or sha256:.*'ab",
        ),
        (
            RemoteFile("http://a/chr9.fa", "crc32:abab"),
            r"must be md5: or sha256:.*got 'crc32:abab'",
        ),
    ],
)
def test_a_source_that_cannot_be_kept_apart_or_checked(chr9, message):
    source = Source("mine", RemoteFile("http://a/peaks.bed.gz", GOOD), {"chr9": chr9})
    with pytest.raises(ValueError, match=message):
        fetch_ctcf(source=source, chroms=["chr9"])


def test_a_tilde_is_the_users_home(source, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    fetch_ctcf(source=source, chroms=["chr22"], cache_dir="~/cache", progress=False)
    assert (tmp_path / "home" / "cache" / "small_genome" / "chr22.fa.gz").is_file()
    assert not (tmp_path / "~").exists()


def test_importing_datasets_loads_nothing_that_downloads():
    code = "import sys, workshop.datasets; print(*{'pooch', 'requests', 'tqdm'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_the_real_source_is_the_designs():
    """Addresses and MD5 sums as ENCODE and UCSC publish them."""
    files = [CTCF_GM12878.peaks, *CTCF_GM12878.chromosomes.values()]
    assert [file.name for file in files] == [
        "ENCFF796WRU.bed.gz",
        "chr9.fa.gz",
        "chr21.fa.gz",
        "chr22.fa.gz",
    ]
    assert all(file.url.startswith("https://") for file in files)
    assert {file.hash[:8] for file in files} == {"md5:3f36", "md5:f7e9", "md5:184d", "md5:41b4"}
    assert all(len(file.hash) == len("md5:") + 32 for file in files)


# --- the command ---


@pytest.fixture
def command(source, monkeypatch, capsys):
    def run(*words):
        fetch = console.main(["data", "fetch", *map(str, words)])
        return fetch, capsys.readouterr()

    defaults = {**remote.fetch_ctcf.__kwdefaults__, "source": source}
    monkeypatch.setattr(remote.fetch_ctcf, "__kwdefaults__", defaults)
    return run


def test_the_command_says_what_is_there_now(command, tmp_path):
    code, shown = command("--cache", tmp_path)
    assert code == 0
    assert "chr9: 555 peaks, and as many windows of equal GC content without one" in shown.out
    assert "60 peaks left out: an unknown base" in shown.out
    assert shown.err == ""
    assert command("--cache", tmp_path, "--chroms", "chr22")[1].out.startswith("chr22: 138 peaks")


def test_the_command_fails_with_one_line(command, web, tmp_path):
    web.always("chr22.fa.gz", Reply(404))
    code, shown = command("--cache", tmp_path, "--chroms", "chr22")
    assert code == 1
    assert shown.err.startswith("workshop: http://127.0.0.1:")
    assert shown.err.count("\n") == 1
    assert command("--chroms", "chr1")[1].err.startswith("workshop: chroms must be a list of")


def test_ctrl_c_says_that_the_command_goes_on(monkeypatch, capsys):
    def stop(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("workshop.datasets.fetch_ctcf", stop)
    assert console.main(["data", "fetch"]) == 130
    assert capsys.readouterr().err.startswith("workshop: stopped")
