"""What `inputs` means: every picture of it, as a stream."""

from collections.abc import Iterator

from jobs.dataset.item import Found
from jobs.dataset.place import Place
from jobs.dataset.sources.address import SCHEME, folder_of, is_in_bucket, name_of
from jobs.dataset.sources.file import File
from jobs.dataset.sources.files import files, has_wildcards
from jobs.dataset.sources.here import is_folder, is_there
from jobs.dataset.sources.inputs import Inputs
from jobs.dataset.sources.manifest import MANIFESTS, manifest
from jobs.dataset.sources.pattern import Pattern
from jobs.dataset.sources.samples import TAR, samples
from jobs.dataset.sources.suffixes import is_compressed_tar, is_picture, suffix
from jobs.dataset.sources.tars import tars
from jobs.errors import RequestError

_NOISE = "noise"
"""The key of noise, whatever its seed: there is one of it."""


def listing(inputs: Inputs) -> Iterator[Found]:
    """The pictures, in no order that is promised, and never many of them in memory.

    What is there and cannot be dreamed has a complaint. Keys are not checked for being unique.
    Raises RequestError where there is nothing, or no permission, and StoreError.
    """
    none = True
    for found in _found(inputs):
        none = False
        yield found
    if none:
        raise RequestError(
            f"{inputs.address}: no pictures there; their names end in .jpg, .png, .webp or .tif, "
            "and tars are written as FOLDER/*.tar"
        )


def _found(inputs: Inputs) -> Iterator[Found]:
    path, ending = inputs.address, suffix(inputs.address)
    if inputs.noise is not None:
        yield Found(key=_NOISE, place=Place(address=path))
    elif _is_folder(path):
        yield from _below(path.rstrip("/"))
    elif is_compressed_tar(path):
        raise RequestError(f"{path}: is compressed, and cannot be read in parts; unpack it to .tar")
    elif ending == TAR:
        for tar in tars(path):
            yield from samples(tar)
    elif ending in MANIFESTS:
        if has_wildcards(path):
            raise RequestError(f"{path}: a manifest is one file; join them to one")
        yield from manifest(path, ending, inputs.column)
    elif has_wildcards(path):
        yield from map(_pictured, files(Pattern.of(path)))
    else:
        yield from _named(path)


def _is_folder(path: str) -> bool:
    if not is_in_bucket(path):
        return is_folder(path)
    key = path.removeprefix(SCHEME).partition("/")[2]
    return not key or key.endswith("/")


def _named(path: str) -> Iterator[Found]:
    """A single picture; in a bucket also a folder, which none but a slash tells from it."""
    if not is_in_bucket(path):
        if not is_there(path):
            raise RequestError(f"{path}: no such file or folder; check the path")
        yield _pictured(File(name_of(path), path))
    elif is_picture(path):
        yield from map(_pictured, files(Pattern(folder_of(path), (name_of(path),))))
    else:
        yield from _below(path)


def _below(folder: str) -> Iterator[Found]:
    for file in files(Pattern.all_below(folder)):
        if file.complaint is not None or is_picture(file.key):
            yield _pictured(file)


def _pictured(file: File) -> Found:
    return Found(key=file.key, place=Place(address=file.address), complaint=file.complaint)
