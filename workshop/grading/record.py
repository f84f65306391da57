"""What has been graded, on disk after each notebook: what a run that was killed goes on from."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from workshop import __version__
from workshop._files import write_whole

__all__ = ["Graded", "Records", "version"]

FORMAT = "workshop grades 1"


@dataclass(frozen=True)
class Graded:
    """One notebook's result.

    Parameters
    ----------
    student, path : str
    sha256 : str
        Of the notebook's bytes.
    version : str
        Of this package.
    seed : int
    complete : bool
        False when the grader itself failed: then it is graded again.
    record : dict
        As `workshop.grading.worker.grade_notebook` returns it.
    """

    student: str
    path: str
    sha256: str
    version: str
    seed: int
    complete: bool
    record: dict


class Records:
    """All results, kept whole in one file.

    Parameters
    ----------
    path : Path
        ``grades.json``; read if it is there.

    Raises
    ------
    ValueError
        If the file is something else.
    """

    def __init__(self, path):
        self.path, self._graded = path, {}
        if not path.exists():
            return
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}")
            kept = [Graded(**one) for one in content["notebooks"]]
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            raise ValueError(
                f"{path} must be the record of an earlier `workshop grade`; it cannot be read "
                f"({str(problem)[:80]}). Move it away, or pass another --out; nothing is changed."
            ) from problem
        self._graded = {(one.student, one.sha256): one for one in kept}

    def find(self, student, sha256):
        """The result of a student's notebook under this version; None where there is none."""
        found = self._graded.get((student, sha256))
        return found if found and found.complete and found.version == version() else None

    def of(self, pairs):
        """Results of (student, sha256) pairs; those of incomplete ones, too."""
        return [self._graded[pair] for pair in pairs]

    def add(self, graded):
        """Keep a result, on disk as well."""
        self._graded[graded.student, graded.sha256] = graded
        notebooks = [asdict(one) for one in self._graded.values()]
        content = {"format": FORMAT, "notebooks": notebooks}
        write_whole(self.path, json.dumps(content, indent=1) + "\n")


@lru_cache(maxsize=1)
def version():
    """Version of the package with a digest of its code: a check that changed is another one."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
