"""The working directory of a search: what survives a kill.

======================  =====================================================================
``search.json``         what the search is: space, data, settings; written once
``checkpoint.npz``      all trials so far and the state of who proposes; replaced after each trial
``models/trial-7.ckpt`` the trained model of trial 7 (``.keras`` for Keras)
``data.npz``            the arrays, while the workers of an executor read them
``search.lock``         held by the process that searches here; the system drops it at its death
======================  =====================================================================

Each file appears whole or not at all, and all of them are plain data: loading one runs no code.
"""

import contextlib
import hashlib
import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from workshop._files import whole_file, write_whole

__all__ = ["SearchDirectory", "fingerprint", "read_checkpoint", "readable"]

FORMAT = "workshop.nas 2"


class SearchDirectory:
    """A working directory, held for one search; a context manager.

    Parameters
    ----------
    path : path-like
        Made if it is missing.

    Raises
    ------
    RuntimeError
        On entering, if another search holds it.
    """

    def __init__(self, path):
        self.path = Path(path).expanduser().resolve()  # wherever the caller moves to meanwhile
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(f"working_dir must be a folder; {self.path} is a file.")
        self.checkpoint, self.data = self.path / "checkpoint.npz", self.path / "data.npz"
        self._identity = None

    def __enter__(self):
        (self.path / "models").mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.path / "search.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RuntimeError(
                f"Another search is running in {self.path}: two cannot share a working_dir. Wait "
                "for it, end it, or choose another working_dir."
            ) from None
        except NotImplementedError as error:
            raise RuntimeError(
                f"The disk that holds {self.path} cannot lock files, so a second search could "
                "damage this one. Choose a working_dir on a local disk."
            ) from error
        for folder in (self.path, self.path / "models"):
            for part in folder.glob(".*.part.*"):  # of a process that was killed while writing
                part.unlink(missing_ok=True)
        self.data.unlink(missing_ok=True)
        return self

    def __exit__(self, *error):
        self._lock.release()

    def open(self, settings, *, versions, resume):
        """Begin the search that `settings` describe, or go on with it.

        Parameters
        ----------
        settings : dict
            Plain data: all that decides what the search does.
        versions : dict of str to str
            Of the packages that compute; others than those at the start are warned of.
        resume : bool
            Whether to go on with a search that is there.

        Returns
        -------
        dict or None
            What was last saved; None for a fresh start.

        Raises
        ------
        FileExistsError
            If there is a search and `resume` is False.
        ValueError
            If a file is damaged, was not written by a search, or belongs to another one.
        """
        settings = json.loads(json.dumps(settings))
        self._identity = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        description = self.path / "search.json"
        if not description.exists():
            if self.checkpoint.exists():
                raise ValueError(
                    f"{self.checkpoint} is there without its search.json, so nobody knows which "
                    "search it belongs to. Choose another working_dir, or move the file away."
                )
            self._describe(settings, versions)
            return None
        found, began_with = _read_description(description)
        if not self.checkpoint.exists():  # it ended before its first trial: nothing to keep
            self._describe(settings, versions)
            return None
        if not resume:
            raise FileExistsError(
                f"{self.path} holds a search already. Pass resume=True to go on with it, or choose "
                "another working_dir; nothing was deleted."
            )
        if found != settings:
            name, theirs, ours = _first_difference(found, settings)
            raise ValueError(
                f"{self.path} holds another search: its {name} is {theirs}, this call says {ours}. "
                "Choose another working_dir, or repeat the call that began it."
            )
        if began_with != versions:
            name, theirs, ours = _first_difference(began_with, versions)
            warnings.warn(
                f"The search in {self.path} began with {name} {theirs} and goes on with {ours}: "
                "its trials may differ in the last digits.",
                stacklevel=4,
            )
        return read_checkpoint(self.path, identity=self._identity)

    def _describe(self, settings, versions):
        content = {"format": FORMAT, "versions": versions, "settings": settings}
        write_whole(self.path / "search.json", json.dumps(content, indent=1))

    def save(self, state):
        """Replace the checkpoint by `state`, whole or not at all."""
        arrays = {}
        tree = _pack({"identity": self._identity, **state}, arrays)
        with whole_file(self.checkpoint) as part:
            np.savez(part, tree=np.frombuffer(json.dumps(tree).encode(), dtype=np.uint8), **arrays)

    def model_path(self, trial, suffix):
        """Where the model of a trial is saved."""
        return self.path / "models" / f"trial-{trial}{suffix}"


