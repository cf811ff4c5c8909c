"""A crew on Ray: one actor a member.

Imports Ray, so it is not imported by name: `cluster.ray_session` hands out `RayCrew` once Ray has
been told how to behave.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import ray
from ray._private.state import state
from ray.exceptions import (
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    TaskCancelledError,
    WorkerCrashedError,
)
from ray.util.placement_group import placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from cluster.actor import Host, answered_by
from cluster.crew import Arguments, Crew, Parcel
from cluster.errors import ClusterError, Interrupted, MemberLost, NoRoom
from cluster.resources import Berth

_LAST_BREATH = 5.0
"""Seconds to wait for members to part, and for an answer of the dead: a machine that is cut off
never says so."""

_LOSSES = (RayActorError, ObjectLostError, OutOfMemoryError, NodeDiedError, WorkerCrashedError)


class RayCrew(Crew):
    """Members are actors that are placed all at once or not at all, and never restarted.

    `kind` is pickled by reference: its module must be importable where the members run.
    """

    def __init__(
        self,
        kind: Callable[..., object],
        arguments: Sequence[tuple[object, ...]],
        berth: Berth,
    ) -> None:
        """Start one member, `kind(*arguments[i])`, for each tuple of arguments.

        Raises:
            NoRoom: the cluster is too small, or too busy for `berth.start_timeout`.
            Exception: a constructor's own.
        """
        super().__init__(len(arguments))
        _refuse_what_never_fits(self.size, berth)
        self._hosts: list[Any] = []
        self._awaited: list[Any] = []
        self._is_interrupted = False
        self._place = placement_group([berth.bundle()] * self.size, strategy="PACK")
        try:
            self._start(berth)
            self._values(
                host.build.remote(kind, *own)
                for host, own in zip(self._hosts, arguments, strict=True)
            )
        except BaseException:
            self.close()
            raise

    def _start(self, berth: Berth) -> None:
        deadline = time.monotonic() + berth.start_timeout
        while not self._place.wait(1):
            if time.monotonic() > deadline:
                raise NoRoom(
                    f"a crew of {self.size} with {berth} each found no room within "
                    f"{berth.start_timeout:g} s: {_described(ray.available_resources())} free; "
                    "wait until other crews have ended"
                )
        actor = ray.remote(_Actor)
        options = {
            "num_cpus": berth.cpus,
            "num_gpus": berth.gpus,
            "max_restarts": 0,
            "runtime_env": {"env_vars": berth.variables()},
        }
        for member in range(self.size):
            seat = PlacementGroupSchedulingStrategy(self._place, member)
            self._hosts.append(actor.options(**options, scheduling_strategy=seat).remote(member))
        try:
            self._values(
                (host.__ray_ready__.remote() for host in self._hosts),
                timeout=max(deadline - time.monotonic(), 0),
            )
        except GetTimeoutError:
            raise NoRoom(
                f"the {self.size} members of a crew had not all started after "
                f"{berth.start_timeout:g} s: raise the start timeout, or ask for fewer"
            ) from None

    def _call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        self._is_interrupted = False
        self._awaited = [
            self._hosts[member].run.remote(method, *own) for member, own in arguments.items()
        ]
        try:
            values = self._values(self._awaited)
        except MemberLost:
            raise
        except Exception as error:
            if self._is_interrupted:
                raise Interrupted("the crew was interrupted") from error
            raise
        finally:
            self._awaited = []
        if self._is_interrupted:
            raise Interrupted("the crew was interrupted")
        return dict(zip(arguments, values, strict=True))

    def _deal(
        self, giver: int, takers: tuple[int, ...], method: str, arguments: tuple[object, ...]
    ) -> Sequence[Parcel]:
        made = self._hosts[giver].hand.remote(takers, method, *arguments)
        return (made,) * len(takers)

    def _values(self, asked: Iterable[Any], timeout: float | None = None) -> list[Any]:
        references = list(asked)
        try:
            values: list[Any] = ray.get(references, timeout=timeout)
        except GetTimeoutError:
            raise
        except RayError as error:
            # Of a parcel that its maker's loss has spoilt, Ray says that the taker failed.
            cause = error.cause if isinstance(error, RayTaskError) else error
            if isinstance(cause, TaskCancelledError):
                ray.wait(references, num_returns=len(references))
                raise cause from error
            if isinstance(cause, RayError):
                raise self._loss(cause) from error
            ray.wait(references, num_returns=len(references))
            raise cause from error
        return values

    def _loss(self, error: RayError) -> ClusterError:
        news, _, _guesses = str(error).strip().splitlines()[-1].partition(" Some common causes")
        reason = f"{type(error).__name__}: {news.strip()}"
        if not isinstance(error, _LOSSES):
            return ClusterError(reason)
        names = {host._actor_id.hex(): member for member, host in enumerate(self._hosts)}
        member = names.get(getattr(error, "actor_id", None))
        if member is None:
            member = self._first_dead()
        return ClusterError(reason) if member is None else MemberLost(member, reason)

    def _first_dead(self) -> int | None:
        """The dead answer at once, with an error; the living may be busy."""
        words = [host.__ray_ready__.remote() for host in self._hosts]
        answers, _ = ray.wait(words, num_returns=len(words), timeout=_LAST_BREATH)
        for member, word in enumerate(words):
            if word in answers and _failed(word):
                return member
        return None

    def _is_leaving(self) -> bool:
        # Ray tells of machines that were given notice (`ray drain-node`; autoscalers, too) only by
        # what its own libraries use.
        seats = placement_group_table(self._place)["bundles_to_node_id"]
        return not state.get_draining_nodes().keys().isdisjoint(seats.values())

    def _interrupt(self) -> None:
        awaited = self._awaited
        self._is_interrupted = bool(awaited)
        for reference in awaited:
            ray.cancel(reference)

    def _part(self) -> None:
        if ray.is_initialized() and self._hosts:
            partings = [host.part.remote() for host in self._hosts]
            ray.wait(partings, num_returns=len(partings), timeout=_LAST_BREATH)

    def _release(self) -> None:
        if not ray.is_initialized():
            return
        for host in self._hosts:
            ray.kill(host)
        last_words = [host.__ray_ready__.remote() for host in self._hosts]
        if last_words:
            ray.wait(last_words, num_returns=len(last_words), timeout=_LAST_BREATH)
        self._hosts.clear()
        remove_placement_group(self._place)


class _Made(NamedTuple):
    """What a deal made, by who is to take it: references to what stays in its maker's store.

    What a method returns would go through its caller, for all takers, where it is below 100 kB.
    """

    references: dict[int, Any]


class _Actor(Host):
    def run(self, method: str, *arguments: object) -> Any:
        with answered_by(ray.get_runtime_context().is_canceled):
            return super().run(method, *self._fetched(arguments))

    def hand(self, takers: tuple[int, ...], method: str, *arguments: object) -> _Made:
        """Like `deal`, but what is dealt stays here until its takers fetch it."""
        values = self.deal(takers, method, *arguments)
        return _Made({taker: ray.put(own) for taker, own in zip(takers, values, strict=True)})

    def _fetched(self, arguments: tuple[object, ...]) -> list[object]:
        parcels = [one.references[self._member] for one in arguments if isinstance(one, _Made)]
        values = iter(ray.get(parcels))
        return [next(values) if isinstance(one, _Made) else one for one in arguments]


def _failed(reference: Any) -> bool:
    try:
        ray.get(reference)
    except RayError:
        return True
    return False


def _refuse_what_never_fits(size: int, berth: Berth) -> None:
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(
        berth.fits_into(machine.get("CPU", 0), machine.get("GPU", 0)) for machine in machines
    )
    if size > room:
        raise NoRoom(
            f"a crew of {size} with {berth} each does not fit: the cluster has room for {room} "
            f"({_described(ray.cluster_resources())} on {len(machines)} machines); ask for fewer "
            "members or smaller ones, or add machines"
        )


def _described(resources: dict[str, float]) -> str:
    return f"{resources.get('CPU', 0):g} CPU and {resources.get('GPU', 0):g} GPU"
