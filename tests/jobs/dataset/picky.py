"""A worker that fails at one picture."""

from jobs.dataset.worker import Worker

PICKED = "1/0001.jpg"
"""The second of `poison.inputs`."""


class Picky(Worker):
    """Has a bug at it."""

    def dream(self, line: bytes, file: int) -> bytes:
        if f'"key":"{PICKED}"'.encode() in line:
            raise KeyError("a bug")
        return super().dream(line, file)
