"""Real peaks and real chromosomes, fetched from where they are published."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from workshop.datasets.download import RemoteFile, fetch_file, load_pooch
from workshop.datasets.windows import check_options, different_names, read_peaks


class Source(NamedTuple):
    """Where peaks and the chromosomes beneath them are published; all of one assembly."""

    name: str
    """Folder of its files in the cache."""
    peaks: RemoteFile
    """BED or narrowPeak."""
    chromosomes: Mapping[str, RemoteFile]
    """FASTA, one file a chromosome, by its name in `peaks`."""


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
    """Fetch real CTCF peaks and chromosomes; make a set of peaks and GC-matched negatives.

    Each file is fetched once, with its checksum, into a cache; a download that broke goes on
    where it ended. With the default chromosomes train on chr9, choose on chr21, test on chr22.

    Parameters
    ----------
    chroms : sequence of str
        Chromosomes of `source`; at least as many as parts of the split.
    length : int
        bp of each window, around the summits of the peaks.
    random_state : int
        Chooses the negatives; see `read_peaks`.
    cache_dir : path-like, optional
        By default the folder in the environment variable ``WORKSHOP_CACHE``, or else the
        system's place for caches. Files lie in a folder named after `source`.
    source : Source
        Other peaks or another genome, if you like.
    download : bool
        Whether to fetch what is not in the cache.
    progress : bool
        Show bars on stdout.

    Returns
    -------
    Dataset
        As of `read_peaks`.

    Raises
    ------
    DownloadError
        If a file is neither in the cache nor to be had: offline, moved, another than expected,
        no room on the disk. The message says which, and what to do.
    ValueError
        If a chromosome is not in `source`, or as in `read_peaks`.

    Examples
    --------
    >>> from workshop.splits import split_by_chromosome
    >>> data = fetch_ctcf()  # doctest: +SKIP
    >>> split = split_by_chromosome(
    ...     data.table["chrom"], val_chroms=["chr21"], test_chroms=["chr22"]
    ... )  # doctest: +SKIP
    """
    chroms = different_names(chroms)
    check_options(length=length, random_state=random_state)  # before minutes of downloading
    unknown = [chrom for chrom in chroms if chrom not in source.chromosomes]
    if unknown or not chroms:
        raise ValueError(
            f"chroms must be a list of chromosomes of {source.name}: "
            f"{', '.join(source.chromosomes)}; got {', '.join(map(str, unknown)) or 'none'}."
        )
    files = [source.peaks, *(source.chromosomes[chrom] for chrom in chroms)]
    _check_files(files)
    folder = _cache(cache_dir) / source.name
    bed, *fasta = (
        fetch_file(remote, folder, download=download, progress=progress) for remote in files
    )
    return read_peaks(fasta, bed, length=length, chroms=chroms, random_state=random_state)


def _check_files(files):
    names = [remote.name for remote in files]
    if "" in names or len(set(names)) < len(names):
        raise ValueError(
            f"Addresses of a source must end in file names, each in another; got {names}."
        )
    for remote in files:
        if not re.fullmatch("md5:[0-9a-fA-F]{32}|sha256:[0-9a-fA-F]{64}", remote.hash):
            raise ValueError(
                f"The hash of {remote.name} must be md5: or sha256: and the checksum's digits; got "
                f"{remote.hash!r}."
            )


def _cache(cache_dir):
    chosen = cache_dir or os.environ.get("WORKSHOP_CACHE") or load_pooch().os_cache("workshop")
    return Path(chosen).expanduser()
