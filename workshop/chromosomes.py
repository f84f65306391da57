"""Names of chromosomes: one identity for each, however a file spells it, and their order."""

import re

import pandas as pd

_NO_NAME = re.compile(r"|NA[NT]?|N/A|<NA>|NONE|NULL|UNKNOWN|TRUE|FALSE|[.*?]|-.*")
_CONTIG = re.compile(r"_(.+_)?(ALT|RANDOM|FIX|HAP\d*)$")
# Of any chromosome: HLA, Ensembl's alternatives and patches, GenBank's contigs (CM: chromosomes).
UNPLACED = re.compile(r"UN(_|$)|HLA-|HSCHR|HG\d.*_PATCH|(?!CM)([A-Z]{2,6}|N[TW]_)\d{6}")


def normal_name(text):
    """Name without blanks, case, chr and what tables of numbers add: 1 for ' chr1', 01 and 1.0."""
    name = re.sub(r"^CHR(OM(OSOME)?)?_?", "", "".join(text.split()).upper())
    name = re.sub(r"^0+(?=\d)|\.0$", "", name)
    return "M" if name == "MT" else name


def chromosome_of(text):
    """Normal name of the chromosome that a contig belongs to: 1 for chr1_KI270706v1_random."""
    return _CONTIG.sub("", normal_name(text))


def natural_order(chrom):
    """Sort key of a chromosome's name: chr2 before chr10 before chrX."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(chrom))]


def names_by_spelling(chroms, argument, identity):
    """Series of each name as `identity` gives it; its index is the names as they are spelled."""
    if isinstance(chroms, (str, bytes)) or not hasattr(chroms, "__iter__"):
        kind = "string" if isinstance(chroms, str) else type(chroms).__name__
        raise TypeError(f"{argument} must be a list; got one {kind}. Pass [{chroms!r}].")
    spelled = [one.decode() if isinstance(one, bytes) else str(one) for one in chroms]
    identities = {text: identity(text) for text in set(spelled)}
    for row, text in enumerate(spelled):
        if _NO_NAME.fullmatch(identities[text]):
            raise ValueError(f"{argument} must hold names; got {text!r} in row {row}.")
    return pd.Series([identities[text] for text in spelled], spelled, dtype=object)
