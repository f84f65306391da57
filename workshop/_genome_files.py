"""FASTA and BED as text, line by line, gzipped or not; a bad file is named, never half-read."""

import gzip
import zlib

import pandas as pd


def read_lines(path):
    """Yield the lines of a text file, unzipped where its first bytes say gzip.

    Raises ValueError where the file is truncated, corrupt or no text.
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if zipped else open)(path, "rt", encoding="utf-8-sig") as file:
            for line in file:
                yield line.rstrip("\r\n")
    except EOFError as error:
        raise ValueError(
            f"{path} is truncated: it ends before its gzip data does. Fetch it again."
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path} is corrupt: its gzip data cannot be read ({error}). Fetch it again."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must be a text file, gzipped or not; it holds other bytes, and was not read."
        ) from error


def read_bed(path):
    """Windows of a BED or narrowPeak file: chrom, start, end, strand, name, summit (from start)."""
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        fields = line.split("\t")
        try:
            chrom, start, end = fields[0], int(fields[1]), int(fields[2])
            # Column 10 is the summit in a narrowPeak file, another thing in a BED of 12 columns.
            summit = int(fields[9]) if len(fields) == 10 else -1  # -1: "no summit"
        except (ValueError, IndexError) as error:
            raise ValueError(
                f"{path}, line {number}: expected chrom, start and end, separated by tabs; got "
                f"{line[:60]!r}."
            ) from error
        if not 0 <= start < end:
            raise ValueError(
                f"{path}, line {number}: expected 0 <= start < end; got start {start}, end {end}."
            )
        if summit >= end - start:
            raise ValueError(
                f"{path}, line {number}: expected the summit, column 10, inside the window, below "
                f"{end - start}; got {summit}."
            )
        strand = fields[5] if len(fields) > 5 and fields[5] in ("+", "-") else "+"
        name = fields[3] if len(fields) > 3 and fields[3] not in ("", ".") else ""
        name = name or f"{chrom}:{start}-{end}"
        summit = summit if summit >= 0 else (end - start) // 2
        rows.append((chrom, start, end, strand, name, summit))
    if not rows:
        raise ValueError(f"{path} must hold at least one window; it holds none.")
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand", "name", "summit"])


def read_fasta(path, *, wanted):
    """Upper-case sequences of the `wanted` records, and the names of all records in the file."""
    records, names, lines = {}, [], None
    for line in read_lines(path):
        if line.startswith(">"):
            names.append((line[1:].split() or [""])[0])
            lines = records.setdefault(names[-1], []) if names[-1] in wanted else None
        elif not names and line.strip():
            raise ValueError(f"{path} must be a FASTA file, starting with '>'; got {line[:40]!r}.")
        elif lines is not None:
            lines.append(line.strip())
    if not names:
        raise ValueError(f"{path} must hold at least one FASTA record; it holds none.")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(
            f"{path} must name each record differently; two are named {twice}. Remove one."
        )
    return {name: "".join(lines).upper() for name, lines in records.items()}, names
