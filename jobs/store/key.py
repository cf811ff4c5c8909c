"""Valid keys of objects, the same for folders and buckets."""

import re

PARTIAL = ".partial"
"""The top folder of a folder store for incomplete files; no key starts with it."""

MAX_KEY_LENGTH = 220
"""Characters of a key, at most. A folder store adds 33 to a file name, which has 255 at most."""

_PART = re.compile(r"[A-Za-z0-9._@=+,-]+", re.ASCII)


def is_key(text: str) -> bool:
    """Whether a text is a valid key."""
    parts = text.split("/")
    return (
        len(text) <= MAX_KEY_LENGTH
        and parts[0] != PARTIAL
        and all(_PART.fullmatch(part) and part not in {".", ".."} for part in parts)
    )


def validate_key(key: str) -> str:
    """Return the key if it is valid. Raises ValueError for any other text, such as `../a`."""
    if not is_key(key):
        raise ValueError(
            f"{key!r} is not a valid key; use letters, digits and ._-@=+, with / between parts"
        )
    return key


def folder_of_prefix(prefix: str) -> str:
    """The deepest folder that contains every key with a prefix: `a/b` for `a/b/c`, `` for `a`.

    Raises ValueError for a prefix that no valid key has.
    """
    folder, slash, _ = prefix.rpartition("/")
    return validate_key(folder) if slash else ""


def normalize_folder(name: str) -> str:
    """The folder `a/b` for `a/b` or `a/b/`; `` stands for the whole store.

    Raises ValueError for an invalid name.
    """
    return folder_of_prefix(f"{name.rstrip('/')}/") if name else ""


def check_range(start: int, length: int) -> None:
    """Raise ValueError for an empty range, or one with a negative start."""
    if start < 0 or length < 1:
        raise ValueError(f"invalid range of {length} bytes from offset {start}")
