"""The access policy: which paths and addresses the workers of a job may read.

A store is untrusted: any spec may be in it. Workers always read uploaded files, by their digests.
They read other paths and addresses only if the operator of `work` allows them.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jobs.store.address import open_store
from jobs.text.errors import RequestError


def is_folder(path: str) -> bool:
    """Whether a path is a folder. False without the permission to look."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def path_exists(path: str) -> bool:
    """Whether a path exists. False without the permission to look."""
    try:
        return Path(path).exists()
    except OSError:
        return False


_S3 = "s3://"


@dataclass(frozen=True)
class AccessPolicy:
    """The folders of this machine and the `s3://` prefixes that workers may read.

    allowed: each with everything below it. None allows everything, for users who render their own
    specs.
    """

    allowed: tuple[str, ...] | None

    def resolve(self, address: str) -> str:
        """Return the address to open. For a file it is the real path, without links.

        Call this just before opening, because links may change.

        Raises:
            RequestError: the address is not allowed; the message has one line.
        """
        if self.allowed is None:
            return address
        if "://" not in address:
            return self._resolve_file(address)
        if not address.startswith(_S3):
            # The rest of the address may hold a password or a signature.
            scheme = address.partition("://")[0]
            raise RequestError(
                f"{scheme}:// is not opened by workers; fetch the file, and submit the job with it"
            )
        return self._resolve_s3(address)

    def _resolve_file(self, path: str) -> str:
        if "\0" in path or not path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise RequestError(f"{path!r}: must be an absolute path without `..`")
        real = os.path.realpath(path)
        folders = [one for one in self.allowed or () if not one.startswith(_S3)]
        if not any(_is_below(real, os.path.realpath(folder)) for folder in folders):
            problem = "`work` may not read this path"
            if real != path:
                problem = "a link leads to a path that `work` may not read"
            raise RequestError(
                f"{path}: {problem}; submit the job into a bucket, which uploads its pictures, or "
                "start `work` with --allow FOLDER"
            )
        return real

    def _resolve_s3(self, address: str) -> str:
        prefixes = [one for one in self.allowed or () if one.startswith(_S3)]
        # To S3, `.` and `..` are names, but a proxy may resolve them.
        dotted = {".", ".."} & set(address.removeprefix(_S3).split("/"))
        if dotted or not any(_is_below(address, prefix) for prefix in prefixes):
            raise RequestError(
                f"{address}: `work` may not read this path; start it with "
                "--allow s3://BUCKET/PREFIX"
            )
        return address


DENY_ALL = AccessPolicy(())

ALLOW_ALL = AccessPolicy(None)


def parse_allowed(text: str) -> str:
    """Parse a value of `--allow`: the path of a folder, or `s3://BUCKET/PREFIX`.

    Raises:
        RequestError: the text is neither.
    """
    if text.startswith(_S3):
        return open_store(text).address
    if not text.strip() or "://" in text or not is_folder(text):
        raise RequestError(f"--allow {text}: no such folder; write FOLDER or s3://BUCKET/PREFIX")
    return str(Path(text).absolute())


def _is_below(path: str, folder: str) -> bool:
    """Whether a path is the folder or prefix itself, or below it."""
    top = folder.rstrip("/")
    return path == top or path.startswith(f"{top}/")