def read_checkpoint(path, *, identity=None):
    """Read what the search in the folder `path` last saved; None where it saved nothing yet.

    Raises
    ------
    ValueError
        If the file is damaged, was not written by a search, or belongs to another than `identity`.
    """
    file = Path(path) / "checkpoint.npz"
    if not file.exists():
        return None
    try:
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            state = _unpack(json.loads(arrays["tree"].tobytes()), arrays)
        found = state["identity"]
        state["trials"], state["seconds"]
    except _UNREADABLE as error:
        raise ValueError(
            f"{file} is damaged, or no search wrote it ({type(error).__name__}: {error}). Choose "
            "another working_dir; or move this one file away, and the search begins anew here."
        ) from error
    if identity is not None and found != identity:
        raise ValueError(
            f"{file} belongs to another search than the search.json beside it. Move it away to "
            "begin anew here, or choose another working_dir."
        )
    return state


@contextlib.contextmanager
def readable(file):
    """Say which file it is whose content another version of this library wrote."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"{file} cannot be read by this version of workshop ({type(error).__name__}: {error}). "
            "Choose another working_dir."
        ) from error


def fingerprint(arrays):
    """Shapes of arrays and the beginning of a SHA-256 of their contents, as text."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return f"{[array.shape for array in arrays]} {digest.hexdigest()[:16]}"


# What NumPy, json and our own look-ups raise on a file that is something else.
_UNREADABLE = (
    *(OSError, EOFError, zipfile.BadZipFile, ValueError, LookupError, TypeError, AttributeError),
    *(NotImplementedError, RuntimeError),
)


def _read_description(file):
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}, expected {FORMAT!r}")
        return dict(content["settings"]), dict(content["versions"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ValueError(
            f"{file} is damaged, or no search wrote it ({error}). Choose another working_dir; or "
            "remove this one, and the search begins anew."
        ) from error


def _first_difference(found, expected, name=""):
    """Where two trees of plain data differ first: the name of the place and both values."""
    kinds = {type(found), type(expected)}
    if kinds == {dict}:
        for key in found | expected:
            if found.get(key) != expected.get(key):
                inner = f"{name}.{key}" if name else key
                return _first_difference(found.get(key), expected.get(key), inner)
    if kinds == {list} and len(found) == len(expected):
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            if a != b:
                return _first_difference(a, b, f"{name}[{i}]")
    return name, json.dumps(found), json.dumps(expected)


def _pack(tree, arrays):
    """Replace each array of a tree by its key in `arrays`, so that json can write the tree."""
    if isinstance(tree, (np.ndarray, np.generic)):
        key = f"array-{len(arrays)}"
        arrays[key] = np.asarray(tree)
        return {"__array__": key, "scalar": isinstance(tree, np.generic)}
    if isinstance(tree, dict):
        return {key: _pack(value, arrays) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_pack(value, arrays) for value in tree]
    return tree


def _unpack(tree, arrays):
    """Undo `_pack`; a tuple comes back as a list."""
    if isinstance(tree, list):
        return [_unpack(value, arrays) for value in tree]
    if isinstance(tree, dict):
        if "__array__" in tree:
            array = arrays[tree["__array__"]]
            return array[()] if tree["scalar"] else array
        return {key: _unpack(value, arrays) for key, value in tree.items()}
    return tree
