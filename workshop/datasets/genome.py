"""FASTA and BED, text files, gzipped or not: read line by line; a bad line is named."""

import gzip
import zlib

import pandas as pd


def read_lines(path):
    """Yield the lines of a text file, unzipped where its first bytes say gzip."""
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if zipped else open)(path, "rt", encoding="utf-8-sig") as file:
            for line in file:
                yield line.rstrip("\r\n")
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} must be a text file, gzipped or not, and whole; reading it failed: {error}. "
            "Fetch it again."
        ) from error


def read_bed(path):
    """Windows of a BED or narrowPeak file: chrom, start, end, strand, name, summit (from start)."""
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        try:
            rows.append(_parse_window(line.split("\t")))
        except (ValueError, IndexError) as error:
            raise ValueError(
                f"{path}, line {number}: expected chrom, start and end, 0 <= start < end, "
                "separated by tabs; the last of 10 columns (narrowPeak) is the summit, from the "
                f"start, or -1 where there is none; got {line[:80]!r}."
            ) from error
    if not rows:
        raise ValueError(f"{path} must hold at least one window; it holds none.")
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand", "name", "summit"])


def _parse_window(fields):
    chrom, start, end = fields[0], int(fields[1]), int(fields[2])
    # Column 10 is the summit in a narrowPeak file, another thing in a BED of 12 columns.
    summit = int(fields[9]) if len(fields) == 10 else -1
    if not (0 <= start < end and -1 <= summit < end - start):
        raise ValueError
    summit = (end - start) // 2 if summit == -1 else summit
    name = fields[3] if len(fields) > 3 and fields[3] not in ("", ".") else f"{chrom}:{start}-{end}"
    strand = "-" if len(fields) > 5 and fields[5] == "-" else "+"
    return chrom, start, end, strand, name, summit


def read_records(path, *, wanted):
    """Yield name and sequence of each FASTA record, one at a time; None if not in `wanted`.

    A sequence is a bytearray in upper case: of a chromosome nothing is made but a byte a base.
    """
    seen, name, seq = set(), None, None
    for number, line in enumerate(read_lines(path), start=1):
        if line.startswith(">"):
            if seen:
                yield name, seq
            name = (line[1:].split() or [""])[0]
            if name in seen:
                raise ValueError(f"{path}, line {number}: expected a new name; got {name} again.")
            seen.add(name)
            seq = bytearray() if name in wanted else None
        elif not seen and line.strip():
            raise ValueError(f"{path}, line {number}: expected '>' and a name; got {line[:40]!r}.")
        elif seq is not None:
            seq += line.strip().upper().encode()
    if not seen:
        raise ValueError(f"{path} must hold at least one FASTA record; it holds none.")
    yield name, seq
