"""Pictures on the submitter's disk on their way to where workers see them."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jobs.dataset.item import Found
from jobs.dataset.place import BLOB, Place
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
        # A tar holds many pictures, and goes once.
        self._blob = functools.lru_cache(maxsize=_AT_ONCE)(self._sent)

    def __call__(self, page: list[Found]) -> list[Found]:
        """The same pictures, at the places where workers find them.

        One that cannot be read here is not sent, and says why: that is for the ledger.
        """
        if self._is_local:
            return page
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._one, page))

    def _one(self, found: Found) -> Found:
        if found.complaint or "://" in found.place.address:
            return found
        try:
            extras = tuple(
                extra.model_copy(update={"place": self._moved(extra.place)})
                for extra in found.extras
            )
            changes = {"place": self._moved(found.place), "extras": extras}
        except RequestError as why:
            return found.model_copy(update={"complaint": str(why), "extras": ()})
        return found.model_copy(update=changes)

    def _moved(self, place: Place) -> Place:
        return place.model_copy(update={"address": self._blob(place.address)})

    def _sent(self, address: str) -> str:
        path = Path(address)
        digest = file_digest(path)
        self._upload(path, digest)
        return f"{BLOB}{digest}"
