"""Give the course another address: repository and tag are rewritten everywhere, and nothing runs.

    python notebooks/address.py https://github.com/OWNER/NAME REF     (or: make address)

pyproject.toml is the one place where the address is written. What repeats it is written anew: the
badges in README.md, CITATION.cff, and in the notebooks the badges and the setup cell; all outputs
stay. A notebook must be what its source makes, or its outputs may be another code's; and what will
be written must be committed, so that git can put it back. Else nothing is written.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from notebooks import build

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- badges: `make address` writes them -->", "<!-- end of badges -->"


def check_address(address):
    """Raise ValueError unless an address has the form that badges and setup cells can carry."""
    repository = r"https://github\.com/\w[\w-]*/\w[\w.-]*(?<!\.git)(?<!\.)"
    if not re.fullmatch(repository, address.repository, re.ASCII):
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
    """Whole text of each file that names the address, by path from `root`, when it is `address`."""
    wrong = build.out_of_step(root, build.NAMES)
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
            texts[path], count = re.subn(
                pattern, lambda _, line=line: line, texts[path], flags=re.MULTILINE
            )
            if count != 1:
                raise ValueError(f"{path} must have {pattern} once; it has it {count} times.")
    for name in build.NAMES:
        for audience in build.AUDIENCES:
            path = build.notebook_path(name, audience)
            notebook = build.generate_from(root, name, audience, address)
            committed = nbformat.read(root / path, as_version=4)
            for cell, old in zip(notebook.cells, committed.cells, strict=True):
                if cell.cell_type == "code":
                    cell.update(execution_count=old.execution_count, outputs=old.outputs)
            texts[path] = build.as_text(notebook)
    return texts


def rewrite(root, address):
    """Write the files that change, none of which may hold uncommitted work; return their paths."""
    check_address(address)
    texts = rewritten(root, address)
    changed = [path for path in texts if (root / path).read_text("utf-8") != texts[path]]
    if changed:
        status = ["git", "status", "--porcelain", "--", *changed]
        git = subprocess.run(status, cwd=root, capture_output=True, text=True)
        if git.returncode or git.stdout:
            raise ValueError(
                "Commit these first, or put them back: git then is the way back from here.\n"
                f"{git.stdout or git.stderr}"
            )
    for path in changed:
        (root / path).write_text(texts[path], encoding="utf-8")
    return changed


def main(argv=None, *, root=ROOT):
    """Rewrite the address; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", metavar="REPOSITORY", help="https://github.com/OWNER/NAME")
    parser.add_argument("ref", metavar="REF", help="a branch, or the tag that you will make")
    address = build.Address(**vars(parser.parse_args(argv)))
    try:
        changed = rewrite(root, address)
    except (ValueError, OSError) as reason:
        print(f"{reason}\nNothing was written, or git diff shows what.", file=sys.stderr)
        return 1
    print(f"The address is {address.repository} at {address.ref}.")
    print("\n".join(["Written:", *changed]) if changed else "It was so before.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
