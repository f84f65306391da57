"""The sets that the course ships."""

from workshop._files import shipped_file
from workshop.datasets.dataset import read_dataset
from workshop.datasets.windows import read_windows


def load_ctcf():
    """Load the course's shipped `Dataset`: 5,000 simulated sequences of 200 bp.

    Half hold one or two CTCF motif instances; `simulate_ctcf` with its defaults made it.

    >>> data = load_ctcf()
    >>> data.X.shape, data.y.shape, float(data.y.mean())
    ((5000, 200, 4), (5000, 1), 0.5)
    """
    return read_dataset(shipped_file("ctcf_simulated.tsv.gz"))


def load_real_ctcf():
    """Load 500 real CTCF peaks, a `Dataset`: GM12878 cells, 200 bp, hg19; positives only.

    ENCODE data (doi:10.1038/s41586-020-2493-4) as packaged in gimmemotifs 0.18.4.

    >>> load_real_ctcf().X.shape
    (500, 200, 4)
    """
    fasta = shipped_file("ctcf_gm12878_top500_hg19.fa")
    return read_windows(fasta, shipped_file("ctcf_gm12878_top500_hg19.bed"))
