"""A crew on Ray: each member is an actor.

Imports Ray. `local_ray` and `joined_ray` of `cluster.ray_session` configure Ray first, and then
yield `RayCrew`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import ray
from ray._private.state import state
from ray.exceptions import GetTimeoutError, RayError, RayTaskError, TaskCancelledError
from ray.util.placement_group import placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from cluster.actor import MemberActor, cancelled_by
from cluster.crew import Arguments, Crew, ObjectRef
from cluster.errors import CallCancelled, ClusterError, InsufficientCapacity, MemberLost
from cluster.ray_actors import (
    EXIT_TIMEOUT,
    LOSSES,
    can_end_actors,
    close_actors,
    kill_actors,
    loss_reason,
)
from cluster.resources import Resources


class RayCrew(Crew):
    """A crew of Ray actors. All are placed together, and none is ever restarted.

    The factory is pickled by reference, so its module must be importable on the members' machines.
    """

    def __init__(
        self,
        factory: Callable[..., object],
        arguments: Sequence[tuple[object, ...]],
        resources: Resources,
    ) -> None:
        """Start one member, `factory(*arguments[i])`, for each tuple of arguments.

        Args:
            factory: creates a member's object. It is pickled by reference.
            arguments: the positional arguments of the factory, by member.
            resources: the resources of each member.

        Raises:
            InsufficientCapacity: the cluster is too small, or was too busy for
                `resources.start_timeout` seconds.
            Exception: an error of the factory.
        """
        super().__init__(len(arguments))
        _check_fits_cluster(self.size, resources)
        self._actors: list[Any] = []
        self._awaited: list[Any] = []
        self._is_cancelled = False
        self._placement = placement_group([resources.bundle()] * self.size, strategy="PACK")
        try:
            self._start_actors(resources)
            self._get(
                actor.build.remote(factory, *member_arguments)
                for actor, member_arguments in zip(self._actors, arguments, strict=True)
            )
        except BaseException:
            self.close()
            raise

    def _start_actors(self, resources: Resources) -> None:
        deadline = time.monotonic() + resources.start_timeout
        while not self._placement.wait(1):
            if time.monotonic() > deadline:
                raise InsufficientCapacity(
                    f"a crew of {self.size} with {resources} each could not be placed within "
                    f"{resources.start_timeout:g} s: only "
                    f"{_describe_amounts(ray.available_resources())} are free; "
                    "wait until other crews have ended"
                )
        actor_class = ray.remote(CrewActor)
        options = {
            "num_cpus": resources.cpus,
            "num_gpus": resources.gpus,
            "max_restarts": 0,
            "runtime_env": {"env_vars": resources.process_environment()},
        }
        for member in range(self.size):
            strategy = PlacementGroupSchedulingStrategy(self._placement, member)
            actor = actor_class.options(**options, scheduling_strategy=strategy).remote(member)
            self._actors.append(actor)
        try:
            self._get(
                (actor.__ray_ready__.remote() for actor in self._actors),
                timeout=max(deadline - time.monotonic(), 0),
            )
        except GetTimeoutError:
            raise InsufficientCapacity(
                f"the {self.size} members of a crew did not all start within "
                f"{resources.start_timeout:g} s: request fewer members, or check the machines' load"
            ) from None

    def _call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        self._is_cancelled = False
        self._awaited = [
            self._actors[member].run.remote(method, *member_arguments)
            for member, member_arguments in arguments.items()
        ]
        try:
            values = self._get(self._awaited)
        except MemberLost:
            raise
        except Exception as error:
            if self._is_cancelled:
                raise CallCancelled("the call was cancelled") from error
            raise
        finally:
            self._awaited = []
        if self._is_cancelled:
            raise CallCancelled("the call was cancelled")
        return dict(zip(arguments, values, strict=True))

    def _exchange(
        self, sender: int, receivers: tuple[int, ...], method: str, arguments: tuple[object, ...]
    ) -> Sequence[ObjectRef]:
        exchanged = self._actors[sender].exchange_refs.remote(receivers, method, *arguments)
        return (exchanged,) * len(receivers)

    def _get(self, answers: Iterable[Any], timeout: float | None = None) -> list[Any]:
        """Wait for the values of Ray's object refs.

        Raise a method's exception after all methods have ended, and a loss immediately.
        """
        refs = list(answers)
        try:
            values: list[Any] = ray.get(refs, timeout=timeout)
        except GetTimeoutError:
            raise
        except RayError as error:
            # If the sender of an argument is lost, Ray reports an error of the receiver's task.
            cause = error.cause if isinstance(error, RayTaskError) else error
            if isinstance(cause, TaskCancelledError):
                ray.wait(refs, num_returns=len(refs))
                raise cause from error
            if isinstance(cause, RayError):
                raise self._cluster_error(cause) from error
            ray.wait(refs, num_returns=len(refs))
            raise cause from error
        return values

    def _cluster_error(self, error: RayError) -> ClusterError:
        reason = loss_reason(error)
        if not isinstance(error, LOSSES):
            return ClusterError(reason)
        members = {actor._actor_id.hex(): member for member, actor in enumerate(self._actors)}
        member = members.get(getattr(error, "actor_id", None))
        if member is None:
            member = self._first_dead()
        return ClusterError(reason) if member is None else MemberLost(member, reason)

    def _first_dead(self) -> int | None:
        """The first dead member, or None.

        Dead actors answer immediately, with an error. Live actors may be busy and answer late.
        """
        answers = [actor.__ray_ready__.remote() for actor in self._actors]
        ready, _ = ray.wait(answers, num_returns=len(answers), timeout=EXIT_TIMEOUT)
        for member, answer in enumerate(answers):
            if answer in ready and _has_failed(answer):
                return member
        return None

    def _is_draining(self) -> bool:
        # Ray has no public API for draining nodes (`ray drain-node`, autoscalers).
        nodes = placement_group_table(self._placement)["bundles_to_node_id"]
        return not state.get_draining_nodes().keys().isdisjoint(nodes.values())

    def _cancel_call(self) -> None:
        awaited = self._awaited
        self._is_cancelled = bool(awaited)
        for ref in awaited:
            ray.cancel(ref)

    def _close_members(self) -> None:
        close_actors(self._actors)

    def _free(self) -> None:
        if can_end_actors():
            kill_actors(self._actors)
            self._actors.clear()
            remove_placement_group(self._placement)


class _Exchanged(NamedTuple):
    """What a member sent in an exchange: refs to values in the sender's object store, by receiver.

    Ray would send values below 100 kB through the process that called the method. Refs keep all
    values out of it.
    """

    refs: dict[int, Any]


class CrewActor(MemberActor):
    """A member's actor on Ray. Its class name is in the process title: `ray::CrewActor`."""

    def run(self, method: str, *arguments: object) -> Any:
        """Like `MemberActor.run`; exchanged arguments are replaced by their values."""
        with cancelled_by(ray.get_runtime_context().is_canceled):
            return super().run(method, *self._resolve(arguments))

    def exchange_refs(
        self, receivers: tuple[int, ...], method: str, *arguments: object
    ) -> _Exchanged:
        """Like `exchange`, but the values stay here until their receivers fetch them."""
        values = self.exchange(receivers, method, *arguments)
        return _Exchanged(
            {receiver: ray.put(value) for receiver, value in zip(receivers, values, strict=True)}
        )

    def _resolve(self, arguments: tuple[object, ...]) -> list[object]:
        refs = [
            argument.refs[self._member]
            for argument in arguments
            if isinstance(argument, _Exchanged)
        ]
        values = iter(ray.get(refs))
        return [
            next(values) if isinstance(argument, _Exchanged) else argument for argument in arguments
        ]


def _has_failed(answer: Any) -> bool:
    try:
        ray.get(answer)
    except RayError:
        return True
    return False


def _check_fits_cluster(size: int, resources: Resources) -> None:
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    most = sum(
        resources.members_per_machine(machine.get("CPU", 0), machine.get("GPU", 0))
        for machine in machines
    )
    if size > most:
        raise InsufficientCapacity(
            f"a crew of {size} with {resources} each does not fit: the cluster has room for {most} "
            f"({_describe_amounts(ray.cluster_resources())} on {len(machines)} machines); request "
            "fewer members or smaller ones, or add machines"
        )


def _describe_amounts(amounts: dict[str, float]) -> str:
    return f"{amounts.get('CPU', 0):g} CPU and {amounts.get('GPU', 0):g} GPU"
