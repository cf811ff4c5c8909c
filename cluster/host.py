"""What stands around one member's object, the same in every crew."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cluster.errors import MemberFailed


class Host:
    """Holds the object of one member and runs its methods by name."""

    def __init__(self, member: int) -> None:
        self._member = member
        self._object: object = None

    def build(self, kind: Callable[..., object], *arguments: object) -> None:
        """Make the object: `kind(*arguments)`."""
        with self._naming_the_member("the constructor"):
            self._object = kind(*arguments)

    def run(self, method: str, *arguments: object) -> Any:
        """Run a method and return its value."""
        with self._naming_the_member(method):
            return getattr(self._object, method)(*arguments)

    def deal(self, size: int, method: str, *arguments: object) -> tuple[object, ...]:
        """Run a method that returns a tuple of `size` values; TypeError if it does not."""
        with self._naming_the_member(method):
            values = getattr(self._object, method)(*arguments)
            if not isinstance(values, tuple) or len(values) != size:
                found = f"a tuple of {len(values)}" if isinstance(values, tuple) else type(values)
                raise TypeError(f"a dealt method returns a tuple of {size} values, not {found}")
            return values

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


def _travels(error: Exception) -> bool:
    """Whether the exception survives pickling; many with their own `__init__` do not."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its own methods raise, it does not travel
        return False
    return True
