"""What stands around one member's object, the same in every crew."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cluster.errors import MemberFailed


class Host:
    """Holds the object of one member and runs its methods by name."""

    def __init__(self, member: int) -> None:
        self._member = member
        self._object: object = None
        self._spoilt: Exception | None = None

    def build(self, kind: Callable[..., object], *arguments: object) -> None:
        """Make the object: `kind(*arguments)`."""
        with self._naming_the_member("the constructor"):
            self._object = kind(*arguments)

    def run(self, method: str, *arguments: object) -> Any:
        """Run a method and return its value; raise what a dealt one raised before."""
        if self._spoilt is not None:
            raise self._spoilt
        with self._naming_the_member(method):
            return getattr(self._object, method)(*arguments)

    def deal(self, takers: tuple[int, ...], method: str, *arguments: object) -> list[object]:
        """Run a method that returns a mapping, from which each taker gets its own value.

        TypeError where it is for others than the takers. Nobody may ever look at what is dealt, so
        an error is kept and raised by whatever is asked of this member next.
        """
        try:
            values = self.run(method, *arguments)
            with self._naming_the_member(method):
                return _each(values, takers)
        except Exception as error:
            self._spoilt = error
            raise

    def part(self) -> None:
        """The end: the object cleans up what its process would leave behind, by its `close`."""
        close = getattr(self._object, "close", None)
        if close is not None:
            close()

    @contextmanager
    def _naming_the_member(self, method: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            note = f"in {method} of member {self._member}"
            if _travels(error):
                error.add_note(note)
                raise
            raise MemberFailed(f"{type(error).__name__} {note}: {error}") from error


def _each(values: object, takers: tuple[int, ...]) -> list[object]:
    if not isinstance(values, dict) or values.keys() != set(takers):
        found = f"for {sorted(values)}" if isinstance(values, dict) else type(values)
        raise TypeError(f"a dealt method returns values for {sorted(takers)}, not {found}")
    return [values[taker] for taker in takers]


def _travels(error: Exception) -> bool:
    """Whether the exception survives pickling; many with their own `__init__` do not."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its own methods raise, it does not travel
        return False
    return True


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


class Packed:
    """A value as bytes, so that nobody can write into what another holds."""

    def __init__(self, value: object) -> None:
        buffers: list[pickle.PickleBuffer] = []
        self._body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        self._buffers = [buffer.raw().tobytes() for buffer in buffers]

    def value(self) -> Any:
        """The value; the memory of its arrays is immutable."""
        return pickle.loads(self._body, buffers=self._buffers)
