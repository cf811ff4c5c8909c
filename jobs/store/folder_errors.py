"""Errors of the file system as errors of a folder store."""

import errno

from jobs.store.errors import StoreError, StoreRefused, StoreUnreachable

_TRANSIENT = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EINTR,
    errno.EIO,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOENT,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
"""Errors of network file systems while their server is away, or another client is active."""


_REMEDIES = {
    errno.EACCES: "let this user read and write there, or use another store",
    errno.EDQUOT: "free some space, or use another store",
    errno.EISDIR: "a folder lies where a file belongs; move it away",
    errno.EEXIST: "a file lies where a folder belongs; move it away",
    errno.ENOSPC: "free some space, or use another store",
    errno.ENOTDIR: "a file lies where a folder belongs; move it away",
    errno.EPERM: "let this user read and write there, on a file system with hard links",
    errno.EOPNOTSUPP: "use a file system with hard links",
    errno.EROFS: "mount it for writing, or use another store",
}


def store_error(error: OSError, store: str) -> StoreError:
    """Translate an OSError into an error of the store, with what to do about it.

    store: its address.
    """
    path = error.filename2 or error.filename
    where = f"{store}: {path}" if path and str(path) != store else store
    what = error.strerror or type(error).__name__
    if error.errno in _TRANSIENT:
        return StoreUnreachable(f"{where}: {what}; check the disk or its server")
    remedy = _REMEDIES.get(error.errno or 0, "correct that, or use another store")
    return StoreRefused(f"{where}: {what}; {remedy}")
