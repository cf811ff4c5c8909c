"""The folder of this machine below which inputs lie."""

from pathlib import Path

from jobs.dataset.inputs.files import has_wildcards
from jobs.dataset.inputs.patterns import ANY_FOLDERS, Pattern, suffix
from jobs.dataset.inputs.table import TABLE_SUFFIXES
from jobs.runtime.access import AccessPolicy, is_folder, path_exists
from jobs.spec.inputs import Inputs, folder_of, is_in_bucket
from jobs.store.errors import StoreRefused
from jobs.text.errors import RequestError


def check_mounted(inputs: Inputs) -> None:
    """See that this machine has the folder of the inputs, which are not sent along.

    Where it is not mounted every picture would seem to be gone. Raises StoreRefused.
    """
    if inputs.noise is not None or is_in_bucket(inputs.address):
        return
    folder = _folder(inputs.address)
    if not path_exists(str(folder)):
        raise StoreRefused(
            f"{folder}: a worker's machine does not see the inputs there; mount them at the same "
            "path on every machine, or use a bucket as store, into which they are sent"
        )


def check_allowed(inputs: Inputs, access: AccessPolicy, *, were_sent: bool) -> None:
    """See that workers may read the inputs, where they lie all in one place.

    Of a manifest each row tells for itself. were_sent: whether what lay on the submitter's disk
    lies in the store. Raises RequestError.
    """
    address = inputs.address
    is_here = not is_in_bucket(address)
    if (
        inputs.noise is None
        and not (is_here and were_sent)
        and suffix(address) not in TABLE_SUFFIXES
    ):
        access.resolve(address)


def check_output_folder(inputs: Inputs, out: Path) -> None:
    """See that results do not come to lie among the inputs. Raises RequestError."""
    path = inputs.address
    is_deep = is_folder(path) or (has_wildcards(path) and ANY_FOLDERS in Pattern.parse(path).parts)
    if inputs.noise is not None or is_in_bucket(path) or not is_deep:
        return
    root = _folder(path).resolve()
    if root == out.resolve() or root in out.resolve().parents:
        raise RequestError(f"{out}: lies in {root}, among the inputs; choose another --out")


def _folder(path: str) -> Path:
    """The path where it is a folder; else what it lies in, or what a glob begins with."""
    if is_folder(path):
        return Path(path)
    if has_wildcards(path):
        return Path(Pattern.parse(path).base or "/")
    return Path(folder_of(path) or "/")
