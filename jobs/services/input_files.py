"""Files that a spec names by an address: objects of a bucket, and standard input.

They become files of this machine before the spec is validated. Everything after that treats them
like any other file: whoever plans, renders or submits reads them with its own credentials, and
their content decides the id of the job.
"""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from jobs.records.stored_spec import is_file_name
from jobs.runtime.staging import cache_folder
from jobs.spec.attachments import map_attachments
from jobs.spec.document import STANDARD_INPUT, Document, expand_shorthands
from jobs.spec.inputs import is_in_bucket, name_of
from jobs.text.errors import RequestError

Use = Literal["picture", "weights", "items"]
"""What a file is. items: the pictures of a dataset, which no submit uploads into a folder."""

ReadStandardInput = Callable[[Use], Path]
"""Reads all of standard input into a file of this machine. Raises RequestError."""

_FILES: tuple[tuple[str, str, Use], ...] = (
    ("input", "path", "picture"),
    ("network", "weights", "weights"),
)

_INPUTS = ("inputs", "start")
"""Where the workers of datasets read objects by themselves, so that only `-` becomes a file."""

_SWEPT = "network.weights"

_NAME_LENGTH = 200
"""The most characters of an object's name, which becomes that of a file."""


def refuse_standard_input(use: Use) -> Path:
    """Raise RequestError: a library reads no standard input."""
    what = "picture" if use == "items" else use
    raise RequestError(f"-: is standard input, which is no {what} here; give the path of a file")


def localize(
    document: Document, read_standard_input: ReadStandardInput = refuse_standard_input
) -> Document:
    """A copy of a document with local files in place of `s3://` addresses and of `-`.

    It applies to the input of a poster, and to masks, guides and weights of any job.

    Raises:
        RequestError: An object or standard input cannot be read or saved.
        StoreError: A bucket does not answer.
    """

    def fetch(address: Any, use: Use) -> Any:
        if address == STANDARD_INPUT:
            return str(read_standard_input(use))
        if isinstance(address, str) and is_in_bucket(address):
            return str(fetch_object(address))
        return address

    full = expand_shorthands(document)
    for part, key, use in _FILES:
        if isinstance(full.get(part), dict) and key in full[part]:
            full[part] = {**full[part], key: fetch(full[part][key], use)}
    for part in _INPUTS:
        if isinstance(full.get(part), dict) and full[part].get("path") == STANDARD_INPUT:
            full[part] = {**full[part], "path": fetch(STANDARD_INPUT, "items")}
    swept = full.get("sweep")
    if isinstance(swept, dict) and isinstance(swept.get(_SWEPT), list):
        full["sweep"] = {**swept, _SWEPT: [fetch(one, "weights") for one in swept[_SWEPT]]}
    localized: Document = map_attachments(full, lambda path: fetch(path, "picture"))
    return localized


def fetch_object(address: str) -> Path:
    """Download an object into this machine's cache, unless the cache has it. Returns its path.

    Raises:
        RequestError: There is no such object, access is denied, or the cache cannot be written.
        StoreError: The bucket does not answer.
    """
    # boto3 takes a third of a second to import.
    from jobs.dataset.inputs.s3 import object_version, save_range

    name = name_of(address)
    if not is_file_name(name) or len(name) > _NAME_LENGTH:
        raise RequestError(f"{address}: names no object of a bucket; write s3://BUCKET/PATH/NAME")
    version = object_version(address)
    key = hashlib.sha256(f"{address} {version}".encode("utf-8", "surrogateescape")).hexdigest()
    path = cache_folder().with_name("inputs") / key / name
    try:
        if path.is_file():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Other processes may fetch the same object at the same time.
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=path.parent) as folder:
            partial = Path(folder) / name
            save_range(address, 0, None, partial)
            if object_version(address) != version:
                raise RequestError(f"{address}: was changed while it was read; try again")
            partial.replace(path)
    except OSError as error:
        raise RequestError(
            f"{address}: cannot be saved to {path.parent} ({error.strerror}); set XDG_CACHE_HOME "
            "to a folder with room"
        ) from error
    return path
