"""What may name an object, in a folder as well as in a bucket."""

import re

PARTIAL = ".partial"
"""The top folder where a store that is a folder keeps unfinished files; no key leads there."""

LONGEST = 200
"""Characters of a key, at most."""
_PART = re.compile(r"[A-Za-z0-9._@=+-]+", re.ASCII)


def is_key(text: str) -> bool:
    """Whether a text can name an object."""
    parts = text.split("/")
    return (
        len(text) <= LONGEST
        and parts[0] != PARTIAL
        and all(_PART.fullmatch(part) and part not in {".", ".."} for part in parts)
    )


def checked(key: str) -> str:
    """The key. Raises ValueError for one that leaves the store, or that some store cannot hold."""
    if not is_key(key):
        raise ValueError(f"{key!r} is no key: parts of letters, digits and ._-@=+ with / between")
    return key


def folder_of(prefix: str) -> str:
    """The deepest folder that holds every key with a prefix: `a/b` of `a/b/c`, `` of `a`.

    Raises ValueError for a prefix that no key has.
    """
    folder, slash, _ = prefix.rpartition("/")
    return checked(folder) if slash else ""


def folder_named(name: str) -> str:
    """The folder `a/b` that somebody calls `a/b` or `a/b/`; `` is all of the store.

    Raises ValueError for what is no folder of keys.
    """
    return folder_of(f"{name.rstrip('/')}/") if name else ""


def checked_range(start: int, length: int) -> None:
    """Raises ValueError for a range that no object can have, or that is empty."""
    if start < 0 or length < 1:
        raise ValueError(f"no range has {length} bytes from {start} on")
