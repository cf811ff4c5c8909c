"""What `inputs` means: every picture of it, as a stream."""

from collections.abc import Iterator

from braceexpand import braceexpand

from jobs.dataset.inputs.files import files, has_wildcards
from jobs.dataset.inputs.item import Found, Place
from jobs.dataset.inputs.patterns import File, Pattern, is_compressed_tar, is_picture, suffix
from jobs.dataset.inputs.table import MANIFESTS, manifest
from jobs.dataset.inputs.tar_samples import TAR, samples
from jobs.runtime.access import is_folder, is_there
from jobs.spec.inputs import SCHEME, Inputs, folder_of, is_in_bucket, name_of
from jobs.text.errors import RequestError


def tars(path: str) -> Iterator[File]:
    """The tars, in the order in which braces name them; whether they are there is not asked.

    Keys are what follows the folder before the first brace or wildcard. Raises RequestError.
    """
    if "{" in path and not is_there(path):
        yield from _named_tars(path)
    elif has_wildcards(path):
        yield from files(Pattern.of(path))
    else:
        yield File(name_of(path), path)


def _named_tars(path: str) -> Iterator[File]:
    """What webdataset makes of braces, by the same library."""
    folder = folder_of(path[: path.index("{")])
    try:
        for address in braceexpand(path, escape=False):
            yield File(address.removeprefix(f"{folder}/"), address)
    except ValueError as error:
        raise RequestError(
            f"{path}: its braces make no sense ({error}); write {{000000..000009}}"
        ) from error


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
