"""Listing the pictures of a dataset's `inputs` as a stream, and checks of their location."""

from collections.abc import Iterator
from pathlib import Path

from braceexpand import braceexpand

from jobs.dataset.inputs.files import (
    ANY_FOLDERS,
    Pattern,
    has_wildcards,
    is_compressed_tar,
    is_picture,
    list_folder,
)
from jobs.dataset.inputs.item import InputPlace, LeftOut, ListedFile, ListedImage
from jobs.dataset.inputs.table import TABLE_SUFFIXES, read_input_table
from jobs.dataset.inputs.tar_samples import TAR_SUFFIX, list_samples
from jobs.runtime.access import AccessPolicy, is_folder, path_exists
from jobs.spec.inputs import S3_SCHEME, Inputs, folder_of, is_in_bucket, name_of, suffix_of
from jobs.store.errors import StoreRefused
from jobs.text.errors import RequestError
from render.input_file import NotRegularFileError, check_regular_file, read_problem

_NOISE_KEY = "noise"
"""The key of noise. A dataset has only one."""


def list_images(inputs: Inputs, left_out: LeftOut | None = None) -> Iterator[ListedImage]:
    """Yield the pictures in any order, with few of them in memory.

    A picture that cannot be dreamed has an error. Keys may repeat. left_out: counts the files that
    are not listed, because they are not named like a picture.

    Raises RequestError if there are no pictures or the location cannot be read, and StoreError.
    """
    is_empty = True
    counter = left_out or LeftOut()
    for image in _list_images(inputs, counter):
        is_empty = False
        yield image
    if is_empty:
        note = counter.note()
        raise RequestError(
            f"{inputs.address}: no pictures there; their names must end in .jpg, .png, .webp, "
            f".tif, .heic or .avif; write tars as FOLDER/*.tar{f' ({note})' if note else ''}"
        )


def list_files(pattern: Pattern, left_out: LeftOut | None = None) -> Iterator[ListedFile]:
    """Yield the matching files of a folder or bucket. Raises RequestError and StoreError."""
    if not is_in_bucket(pattern.base):
        return list_folder(pattern, left_out)
    # boto3 takes a third of a second to import, and only buckets need it.
    from jobs.dataset.inputs.s3 import list_objects

    return list_objects(pattern)


def list_tars(path: str) -> Iterator[ListedFile]:
    """Yield the tars of a path with wildcards or braces; braces give their order.

    Tars named by braces may be missing. Keys are relative to the last folder before the first brace
    or wildcard. Raises RequestError.
    """
    if "{" in path and not path_exists(path):
        yield from _expand_braces(path)
    elif has_wildcards(path):
        yield from list_files(Pattern.parse(path))
    else:
        yield ListedFile(name_of(path), path)


def check_mounted(inputs: Inputs) -> None:
    """Check that this machine has the folder of inputs that are not uploaded.

    Without it, every picture would fail as missing. Raises StoreRefused.
    """
    if inputs.noise is not None or is_in_bucket(inputs.address):
        return
    folder = base_folder(inputs.address)
    if not path_exists(str(folder)):
        raise StoreRefused(
            f"{folder}: the inputs are not on this worker's machine; mount them at the same path "
            "on every machine, or use a bucket as store, to which submit uploads them"
        )


def check_allowed(inputs: Inputs, access: AccessPolicy, *, inputs_uploaded: bool) -> None:
    """Check that workers may read the location of the inputs.

    The rows of an input table are checked one by one when they are read. inputs_uploaded: whether
    submit uploaded local files into the store. Raises RequestError.
    """
    address = inputs.address
    is_uploaded = inputs_uploaded and not is_in_bucket(address)
    if inputs.noise is None and not is_uploaded and suffix_of(address) not in TABLE_SUFFIXES:
        access.resolve(address)


def check_output_folder(inputs: Inputs, out: Path) -> None:
    """Check that results would not be listed as inputs. Raises RequestError."""
    path = inputs.address
    is_deep = is_folder(path) or (has_wildcards(path) and ANY_FOLDERS in Pattern.parse(path).parts)
    if inputs.noise is not None or is_in_bucket(path) or not is_deep:
        return
    root = base_folder(path).resolve()
    if root == out.resolve() or root in out.resolve().parents:
        raise RequestError(f"{out}: lies in {root}, among the inputs; choose another --out")


def _list_images(inputs: Inputs, left_out: LeftOut) -> Iterator[ListedImage]:
    path, ending = inputs.address, suffix_of(inputs.address)
    if inputs.noise is not None:
        yield ListedImage(key=_NOISE_KEY, place=InputPlace(address=path))
    elif _names_folder(path):
        yield from _list_pictures(path.rstrip("/"), left_out)
    elif is_compressed_tar(path):
        raise RequestError(
            f"{path}: is compressed, so its samples cannot be read one by one; unpack it to .tar"
        )
    elif ending == TAR_SUFFIX:
        for tar in list_tars(path):
            yield from list_samples(tar, left_out)
    elif ending in TABLE_SUFFIXES:
        if has_wildcards(path):
            raise RequestError(f"{path}: an input table must be one file; join the files into one")
        yield from read_input_table(path, ending, inputs.column)
    elif has_wildcards(path):
        yield from map(_listed_image, list_files(Pattern.parse(path)))
    else:
        yield from _list_path(path, left_out)


def _list_path(path: str, left_out: LeftOut) -> Iterator[ListedImage]:
    """List a single picture. In a bucket, any other path is a prefix."""
    if not is_in_bucket(path):
        if not path_exists(path):
            raise RequestError(f"{path}: no such file or folder; check the path")
        try:
            check_regular_file(Path(path))
        except NotRegularFileError as error:
            raise RequestError(f"{path}: {read_problem(error)}") from error
        yield _listed_image(ListedFile(name_of(path), path))
    elif is_picture(path):
        yield from map(_listed_image, list_files(Pattern(folder_of(path), (name_of(path),))))
    else:
        yield from _list_pictures(path, left_out)


def _list_pictures(folder: str, left_out: LeftOut) -> Iterator[ListedImage]:
    for file in list_files(Pattern.all_files(folder), left_out):
        if file.error is not None or is_picture(file.key):
            yield _listed_image(file)
        else:
            left_out.add(file.key)


def _listed_image(file: ListedFile) -> ListedImage:
    return ListedImage(key=file.key, place=InputPlace(address=file.address), error=file.error)


def _expand_braces(path: str) -> Iterator[ListedFile]:
    """Expand braces as webdataset does, by the same library."""
    folder = folder_of(path[: path.index("{")])
    try:
        for address in braceexpand(path, escape=False):
            yield ListedFile(address.removeprefix(f"{folder}/"), address)
    except ValueError as error:
        raise RequestError(
            f"{path}: invalid braces ({error}); write them like {{000000..000009}}"
        ) from error


def _names_folder(path: str) -> bool:
    if not is_in_bucket(path):
        return is_folder(path)
    key = path.removeprefix(S3_SCHEME).partition("/")[2]
    return not key or key.endswith("/")


def base_folder(path: str) -> Path:
    """The folder that contains all files of a local path: the folder itself, or a glob's base."""
    if is_folder(path):
        return Path(path)
    if has_wildcards(path):
        return Path(Pattern.parse(path).base or "/")
    return Path(folder_of(path) or "/")
