"""A small genome with CTCF motifs on both strands, its peaks, and where to fetch them."""

import gzip
from pathlib import Path

import numpy as np

from workshop._files import sha256
from workshop.datasets import RemoteFile, Source
from workshop.motifs import load_motif

BASES = np.frombuffer(b"ACGT", np.uint8)
LENGTHS = {"chr9": 4_000_000, "chr21": 1_000_000, "chr22": 1_000_000}
PEAKS = {"chr9": 600, "chr21": 150, "chr22": 150}


def write_genome(folder, *, lengths=LENGTHS, n_peaks=PEAKS, random_state=0):
    """Write ``chrN.fa.gz`` and ``peaks.bed.gz`` into `folder`; return the letters by chromosome.

    GC content wanders along each chromosome, as a real one's does; its ends and a gap in the middle
    are N. Each peak has one motif instance, drawn from MA0139.1, around its summit, and wanders
    in size; half of the motifs lie on the reverse strand.
    """
    rng = np.random.default_rng(random_state)
    motif = load_motif("MA0139.1").probabilities()  # (19, 4)
    genome, rows = {}, []
    for chrom, size in lengths.items():
        letters = BASES[_background(size, rng)]
        place = size // n_peaks[chrom]
        for i in range(n_peaks[chrom]):
            summit = i * place + int(rng.integers(place // 4, place // 2))
            site = BASES[[rng.choice(4, p=column) for column in motif]]
            if rng.random() < 0.5:
                site = np.frombuffer(bytes(site).translate(_COMPLEMENT)[::-1], np.uint8)
            letters[summit - 9 : summit + 10] = site
            left, right = rng.integers(80, min(300, place // 4), 2)
            rows.append((chrom, summit - left, summit + right, left))
        letters[: size // 40] = letters[-size // 40 :] = ord("N")
        letters[size // 2 : size // 2 + size // 40] = ord("N")
        lower = rng.integers(0, size, size // 2000)  # soft-masked repeats
        for start in lower:
            letters[start : start + 300] |= 0x20
        genome[chrom] = bytes(letters).decode()
        _gzip(Path(folder) / f"{chrom}.fa.gz", _fasta(chrom, bytes(letters)))
    bed = "".join(
        f"{chrom}\t{start}\t{end}\t.\t900\t.\t8.1\t-1\t4.2\t{summit}\n"
        for chrom, start, end, summit in rows
    )
    _gzip(Path(folder) / "peaks.bed.gz", bed.encode())
    return genome


def small_source(folder, address):
    """The `Source` of the files that `write_genome` wrote to `folder`, served at `address`."""

    def remote(path):
        return RemoteFile(f"{address}/{path.name}", f"sha256:{sha256(path)}")

    chromosomes = {path.name.split(".")[0]: remote(path) for path in sorted(folder.glob("*.fa.gz"))}
    return Source("small_genome", remote(folder / "peaks.bed.gz"), chromosomes)


_COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")


def _background(size, rng):
    """Letter codes whose GC content changes every 5 kb, between 35 and 65 %."""
    gc = np.repeat(rng.uniform(0.35, 0.65, size // 5000 + 1), 5000)[:size]
    is_gc = rng.random(size) < gc
    one = rng.random(size) < 0.5
    return np.where(is_gc, np.where(one, 1, 2), np.where(one, 0, 3))  # C or G, A or T


def _fasta(name, letters, width=60):
    lines = [letters[i : i + width] for i in range(0, len(letters), width)]
    return b"\n".join([b">" + name.encode(), *lines, b""])


def _gzip(path, content):
    path.write_bytes(gzip.compress(content, 1, mtime=0))
