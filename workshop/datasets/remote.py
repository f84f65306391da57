"""Real peaks and real chromosomes, fetched from where they are published: pooch does the work."""

import os
import sys
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from workshop._checks import check_distinct_names, whole_number
from workshop.datasets.peaks import read_peaks


class RemoteFile(NamedTuple):
    """A file in the web that cannot be mistaken for another.

    >>> RemoteFile("https://example.org/a/chr9.fa.gz", "md5:184d").name
    'chr9.fa.gz'
    """

    url: str  #: where it is
    hash: str  #: its checksum and the algorithm, ``"md5:..."`` or ``"sha256:..."``, in hexadecimal

    @property
    def name(self):
        """Last part of the address: the file's name here."""
        return urlsplit(self.url).path.rsplit("/", 1)[-1]


class Source(NamedTuple):
    """Where peaks and the chromosomes beneath them are published; all of one assembly."""

    name: str  #: folder of its files in the cache
    peaks: RemoteFile  #: BED or narrowPeak
    chromosomes: Mapping[str, RemoteFile]  #: FASTA, a file a chromosome, by its name in `peaks`


class DownloadError(OSError):
    """A file could not be fetched; the message says why, and what to do."""


_UCSC = "https://hgdownload.soe.ucsc.edu/goldenPath/hg38/chromosomes"

CTCF_GM12878 = Source(
    name="ctcf_gm12878_hg38",
    peaks=RemoteFile(
        "https://www.encodeproject.org/files/ENCFF796WRU/@@download/ENCFF796WRU.bed.gz",
        "md5:3f36655eb9a421a542ff031fc7b5e9aa",
    ),
    chromosomes={
        "chr9": RemoteFile(f"{_UCSC}/chr9.fa.gz", "md5:f7e98217b35f5a7451f1166196b4b33c"),
        "chr21": RemoteFile(f"{_UCSC}/chr21.fa.gz", "md5:184df2bd9b812b6e6b6da16c6021369e"),
        "chr22": RemoteFile(f"{_UCSC}/chr22.fa.gz", "md5:41b47ce1cc21b558409c19b892e1c0d1"),
    },
)
"""CTCF in GM12878 cells, ENCODE's ENCFF796WRU (IDR, conservative; doi:10.1038/s41586-020-2493-4),
and three chromosomes of GRCh38 from UCSC: 63 MB in all."""


def fetch_ctcf(
    *,
    chroms=("chr9", "chr21", "chr22"),
    length=200,
    random_state=0,
    cache_dir=None,
    source=CTCF_GM12878,
    download=True,
    progress=True,
):
    """Fetch real CTCF peaks and chromosomes; make a `Dataset` of them by `read_peaks`.

    Each file is fetched once, with its checksum, into a cache; it is there whole or not at all.
    With the default chromosomes train on chr9, choose on chr21, test on chr22.

    Parameters
    ----------
    chroms : sequence of str
        Chromosomes of `source`; at least as many as parts of the split.
    length : int
        bp of each window, around the summits of the peaks.
    random_state : int
        Chooses the negatives; see `read_peaks`.
    cache_dir : path-like, optional
        By default what the environment variable ``WORKSHOP_CACHE`` names, or else the system's
        place for caches.
    source : Source
        Other peaks or another genome, if you like.
    download : bool
        Whether to fetch what is not in the cache.
    progress : bool
        Show bars on stdout.

    Raises
    ------
    DownloadError
        If a file is neither in the cache nor to be had: offline, moved, another than expected,
        no room on the disk. The message says which, and what to do.

    Examples
    --------
    >>> data = fetch_ctcf(chroms=["chr21", "chr22"])  # doctest: +SKIP
    """
    chroms = check_distinct_names(chroms, "chroms")
    whole_number(length, "length")  # now, not after minutes of downloading
    whole_number(random_state, "random_state", least=0)
    unknown = [chrom for chrom in chroms if chrom not in source.chromosomes]
    if unknown or not chroms:
        raise ValueError(
            f"chroms must be a list of chromosomes of {source.name}: "
            f"{', '.join(source.chromosomes)}; got {', '.join(unknown) or 'none'}."
        )
    files = [source.peaks, *(source.chromosomes[chrom] for chrom in chroms)]
    cache = cache_dir or os.environ.get("WORKSHOP_CACHE") or _load_pooch().os_cache("workshop")
    folder = Path(cache).expanduser() / source.name
    bed, *fasta = _fetch(files, folder, download=download, progress=progress)
    return read_peaks(fasta, bed, length=length, chroms=chroms, random_state=random_state)


def _fetch(files, folder, *, download, progress):
    """Paths of `files` in `folder`, their checksums compared."""
    pooch = _load_pooch()
    registry = {remote.name: remote.hash for remote in files}
    urls = {remote.name: remote.url for remote in files}
    fetcher = pooch.create(folder, "", registry=registry, urls=urls, retry_if_failed=3)
    paths = []
    for remote in files:
        if not download and not _is_there(remote, folder):
            raise DownloadError(
                f"{remote.name} is not on this computer yet, and nothing is downloaded unasked: "
                "`workshop data fetch` brings it, once."
            )
        try:
            paths.append(fetcher.fetch(remote.name, downloader=partial(_download, progress)))
        except (OSError, ValueError) as problem:
            reason = _explain(problem, remote, folder)
            raise DownloadError(f"{remote.name} could not be fetched: {reason}") from problem
    return paths


def _explain(problem, remote, folder):
    """Why pooch gave up, and what to do."""
    import requests

    newest = "if it stays so, get the newest version of the course."
    if isinstance(problem, requests.HTTPError):
        answer = f"{problem.response.status_code} {problem.response.reason}"
        return f"{remote.url} answers {answer}. Try again later; {newest}"
    if isinstance(problem, requests.RequestException):
        host, kind = urlsplit(remote.url).hostname, type(problem).__name__
        return f"{host} gave no full answer ({kind}). Is this computer offline? Connect and retry."
    if isinstance(problem, ValueError):
        return (
            f"{remote.url} gave another file than the course expects, {remote.hash}, and it was "
            "thrown away. Perhaps a login page of the network came instead: open any page in a "
            f"browser; {newest}"
        )
    return (
        f"it cannot be kept in {folder}: {problem.strerror or problem}. Make room, or name another "
        "folder: cache_dir=, or the environment variable WORKSHOP_CACHE."
    )


def _download(progress, url, output_file, fetcher):
    """One try to fetch a file, for pooch, with a bar on stdout."""
    from tqdm import tqdm

    shown = {"unit": "B", "unit_scale": True, "file": sys.stdout, "disable": not progress}
    with tqdm(desc=RemoteFile(url, "").name, total=1, **shown) as bar:  # pooch sets the total
        _load_pooch().HTTPDownloader(
            progressbar=bar,
            chunk_size=2**16,
            timeout=(10, 30),  # seconds to connect, and without a single byte
            headers={"Accept-Encoding": "identity"},  # the checksum is that of the .gz
        )(url, output_file, fetcher)
    Path(output_file).chmod(0o644)  # pooch's temporary file is one user's; a class may share it


def _is_there(remote, folder):
    path, (algorithm, digest) = folder / remote.name, remote.hash.split(":")
    return path.is_file() and _load_pooch().file_hash(path, alg=algorithm) == digest.lower()


def _load_pooch():
    """Import pooch, which takes a while, only where something is fetched; hush its log."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")  # a bar not used here
        import pooch
    pooch.get_logger().setLevel("WARNING")  # a notebook shows stderr in red
    return pooch
