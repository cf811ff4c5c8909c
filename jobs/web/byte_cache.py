"""A cache of bytes with a limit. Many who want the same thing wait for the one who makes it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future


class ByteCache:
    """The bytes that were used last, up to a limit. Thread-safe.

    most_bytes: of all contents together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._contents: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._being_made: dict[Hashable, Future[bytes]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The content of a key. If it is not here, it is made, by one thread for all that wait.

        Raises whatever `make` raises; an error is not remembered.
        """
        with self._lock:
            if key in self._contents:
                self._contents.move_to_end(key)
                return self._contents[key]
            future = self._being_made.get(key)
            is_mine = future is None
            if future is None:
                future = self._being_made[key] = Future()
        if is_mine:
            self._make(key, make, future)
        return future.result()

    def _make(self, key: Hashable, make: Callable[[], bytes], future: "Future[bytes]") -> None:
        try:
            content = make()
        except BaseException as error:
            future.set_exception(error)
            with self._lock:
                del self._being_made[key]
            raise
        with self._lock:
            del self._being_made[key]
            self._contents[key] = content
            self._size += len(content)
            while self._size > self._most:
                _, oldest = self._contents.popitem(last=False)
                self._size -= len(oldest)
        future.set_result(content)
