"""The tars that a path means: one, those that fit a glob, or those that braces name."""

from collections.abc import Iterator

from braceexpand import braceexpand

from jobs.dataset.sources.address import folder_of, name_of
from jobs.dataset.sources.file import File
from jobs.dataset.sources.files import files, has_wildcards
from jobs.dataset.sources.here import is_there
from jobs.dataset.sources.pattern import Pattern
from jobs.errors import RequestError


def tars(path: str) -> Iterator[File]:
    """The tars, in the order in which braces name them; whether they are there is not asked.

    Keys are what follows the folder before the first brace or wildcard. Raises RequestError.
    """
    if "{" in path and not is_there(path):
        yield from _named(path)
    elif has_wildcards(path):
        yield from files(Pattern.of(path))
    else:
        yield File(name_of(path), path)


def _named(path: str) -> Iterator[File]:
    """What webdataset makes of braces, by the same library."""
    folder = folder_of(path[: path.index("{")])
    try:
        for address in braceexpand(path, escape=False):
            yield File(address.removeprefix(f"{folder}/"), address)
    except ValueError as error:
        raise RequestError(
            f"{path}: its braces make no sense ({error}); write {{000000..000009}}"
        ) from error
