"""Captures the packets of a network device, as an eavesdropper could."""

import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_EVERYTHING, _IP = 0x0003, 0x0800
_MAX_FRAME = 1 << 17
_SO_RCVBUFFORCE = 33  # Python does not define it.
_BUFFER = 1 << 27
"""Bytes of the receive buffer: large enough to lose no packet."""


class Capture:
    """The TCP payload that a device has carried, by connection and direction."""

    def __init__(self) -> None:
        self._streams: defaultdict[bytes, bytearray] = defaultdict(bytearray)

    def add(self, frame: bytes) -> None:
        """Add an Ethernet frame; ignores all but TCP over IPv4."""
        kind, first, protocol = struct.unpack_from("!12xHB8xB", frame)
        if (kind, first >> 4, protocol) != (_IP, 4, socket.IPPROTO_TCP):
            return
        (length,) = struct.unpack_from("!H", frame, 16)
        begin = 14 + (first & 15) * 4
        content = begin + (frame[begin + 12] >> 4) * 4
        # The key of a stream: addresses of the IP header, and ports of the TCP header.
        self._streams[frame[26:34] + frame[begin : begin + 4]] += frame[content : 14 + length]

    def contains(self, secret: bytes) -> bool:
        """Whether a stream contains these bytes."""
        return any(secret in stream for stream in self._streams.values())

    @property
    def size(self) -> int:
        """The captured payload in bytes."""
        return sum(map(len, self._streams.values()))


@contextmanager
def capture_packets(device: str) -> Iterator[Capture]:
    """Capture the packets of a network device; complete at the end of the context."""
    capture, ends = Capture(), threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERYTHING)) as network:
        network.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        network.bind((device, 0))
        network.settimeout(0.2)

        def listen() -> None:
            while not ends.is_set():
                with suppress(TimeoutError):
                    capture.add(network.recv(_MAX_FRAME))
            network.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    capture.add(network.recv(_MAX_FRAME))

        thread = threading.Thread(target=listen, name="capture", daemon=True)
        thread.start()
        try:
            yield capture
        finally:
            ends.set()
            thread.join()
