"""What a folder's errors mean for the store in it."""

import errno

from jobs.store.errors import StoreError, StoreRefused, StoreUnreachable

_PASSING = {
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
"""What network file systems say while their server is away, or somebody else works there."""


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


def failure(error: OSError, store: str) -> StoreError:
    """What happened to the store, in one line."""
    place = error.filename2 or error.filename
    where = f"{store}: {place}" if place and str(place) != store else store
    what = error.strerror or type(error).__name__
    if error.errno in _PASSING:
        return StoreUnreachable(f"{where}: {what}; is the disk or its server all right?")
    remedy = _REMEDIES.get(error.errno or 0, "see to that, or use another store")
    return StoreRefused(f"{where}: {what}; {remedy}")
