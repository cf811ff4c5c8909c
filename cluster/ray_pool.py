"""A pool on Ray: one actor a member.

Imports Ray, so import it only within `local_ray` or `joined_ray` of `cluster.ray_session`, which
tells Ray how to behave.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from cluster.actor import Host
from cluster.dispatcher import Deal
from cluster.errors import ClusterError, NoRoom
from cluster.pool import Pool
from cluster.resources import Berth
from cluster.task import Outcome

_GLANCE = 1.0
"""Seconds between looks at whether Ray is still there and has room."""

_LAST_BREATH = 5.0
"""Seconds to wait for members to part, and for an answer of the dead: a machine that is cut off
never says so."""

_LOSSES = (RayActorError, ObjectLostError, OutOfMemoryError, NodeDiedError, WorkerCrashedError)

_NO_TASKS_FAULT = (NodeDiedError, ActorUnavailableError)
_NODE_DIED = "its node has died"
"""What Ray says of an actor on a machine that was taken away, for which it has no error."""

_Answer = Future[Any]


class RayPool(Pool):
    """Members are actors, each placed on its own and replaced by a new one when it is lost.

    The pool works with those that have found a place; the others join when they do. `kind` is
    pickled by reference: its module must be importable where the members run.
    """

    def __init__(
        self,
        kind: Callable[..., object],
        arguments: Sequence[tuple[object, ...]],
        berth: Berth,
        depth: int,
    ) -> None:
        """Start one member, `kind(*arguments[i])`, for each tuple of arguments; await the first.

        Raises:
            NoRoom: not one has found a place within `berth.start_timeout`. So does `run`, when
                all are lost and none finds a place again.
            MemberLost: they are lost in their constructor, again and again.
            Exception: a constructor's own.
        """
        super().__init__(len(arguments), depth)
        self._kind = kind
        self._arguments = arguments
        self._berth = berth
        self._actor = ray.remote(Host).options(
            num_cpus=berth.cpus,
            num_gpus=berth.gpus,
            max_restarts=0,
            max_concurrency=depth,
            runtime_env={"env_vars": berth.variables()},
        )
        self._hosts: dict[int, Any] = {}
        self._placed: set[int] = set()
        self._homeless_since = time.monotonic()
        self._news: SimpleQueue[Callable[[], Sequence[Outcome]]] = SimpleQueue()
        self._muster()

    def _start(self, member: int) -> None:
        _refuse_without_ray()
        if member in self._hosts:
            ray.kill(self._hosts[member])
        if self._placed == {member}:
            self._homeless_since = time.monotonic()
        self._placed.discard(member)
        host = self._actor.remote(member)
        self._hosts[member] = host
        self._expect(host.__ray_ready__.remote(), partial(self._found_a_place, member, host))
        building = host.build.remote(self._kind, *self._arguments[member])
        self._expect(building, partial(self._built, member, host))

    def _hand(self, deal: Deal) -> None:
        _refuse_without_ray()
        host = self._hosts[deal.member]
        asked = host.run.remote(deal.task.method, *deal.task.arguments)
        self._expect(asked, partial(self._answered, deal, host))

    def _expect(self, asked: Any, learn: Callable[[_Answer], Sequence[Outcome]]) -> None:
        # A future costs the same however many are in flight; `ray.wait` looks through all.
        future: _Answer = asked.future()
        future.add_done_callback(lambda answer: self._news.put(partial(learn, answer)))

    def _attend(self, seconds: float, /) -> Sequence[Outcome]:
        try:
            return self._news.get(timeout=min(seconds, _GLANCE))()
        except Empty:
            self._look_around()
            return ()

    def _look_around(self) -> None:
        _refuse_without_ray()
        if self._placed:
            return
        if not any(node["Alive"] for node in ray.nodes()):
            raise ClusterError("the pool's Ray has no machine left: start or join another")
        if time.monotonic() - self._homeless_since > self._berth.start_timeout:
            raise NoRoom(
                f"no member of a pool with {self._berth} each found room within "
                f"{self._berth.start_timeout:g} s: wait until others have ended, ask for smaller "
                "members, or add machines"
            )

    def _found_a_place(self, member: int, host: Any, answer: _Answer) -> Sequence[Outcome]:
        error = answer.exception()
        if error is not None:
            return self._lost(member, host, error)
        if self._hosts[member] is host:
            self._placed.add(member)
        return ()

    def _built(self, member: int, host: Any, answer: _Answer) -> Sequence[Outcome]:
        error = answer.exception()
        if isinstance(error, RayTaskError):
            raise error.cause from error
        if error is not None:
            return self._lost(member, host, error)
        if self._hosts[member] is host:
            self._dealer.welcome(member)
        return ()

    def _answered(self, deal: Deal, host: Any, answer: _Answer) -> Sequence[Outcome]:
        error = answer.exception()
        if error is None:
            return self._dealer.returned(deal.ticket, answer.result())
        if isinstance(error, RayTaskError):
            # Its text holds the trace that the member saw.
            error.cause.__cause__ = error
            return self._dealer.raised(deal.ticket, error.cause)
        return self._lost(deal.member, host, error)

    def _lost(self, member: int, host: Any, error: BaseException) -> Sequence[Outcome]:
        if self._hosts[member] is not host:
            return ()
        reason = _reason(error)
        if not isinstance(error, _LOSSES):
            raise ClusterError(reason) from error
        is_blameless = isinstance(error, _NO_TASKS_FAULT) or _NODE_DIED in str(error)
        return self._dealer.lost(member, reason, is_blameless=is_blameless)

    def _part(self) -> None:
        if ray.is_initialized() and self._hosts:
            partings = [host.part.remote() for host in self._hosts.values()]
            ray.wait(partings, num_returns=len(partings), timeout=_LAST_BREATH)

    def _release(self) -> None:
        if not ray.is_initialized():
            return
        for host in self._hosts.values():
            ray.kill(host)
        last_words = [host.__ray_ready__.remote() for host in self._hosts.values()]
        if last_words:
            ray.wait(last_words, num_returns=len(last_words), timeout=_LAST_BREATH)
        self._hosts.clear()


def _refuse_without_ray() -> None:
    # Ray would start anew for whoever asks it something after its end.
    if not ray.is_initialized():
        raise ClusterError("the pool's Ray is gone: start or join another")


def _reason(error: BaseException) -> str:
    if not isinstance(error, RayError):
        return f"{type(error).__name__}: {error}"
    news, _, _guesses = str(error).strip().splitlines()[-1].partition(" Some common causes")
    return f"{type(error).__name__}: {news.strip()}"
