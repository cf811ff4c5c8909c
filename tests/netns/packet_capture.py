"""A tap on a cable: what whoever sits on the network between hosts could read."""

import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_EVERYTHING, _IP = 0x0003, 0x0800
_LONGEST = 1 << 17
_FORCED_BUFFER = 33  # SO_RCVBUFFORCE, for which Python has no name
_ROOM = 1 << 27
"""Bytes that may wait to be read, so that none is missed."""


class Tap:
    """What TCP has carried over a cable, each direction of each connection by itself."""

    def __init__(self) -> None:
        self._carried: defaultdict[bytes, bytearray] = defaultdict(bytearray)

    def take(self, frame: bytes) -> None:
        """A frame of Ethernet."""
        kind, first, protocol = struct.unpack_from("!12xHB8xB", frame)
        if (kind, first >> 4, protocol) != (_IP, 4, socket.IPPROTO_TCP):
            return
        (length,) = struct.unpack_from("!H", frame, 16)
        begin = 14 + (first & 15) * 4
        content = begin + (frame[begin + 12] >> 4) * 4
        # From the addresses in one header to the ports in the next.
        self._carried[frame[26:34] + frame[begin : begin + 4]] += frame[content : 14 + length]

    def carried(self, secret: bytes) -> bool:
        """Whether somebody could have read it."""
        return any(secret in stream for stream in self._carried.values())

    @property
    def size(self) -> int:
        """How many bytes were carried."""
        return sum(map(len, self._carried.values()))


@contextmanager
def tapped(cable: str) -> Iterator[Tap]:
    """A tap on a network device of this machine, complete once the context has ended."""
    tap, ends = Tap(), threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERYTHING)) as network:
        network.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _ROOM)
        network.bind((cable, 0))
        network.settimeout(0.2)

        def listen() -> None:
            while not ends.is_set():
                with suppress(TimeoutError):
                    tap.take(network.recv(_LONGEST))
            network.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    tap.take(network.recv(_LONGEST))

        thread = threading.Thread(target=listen, name="tap", daemon=True)
        thread.start()
        try:
            yield tap
        finally:
            ends.set()
            thread.join()
