"""The actor around one member's object. All crews and pools use it, on Ray and in process."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cluster.errors import MemberFailed


class MemberActor:
    """Holds one member's object and calls its methods by name."""

    def __init__(self, member: int) -> None:
        self._member = member
        self._object: object = None
        self._exchange_error: Exception | None = None

    def build(self, factory: Callable[..., object], *arguments: object) -> None:
        """Create the object: `factory(*arguments)`."""
        with self._errors_naming_member("the constructor"):
            self._object = factory(*arguments)

    def run(self, method: str, *arguments: object) -> Any:
        """Call a method and return its result.

        After a failed `exchange`, raise its error instead: the object may be half changed.
        """
        if self._exchange_error is not None:
            raise self._exchange_error
        with self._errors_naming_member(method):
            return getattr(self._object, method)(*arguments)

    def exchange(self, receivers: tuple[int, ...], method: str, *arguments: object) -> list[object]:
        """Call a method that returns a dict with one value for each receiver.

        Returns the values in the order of `receivers`. Raises TypeError if the keys of the dict
        are not exactly the receivers. The caller may never use the result, so this stores an
        error, and every later `run` or `exchange` of this member raises it.
        """
        try:
            values = self.run(method, *arguments)
            with self._errors_naming_member(method):
                return _values_for(receivers, values)
        except Exception as error:
            self._exchange_error = error
            raise

    def close(self) -> None:
        """Let the object clean up: call its `close` method if it has one."""
        close = getattr(self._object, "close", None)
        if close is not None:
            close()

    @contextmanager
    def _errors_naming_member(self, method: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            note = f"in {method} of member {self._member}"
            if _survives_pickling(error):
                error.add_note(note)
                raise
            raise MemberFailed(f"{type(error).__name__} {note}: {error}") from error


def _values_for(receivers: tuple[int, ...], values: object) -> list[object]:
    if not isinstance(values, dict) or values.keys() != set(receivers):
        returned = f"for {sorted(values)}" if isinstance(values, dict) else type(values)
        raise TypeError(
            f"a method that `exchange` calls must return values for {sorted(receivers)}, "
            f"not {returned}"
        )
    return [values[receiver] for receiver in receivers]


def _survives_pickling(error: Exception) -> bool:
    """Whether the exception can be pickled and unpickled.

    Many exceptions that define `__init__` cannot be unpickled.
    """
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - the methods of the exception may raise anything
        return False
    return True


def _never() -> bool:
    return False


_cancel_check: ContextVar[Callable[[], bool]] = ContextVar("cancel_check", default=_never)


def is_cancelled() -> bool:
    """Whether `Crew.cancel_call` was called for the method that is running here.

    A slow method should check this regularly and end early, with its object in a state from which
    the next method can continue. The crew drops what the method returns or raises.
    """
    return _cancel_check.get()()


@contextmanager
def cancelled_by(check: Callable[[], bool]) -> Iterator[None]:
    """Make `is_cancelled` return `check()` within the context."""
    token = _cancel_check.set(check)
    try:
        yield
    finally:
        _cancel_check.reset(token)


class Serialized:
    """A pickled copy of a value. Members that exchange values this way share no memory."""

    def __init__(self, value: object) -> None:
        buffers: list[pickle.PickleBuffer] = []
        self._pickle = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        self._buffers = [buffer.raw().tobytes() for buffer in buffers]

    def load(self) -> Any:
        """Unpickle the value. The memory of its arrays is read-only."""
        return pickle.loads(self._pickle, buffers=self._buffers)
