"""Give the course another address: repository and tag are rewritten everywhere, and nothing runs.

    python notebooks/address.py https://github.com/OWNER/NAME REF     (or: make address)

pyproject.toml is the one place where the address is written. What repeats it is written anew: the
badges in README.md, CITATION.cff, and in the notebooks the badges and the setup cell; all outputs
stay. A notebook must be what its source makes, or its outputs may be another code's: then nothing
is written.
"""

import argparse
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import nbformat

from notebooks import build
from workshop._files import whole_file, write_whole

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- badges: `make address` writes them -->", "<!-- end of badges -->"


class HalfWrittenError(Exception):
    """Some files have the new address, the others the old one; the message says which."""


def check_address(address):
    """Raise ValueError unless an address has the form that badges and setup cells can carry.

    A ref may hold fewer characters than git allows: no others need quoting in a setup cell.
    """
    owner, name = r"(?!_)\w[\w-]*(?<![_-])", r"(?!\.)[\w.-]+(?<!\.)(?<!\.(?i:git))"
    if not re.fullmatch(f"https://github\\.com/{owner}/{name}", address.repository, re.ASCII):
        raise ValueError(
            "REPOSITORY must be https://github.com/OWNER/NAME, without .git, a dot or a slash at "
            f"its end; got {address.repository!r}."
        )
    part = r"\w(?:[\w-]|\.(?!\.))*(?<!\.)(?<!\.lock)"
    if address.ref == "HEAD" or not re.fullmatch(f"{part}(?:/{part})*", address.ref, re.ASCII):
        raise ValueError(
            "REF must be the name of a branch or tag, not HEAD, made of letters, digits and "
            f". _ - /, such as spring-1; got {address.ref!r}."
        )


def readme_badges(address):
    """The badges of README.md, with the comments that enclose them."""
    paragraphs = []
    for name in build.NAMES:
        day = f"Day {name.removeprefix('day')}"
        found = build.badges(address, build.notebook_path(name, "student"), text=f"Open {day}")
        paragraphs.append(f"**{day}**\n{found}\n")
    return "\n".join([BEGIN, *paragraphs, END])


def rewritten(root, address):
    """What the files that name the address hold when it is `address`.

    Parameters
    ----------
    root : pathlib.Path
        The repository's folder.
    address : build.Address

    Returns
    -------
    dict of str to str
        Path from `root`: whole text.

    Raises
    ------
    ValueError
        If `address` is none, a notebook is not what its source makes, or a file does not have
        exactly one place for the address.
    """
    check_address(address)
    names = build.sources(root)
    if set(names) != set(build.NAMES):
        raise ValueError(f"notebooks/src must have a source for each of {[*build.NAMES]}.")
    wrong = build.out_of_step(root, names)
    if wrong:
        raise ValueError("\n".join([*wrong, "Run make notebooks first, then this again."]))
    places = {
        "pyproject.toml": {
            '^Repository = ".*"$': f'Repository = "{address.repository}"',
            '^ref = ".*"$': f'ref = "{address.ref}"',
        },
        "CITATION.cff": {"^repository-code: .*$": f"repository-code: {address.repository}"},
        "README.md": {f"^{re.escape(BEGIN)}$(?s:.*)^{END}$": readme_badges(address)},
    }
    texts = {}
    for path, lines in places.items():
        texts[path] = (root / path).read_text(encoding="utf-8")
        for pattern, line in lines.items():
            texts[path] = _replace_once(texts[path], pattern, line, path)
    for name in names:
        for audience in build.AUDIENCES:
            path = build.notebook_path(name, audience)
            notebook = build.generate_from(root, name, audience, address)
            committed = nbformat.read(root / path, as_version=4)
            for cell, old in zip(notebook.cells, committed.cells, strict=True):
                if cell.cell_type == "code":
                    cell.update(execution_count=old.execution_count, outputs=old.outputs)
            texts[path] = build.as_text(notebook)
    return texts


def _replace_once(text, pattern, line, path):
    text, count = re.subn(pattern, lambda _: line, text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(
            f"{path} must have {pattern} once, to be replaced; it has it {count} times."
        )
    return text


def rewrite(root, address):
    """Write the files that change, all or none; return their paths.

    Raises
    ------
    ValueError, OSError
        If it cannot be done; each file is then as it was.
    HalfWrittenError
        If that cannot be done either.
    """
    new = {path: text.encode() for path, text in rewritten(root, address).items()}
    old = {path: (root / path).read_bytes() for path in new}
    changed = [path for path in new if new[path] != old[path]]
    try:
        with ExitStack() as files:  # renames them when all have been written
            for path in changed:
                files.enter_context(whole_file(root / path)).write_bytes(new[path])
    except BaseException:  # Ctrl-C as well
        _put_back(root, {path: old[path] for path in changed})
        raise
    return changed


def _put_back(root, old):
    lost = []
    for path, content in old.items():
        try:
            if (root / path).read_bytes() != content:
                write_whole(root / path, content)
        except OSError:
            lost.append(path)
    if lost:
        raise HalfWrittenError(
            f"The new address stayed in {', '.join(lost)}; all other files are as they were. "
            "git diff shows what to put back."
        )


def main(argv=None, *, root=ROOT):
    """Rewrite the address; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", metavar="REPOSITORY", help="https://github.com/OWNER/NAME")
    parser.add_argument("ref", metavar="REF", help="a branch, or the tag that you will make")
    address = build.Address(**vars(parser.parse_args(argv)))
    try:
        changed = rewrite(root, address)
    except HalfWrittenError as reason:
        print(f"{reason.__context__}\n{reason}", file=sys.stderr)
        return 1
    except (ValueError, OSError) as reason:
        print(f"{reason}\nEvery file is as it was.", file=sys.stderr)
        return 1
    print(f"The address is {address.repository} at {address.ref}.")
    print("\n".join(["Written:", *changed]) if changed else "It was so before.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
