"""Pictures on the submitter's disk on their way to where workers see them."""

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jobs.dataset.item import Found
from jobs.dataset.place import BLOB, Place
from jobs.dataset.sources.address import is_in_bucket
from jobs.dataset.sources.here import is_there
from jobs.errors import RequestError
from jobs.identity import file_digest
from jobs.store.store import Store

_AT_ONCE = 16

Upload = Callable[[Path, str], None]
"""Makes a file of some digest a blob of the store. Raises RequestError."""


class Sender:
    """Sends the files of a page of a listing to a bucket.

    Into a store that is a folder nothing is sent: who shares it shares this disk.
    """

    def __init__(self, store: Store, upload: Upload) -> None:
        self._is_local = store.local("spec.json") is not None
        self._upload = upload
        # A tar holds many pictures, and goes once; also one that is on two pages.
        self._blob = functools.lru_cache(maxsize=_AT_ONCE)(self._sent)

    def __call__(self, page: list[Found]) -> list[Found]:
        """The same pictures, at the places where workers find them.

        One that cannot be read here is not sent, and says why: that is for the ledger.
        """
        if self._is_local:
            return page
        here = dict.fromkeys(place.address for found in page for place in _here(found))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            sent = dict(zip(here, pool.map(self._blob, here), strict=True))
        return [_moved(found, sent) for found in page]

    def _sent(self, address: str) -> str | RequestError:
        """The new address of a file, or why it cannot be read.

        That it cannot be sent is no fault of the picture: then RequestError is raised.
        """
        path = Path(address)
        # Who opens a pipe waits for ever.
        if is_there(address) and not path.is_file():
            return RequestError(f"{address}: is no file; check the path")
        try:
            digest = file_digest(path)
        except RequestError as why:
            return why
        self._upload(path, digest)
        return f"{BLOB}{digest}"


def _here(found: Found) -> list[Place]:
    """The places of a picture that are on this disk, and are to be read."""
    places = [found.place, *(extra.place for extra in found.extras)]
    if found.complaint:
        return []
    return [place for place in places if not (place.is_noise or is_in_bucket(place.address))]


def _moved(found: Found, sent: Mapping[str, str | RequestError]) -> Found:
    def moved(place: Place) -> Place:
        return place.model_copy(update={"address": sent.get(place.address, place.address)})

    for place in _here(found):
        if isinstance(why := sent[place.address], RequestError):
            return found.model_copy(update={"complaint": str(why), "extras": ()})
    if found.complaint:
        return found
    extras = tuple(extra.model_copy(update={"place": moved(extra.place)}) for extra in found.extras)
    return found.model_copy(update={"place": moved(found.place), "extras": extras})
