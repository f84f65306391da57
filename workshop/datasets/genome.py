"""FASTA and BED as text, gzipped or not, piece by piece; a bad file is named, never half-read."""

import contextlib
import gzip
import zlib

import pandas as pd

_BLOCK = 2**20  # bytes


def read_lines(path):
    """Yield the lines of a text file, unzipped where its first bytes say gzip.

    Raises ValueError where the file is truncated, corrupt or no text.
    """
    with _opened(path, "rt", encoding="utf-8-sig") as file:
        for line in file:
            yield line.rstrip("\r\n")


@contextlib.contextmanager
def _opened(path, mode, **options):
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if zipped else open)(path, mode, **options) as file:
            yield file
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
        except (ValueError, IndexError) as error:
            raise ValueError(
                f"{path}, line {number}: expected chrom, start and end, separated by tabs; got "
                f"{line[:60]!r}."
            ) from error
        if not 0 <= start < end:
            raise ValueError(
                f"{path}, line {number}: expected 0 <= start < end; got start {start}, end {end}."
            )
        # Column 10 is the summit in a narrowPeak file, another thing in a BED of 12 columns.
        summit = _summit(fields, end - start, f"{path}, line {number}") if len(fields) == 10 else -1
        strand = fields[5] if len(fields) > 5 and fields[5] in ("+", "-") else "+"
        name = fields[3] if len(fields) > 3 and fields[3] not in ("", ".") else ""
        name = name or f"{chrom}:{start}-{end}"
        summit = summit if summit >= 0 else (end - start) // 2
        rows.append((chrom, start, end, strand, name, summit))
    if not rows:
        raise ValueError(f"{path} must hold at least one window; it holds none.")
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand", "name", "summit"])


def _summit(fields, width, where):
    """Summit of a line of a narrowPeak file, from the start; -1 says that there is none."""
    try:
        _, summit = [float(field) for field in fields[6:9]], int(fields[9])
    except ValueError as error:
        raise ValueError(
            f"{where}: 10 columns are a narrowPeak file; expected numbers in columns 7 to 9, and "
            f"the summit, a whole number, in column 10; got {fields[6:]}."
        ) from error
    if not -1 <= summit < width:
        raise ValueError(
            f"{where}: expected the summit, column 10, inside the window, below {width}, or -1 "
            f"where there is none; got {summit}."
        )
    return summit


def read_fasta(path, *, wanted):
    """Upper-case sequences of the `wanted` records, and the names of all records in the file."""
    records, names = {}, []
    for name, seq in stream_fasta(path, wanted=wanted):
        names.append(name)
        if seq is not None:
            records[name] = seq
    return records, names


def stream_fasta(path, *, wanted):
    """Yield the name and the upper-case sequence (bytearray) of each record, one at a time.

    In place of a sequence that is not `wanted` comes None. Of a chromosome nothing is made but its
    bytes, one a base.
    """
    seen, name, seq = set(), None, None
    for block in _blocks(path):
        # Within a sequence a block is taken whole; only where a name may be, line by line.
        for line in block.splitlines() if b">" in block or not seen else [block]:
            if line.startswith(b">"):
                if seen:
                    yield name, seq
                name = (line[1:].decode().split() or [""])[0]
                if name in seen:
                    raise ValueError(
                        f"{path} must name each record differently; two are named {name}. "
                        "Remove one."
                    )
                seen.add(name)
                seq = bytearray() if name in wanted else None
            elif not seen and line.strip():
                raise ValueError(
                    f"{path} must be a FASTA file, starting with '>'; got {line[:40].decode()!r}."
                )
            elif seq is not None:
                seq += _letters(line)
    if not seen:
        raise ValueError(f"{path} must hold at least one FASTA record; it holds none.")
    yield name, seq


def _blocks(path):
    """Yield a text file as bytes, in blocks that end with a line."""
    with _opened(path, "rb") as file:
        block = file.read(_BLOCK).removeprefix(b"\xef\xbb\xbf")  # byte-order mark
        while block:
            block += file.readline()
            block.decode()  # no text: UnicodeDecodeError
            yield block
            block = file.read(_BLOCK)


def _letters(lines):
    """One or more lines without their ends, in upper case."""
    if b" " in lines or b"\t" in lines:
        lines = b"".join(line.strip() for line in lines.splitlines())
    return lines.translate(None, b"\r\n").upper()
