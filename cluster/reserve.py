"""Berths asked for ahead: what a crew may start with, and what it may grow into."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Reserve(ABC):
    """Berths, each granted as soon as a machine has room for it, and then kept free.

    What has not been granted is what an autoscaler sees, and starts machines for.
    """

    @property
    @abstractmethod
    def granted(self) -> int:
        """How many have been granted so far."""

    @abstractmethod
    def close(self) -> None:
        """Let all of them go. A closed reserve can be closed again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
