"""How a member's method learns that nobody waits for its value any more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


def _never() -> bool:
    return False


_asked: ContextVar[Callable[[], bool]] = ContextVar("asked", default=_never)


def interrupted() -> bool:
    """Whether the crew was interrupted while it waited for the method that runs here.

    A method that takes long asks from time to time and then ends, in a state that the next method
    can go on from; what it returns or raises is dropped.
    """
    return _asked.get()()


@contextmanager
def answered_by(answer: Callable[[], bool]) -> Iterator[None]:
    """Within, `interrupted` gives this answer."""
    before = _asked.set(answer)
    try:
        yield
    finally:
        _asked.reset(before)
