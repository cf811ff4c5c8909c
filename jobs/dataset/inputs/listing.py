"""What `inputs` means: every picture of it, as a stream."""

from collections.abc import Iterator

from braceexpand import braceexpand

from jobs.dataset.inputs.files import has_wildcards, list_files
from jobs.dataset.inputs.item import ByteRange, ListedFile, ListedImage
from jobs.dataset.inputs.patterns import Pattern, is_compressed_tar, is_picture, suffix
from jobs.dataset.inputs.table import TABLE_SUFFIXES, read_input_table
from jobs.dataset.inputs.tar_samples import TAR_SUFFIX, list_samples
from jobs.runtime.access import is_folder, path_exists
from jobs.spec.inputs import S3_SCHEME, Inputs, folder_of, is_in_bucket, name_of
from jobs.text.errors import RequestError


def list_tars(path: str) -> Iterator[ListedFile]:
    """The tars, in the order in which braces name them; whether they are there is not asked.

    Keys are what follows the folder before the first brace or wildcard. Raises RequestError.
    """
    if "{" in path and not path_exists(path):
        yield from _named_tars(path)
    elif has_wildcards(path):
        yield from list_files(Pattern.parse(path))
    else:
        yield ListedFile(name_of(path), path)


def _named_tars(path: str) -> Iterator[ListedFile]:
    """What webdataset makes of braces, by the same library."""
    folder = folder_of(path[: path.index("{")])
    try:
        for address in braceexpand(path, escape=False):
            yield ListedFile(address.removeprefix(f"{folder}/"), address)
    except ValueError as error:
        raise RequestError(
            f"{path}: its braces make no sense ({error}); write {{000000..000009}}"
        ) from error


_NOISE = "noise"
"""The key of noise, whatever its seed: there is one of it."""


def list_images(inputs: Inputs) -> Iterator[ListedImage]:
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


def _found(inputs: Inputs) -> Iterator[ListedImage]:
    path, ending = inputs.address, suffix(inputs.address)
    if inputs.noise is not None:
        yield ListedImage(key=_NOISE, place=ByteRange(address=path))
    elif _is_folder(path):
        yield from _below(path.rstrip("/"))
    elif is_compressed_tar(path):
        raise RequestError(f"{path}: is compressed, and cannot be read in parts; unpack it to .tar")
    elif ending == TAR_SUFFIX:
        for tar in list_tars(path):
            yield from list_samples(tar)
    elif ending in TABLE_SUFFIXES:
        if has_wildcards(path):
            raise RequestError(f"{path}: a manifest is one file; join them to one")
        yield from read_input_table(path, ending, inputs.column)
    elif has_wildcards(path):
        yield from map(_pictured, list_files(Pattern.parse(path)))
    else:
        yield from _named(path)


def _is_folder(path: str) -> bool:
    if not is_in_bucket(path):
        return is_folder(path)
    key = path.removeprefix(S3_SCHEME).partition("/")[2]
    return not key or key.endswith("/")


def _named(path: str) -> Iterator[ListedImage]:
    """A single picture; in a bucket also a folder, which none but a slash tells from it."""
    if not is_in_bucket(path):
        if not path_exists(path):
            raise RequestError(f"{path}: no such file or folder; check the path")
        yield _pictured(ListedFile(name_of(path), path))
    elif is_picture(path):
        yield from map(_pictured, list_files(Pattern(folder_of(path), (name_of(path),))))
    else:
        yield from _below(path)


def _below(folder: str) -> Iterator[ListedImage]:
    for file in list_files(Pattern.all_files(folder)):
        if file.complaint is not None or is_picture(file.key):
            yield _pictured(file)


def _pictured(file: ListedFile) -> ListedImage:
    return ListedImage(
        key=file.key, place=ByteRange(address=file.address), complaint=file.complaint
    )
