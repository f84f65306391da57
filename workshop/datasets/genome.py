"""FASTA and BED by a strict grammar: what is not in it is an error that names file and line.

Biopython drops blanks within a sequence and takes ``>``, digits and ``*`` for bases; pandas takes
any strand. One letter too many shifts each window behind it, and nothing looks wrong.
"""

import re

import pandas as pd

from workshop._files import read_lines

_HEADER = re.compile(r"#|(track|browser)(\s(?!\d+\t\d)|$)")  # a chromosome may be called track1
_BASES = b"ACGTUNRYSWKMBDHVX"  # IUPAC's, and X for what is masked
_COLUMNS = ["chrom", "start", "end", "name", "score", "strand", "", "", "", "summit"]
GRAMMAR = {  # how a field of each column looks, also in words; of any other nothing is asked
    "chrom": (r"[!#-&(-~]+", "a name without blanks and quotes (in R: quote=FALSE)"),
    "start": (r"\d{1,18}", "a whole number (a line of column names begins with #)"),
    "end": (r"\d{1,18}", "a whole number"),
    "strand": (r"[-+.*]", "+ or -, or . (in R *) for unknown,"),
    "summit": (r"-1|\d{1,18}", "a whole number, or -1 where there is none,"),
}


def broken_rule(grammar, columns, fields):
    """What `grammar` expects where a field of a line breaks it; "" if none does."""
    for column, field in zip(columns, fields, strict=False):
        pattern, words = grammar.get(column, (".*", ""))
        if not re.fullmatch(pattern, field, re.ASCII):
            return f"{words} as {column}, not {field[:40]!r}"
    return ""


def read_bed(path):
    """Windows of a BED or narrowPeak file: chrom, start, end, strand, name, summit, line.

    The summit counts from the start; it is the middle where the file names none.
    """
    rows, width = [], 0
    for number, line in read_lines(path):
        if not line.strip(" \t") or _HEADER.match(line):
            continue
        width = width or line.count("\t")
        try:
            rows.append((*_parse_window(line, width), number))
        except ValueError as rule:
            where = f"{path}, line {number}"
            raise ValueError(f"{where}: expected {rule}; got {line[:80]!r}.") from None
    if not rows:
        raise ValueError(f"{path} must hold at least one window; it holds none.")
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand", "name", "summit", "line"])


def _parse_window(line, n_tabs):
    fields = line.rstrip(" \t").split("\t")  # what is blank at its end is no column
    n = len(fields)
    if n < 3 or line.count("\t") != n_tabs:
        raise ValueError("chrom, start, end, separated by tabs, and as many columns in each line")
    # Column 10 is the summit in a narrowPeak file, another thing in a BED of 12 columns.
    if n > 12 or n == 11 or (n == 10) != (n_tabs in (9, 10)):
        raise ValueError(f"3 to 9 or 12 columns (BED) or 10, with summits (narrowPeak), not {n}")
    if broken := broken_rule(GRAMMAR, _COLUMNS[: n if n == 10 else 6], fields):
        raise ValueError(broken)
    chrom, start, end = fields[0], int(fields[1]), int(fields[2])
    summit = int(fields[9]) if n == 10 else -1
    if not max(summit, 0) < end - start:
        raise ValueError("start < end, and a summit between them, counted from the start")
    name = fields[3] if n > 3 and fields[3] not in ("", ".") else f"{chrom}:{start}-{end}"
    strand = "-" if fields[5:6] == ["-"] else "+"
    return chrom, start, end, strand, name, (end - start) // 2 if summit == -1 else summit


def read_records(path, *, wanted=None):
    """Yield line, name and sequence of each FASTA record, one at a time.

    A sequence is a bytearray in upper case: of a chromosome nothing is made but a byte a base. It
    is None unless it is `wanted(name)`.
    """
    names, record, seq = set(), None, None
    for number, line in read_lines(path):
        expected = ""
        if line.startswith(">"):
            if record:
                yield _whole_record(path, *record, seq)
            name, about, *_ = *line[1:].split(None, 1), "", ""
            if not name or name in names:
                expected = "'>' and a new name, without a blank between them"
            names.add(name)
            record = number, name, about if wanted else ""
            seq = bytearray() if wanted is None or wanted(name) else None
        elif bases := line.rstrip(" \t").encode().upper():
            if not record:
                expected = "'>' and a name"
            elif other := bases.translate(None, _BASES).decode():
                joined = " (were two files joined without a line end?)" if ">" in line else ""
                expected = f"letters of bases only, not {other[:1]!r}{joined}"
            elif seq is not None:
                seq += bases
        if expected:
            raise ValueError(f"{path}, line {number}: expected {expected}; got {line[:60]!r}.")
    if not record:
        raise ValueError(f"{path} must hold at least one FASTA record; it holds none.")
    yield _whole_record(path, *record, seq)


def _whole_record(path, line, name, about, seq):
    """The record without what is said about it: Ensembl and UCSC say there that it is a slice."""
    place = re.search(rf"(?:^|[\s:=]){re.escape(name)}:(\d+)[-:](\d+)", about, re.ASCII)
    first, last = map(int, place.groups()) if place else (1, 0)
    # Ensembl's chromosome Y says where it differs from X, and is longer than that.
    if seq is not None and first > 1 and len(seq) <= last - first + 1:
        got = f"got a slice of it, from base {first} on"
        raise ValueError(f"{path}, line {line}: expected the whole of {name}; {got}.")
    return line, name, seq


def parse_name(name):
    """chrom, start, end and strand in the name of a record, or None where they are not there.

    `bedtools getfasta` names windows so: with -name after name::, with -s before (strand).
    """
    place = r"(?:.*::)?(.+):(\d{1,18})-(\d{1,18})(?:\((?:(-)|[+.]?)\))?"
    found = re.fullmatch(place, name, re.ASCII)
    return found and (found[1], int(found[2]), int(found[3]), found[4] or "+")
