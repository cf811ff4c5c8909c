"""Requests to stop a run: from users, from signals, and from a lost lease."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from cluster.crew import Crew

StopRequest = Literal[
    "regroup", "yield", "budget", "draft", "limit", "pause", "shutdown", "cancel", "lost"
]
"""The reason to stop.

regroup: at the next step, to continue with a crew of another size. yield: at the next step, for a
job of higher priority. budget: at the next step, because that of the operator's day is spent.
draft: its octaves are dreamed. limit: at the next step, because the job has reached one of its
limits. pause: at the next step, for the user. shutdown: this process must end. cancel: the user
cancelled the job. lost: the lease is lost.
"""


_URGENT: tuple[StopRequest, ...] = ("shutdown", "cancel", "lost")
"""Requests that cancel a step, the most urgent last. The others wait for the end of the step."""


_ORDER: tuple[StopRequest, ...] = (
    *("regroup", "yield", "budget", "draft", "limit", "pause"),
    *_URGENT,
)


class Stopped(Exception):  # noqa: N818 - not an error
    """The work stopped because of a request."""

    def __init__(self, request: StopRequest) -> None:
        super().__init__(request)
        self.request = request

    @property
    def event(self) -> str:
        """The name of the event in the store, which is older than the name of the request."""
        return "drain" if self.request == "shutdown" else self.request

    @property
    def saves_canvas(self) -> bool:
        """Whether to commit the canvas first, because the job will continue from it."""
        return self.request in ("regroup", "yield", "budget", "limit", "pause", "shutdown")


class Control:
    """Collects requests to stop, from any thread or signal handler. The most urgent one wins."""

    def __init__(self) -> None:
        self._requests: set[StopRequest] = set()
        self._is_shielded = False
        self._acknowledged = threading.Event()
        self._crew: Crew | None = None

    @contextmanager
    def cancelling(self, crew: Crew) -> Iterator[None]:
        """Let urgent requests cancel the calls of this crew until the block ends."""
        self._crew = crew
        try:
            yield
        finally:
            self._crew = None

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let the crew finish its calls until the block ends, even after urgent requests."""
        self._is_shielded = True
        try:
            yield
        finally:
            self._is_shielded = False

    def request(self, request: StopRequest) -> None:
        """Add a request. It changes nothing if a more urgent one exists."""
        self._requests.add(request)

    def clear_regroup(self) -> None:
        """Remove the request to regroup, because the crew has ended."""
        self._requests.discard("regroup")
        if self.requested is None:
            self._acknowledged.clear()

    @property
    def requested(self) -> StopRequest | None:
        """The most urgent request so far, if any."""
        return max(tuple(self._requests), key=_ORDER.index, default=None)

    @property
    def must_stop_now(self) -> bool:
        """Whether the most urgent request leaves only seconds."""
        return self.requested in _URGENT

    def interrupt(self) -> None:
        """Cancel the crew's call if a request is urgent and the holder has not acknowledged it yet.

        Do not call this in a signal handler, which runs inside the call to cancel.
        """
        crew = self._crew
        is_late = self._acknowledged.is_set() or self._is_shielded
        if crew is not None and self.must_stop_now and not is_late:
            crew.cancel_call()

    def acknowledge(self) -> Stopped:
        """Acknowledge the request: from now on, no call of the crew is cancelled.

        Returns the exception that the caller must raise. Raises ValueError without a request.
        """
        request = self.requested
        if request is None:
            raise ValueError("there is no request to stop")
        self._acknowledged.set()
        return Stopped(request)
