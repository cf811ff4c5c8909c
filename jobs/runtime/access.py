"""What a job that lies in a store may have its workers read.

Whoever can write into a store can put any spec there. What was sent along with it lies in the
store, by its digest. Whatever else it names is read only where the operator of `work` allows that.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jobs.store.address import open_store
from jobs.text.errors import RequestError


def is_folder(path: str) -> bool:
    """Whether a path leads to a folder; what may not be looked at is none."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def is_there(path: str) -> bool:
    """Whether a path leads to anything; what may not be looked at does not."""
    try:
        return Path(path).exists()
    except OSError:
        return False


_BUCKETS = "s3://"


@dataclass(frozen=True)
class Reach:
    """places: folders of this machine, and `s3://` prefixes, each with all that lies below it;
    None: everything that there is, for who renders what is his own.
    """

    places: tuple[str, ...] | None

    def to(self, address: str) -> str:
        """Where to open what an address names: of a file its real path, with no links in it.

        Asked just before it is opened, since links may have changed. Raises RequestError, in one
        line, for what lies elsewhere.
        """
        if self.places is None:
            return address
        if "://" not in address:
            return self._file(address)
        if not address.startswith(_BUCKETS):
            # The rest may hold a password, or a signature.
            scheme = address.partition("://")[0]
            raise RequestError(
                f"{scheme}:// is not opened by workers; fetch the file, and submit the job with it"
            )
        return self._object(address)

    def _file(self, path: str) -> str:
        if "\0" in path or not path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise RequestError(
                f"{path!r}: leads workers who knows where; submit the job with whole paths"
            )
        real = os.path.realpath(path)
        folders = [one for one in self.places or () if not one.startswith(_BUCKETS)]
        if not any(_is_below(real, os.path.realpath(folder)) for folder in folders):
            link = "by a link " if real != path else ""
            raise RequestError(
                f"{path}: lies {link}where `work` may not read; submit the job into a bucket, "
                "which takes its pictures along, or start `work` with --allow FOLDER"
            )
        return real

    def _object(self, address: str) -> str:
        buckets = [one for one in self.places or () if one.startswith(_BUCKETS)]
        # To a bucket dots are names, but maybe not to all that pass them on.
        dotted = {".", ".."} & set(address.removeprefix(_BUCKETS).split("/"))
        if dotted or not any(_is_below(address, bucket) for bucket in buckets):
            raise RequestError(
                f"{address}: lies where `work` may not read; start it with "
                "--allow s3://BUCKET/PREFIX"
            )
        return address


NOWHERE = Reach(())

EVERYWHERE = Reach(None)


def allowed(text: str) -> str:
    """The place that an operator calls by a text: a folder's path, or `s3://BUCKET/PREFIX`.

    Raises RequestError for what is neither.
    """
    if text.startswith(_BUCKETS):
        return open_store(text).address
    if not text.strip() or "://" in text or not is_folder(text):
        raise RequestError(f"--allow {text}: no such folder; write FOLDER or s3://BUCKET/PREFIX")
    return str(Path(text).absolute())


def _is_below(path: str, place: str) -> bool:
    """Whether a path is a place, or lies below it."""
    top = place.rstrip("/")
    return path == top or path.startswith(f"{top}/")
