"""What a holder is asked to do while its crew works: by users, signals, and other holders."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from cluster.crew import Crew

Want = Literal["regroup", "yield", "pause", "drain", "cancel", "lost"]
"""regroup: to stop at the next step boundary, and go on with a crew of another size. yield: the
same, for a job of higher priority."""


_URGENT: tuple[Want, ...] = ("drain", "cancel", "lost")
"""Worth abandoning a step for, the more urgent the later. The others wait for its end."""


_ORDER: tuple[Want, ...] = ("regroup", "yield", "pause", *_URGENT)


class Stopped(Exception):  # noqa: N818 - the news is in the name
    """The holder stopped because it was asked to."""

    def __init__(self, want: Want) -> None:
        super().__init__(want)
        self.want = want

    @property
    def keeps(self) -> bool:
        """Whether somebody will go on, so that the canvas is worth writing."""
        return self.want in ("regroup", "yield", "pause", "drain")


class Control:
    """Wishes from any thread or signal handler; the most urgent one counts."""

    def __init__(self) -> None:
        self._wishes: set[Want] = set()
        self._is_shielded = False
        self._noticed = threading.Event()
        self._crew: Crew | None = None

    @contextmanager
    def over(self, crew: Crew) -> Iterator[None]:
        """Within, urgent wishes interrupt this crew."""
        self._crew = crew
        try:
            yield
        finally:
            self._crew = None

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Within, the crew is left to finish what would be a pity to lose."""
        self._is_shielded = True
        try:
            yield
        finally:
            self._is_shielded = False

    def ask(self, want: Want) -> None:
        """Wish for something; a less urgent wish than there is changes nothing."""
        self._wishes.add(want)

    def regrouped(self) -> None:
        """Forget the wish for another crew: there is going to be one."""
        self._wishes.discard("regroup")
        if self.wanted is None:
            self._noticed.clear()

    @property
    def wanted(self) -> Want | None:
        """The most urgent wish so far."""
        return max(tuple(self._wishes), key=_ORDER.index, default=None)

    @property
    def must_leave(self) -> bool:
        """Whether there are only seconds left."""
        return self.wanted in _URGENT

    def urge(self) -> None:
        """Interrupt the crew where that is wished for and the holder has not noticed yet.

        Not for signal handlers: they run in the midst of the call that is to be interrupted.
        """
        crew = self._crew
        is_late = self._noticed.is_set() or self._is_shielded
        if crew is not None and self.must_leave and not is_late:
            crew.interrupt()

    def stopped(self) -> Stopped:
        """What to raise for the wish; from now on the crew's calls come to their own ends."""
        wanted = self.wanted
        if wanted is None:
            raise ValueError("nobody asked")
        self._noticed.set()
        return Stopped(wanted)
