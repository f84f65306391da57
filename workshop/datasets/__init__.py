"""The data: shipped, simulated, from your FASTA and BED files, or fetched from the web.

Every loader returns a `Dataset`; no other module of the library reads sequences from a file.
Files are plain text, parsed line by line: nothing in a data file can be executed.
"""

from workshop._files import shipped_file
from workshop.datasets.dataset import Dataset, read_dataset, write_dataset
from workshop.datasets.peaks import read_peaks
from workshop.datasets.remote import CTCF_GM12878, DownloadError, RemoteFile, Source, fetch_ctcf
from workshop.datasets.simulation import simulate_ctcf
from workshop.datasets.windows import read_fasta, read_windows

__all__ = [
    "CTCF_GM12878",
    "Dataset",
    "DownloadError",
    "RemoteFile",
    "Source",
    "fetch_ctcf",
    "load_ctcf",
    "load_real_ctcf",
    "read_dataset",
    "read_fasta",
    "read_peaks",
    "read_windows",
    "simulate_ctcf",
    "write_dataset",
]


def load_ctcf():
    """Load the course's shipped set: 5,000 simulated sequences of 200 bp.

    Half hold one or two CTCF motif instances; `simulate_ctcf` with its defaults made it.

    Returns
    -------
    Dataset
        X (5000, 200, 4), y (5000, 1).

    Examples
    --------
    >>> data = load_ctcf()
    >>> data.X.shape, data.y.shape, float(data.y.mean())
    ((5000, 200, 4), (5000, 1), 0.5)
    """
    return read_dataset(shipped_file("ctcf_simulated.tsv.gz"))


def load_real_ctcf():
    """Load 500 real CTCF peaks: GM12878 cells, 200 bp, hg19 coordinates; positives only.

    ENCODE data (doi:10.1038/s41586-020-2493-4) as packaged in gimmemotifs 0.18.4.

    Returns
    -------
    Dataset
        X (500, 200, 4), y (500, 1), all ones.

    Examples
    --------
    >>> load_real_ctcf().X.shape
    (500, 200, 4)
    """
    fasta = shipped_file("ctcf_gm12878_top500_hg19.fa")
    return read_windows(fasta, shipped_file("ctcf_gm12878_top500_hg19.bed"))
