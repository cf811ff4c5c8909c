"""A pool on Ray: each member is an actor.

Imports Ray. Import it only within `local_ray` or `joined_ray` of `cluster.ray_session`, which
configure Ray first.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, NodeDiedError, RayTaskError

from cluster.actor import MemberActor
from cluster.dispatcher import Assignment
from cluster.errors import ClusterError, InsufficientCapacity
from cluster.pool import Pool
from cluster.ray_actors import LOSSES, can_end_actors, close_actors, kill_actors, loss_reason
from cluster.resources import Resources
from cluster.task import Outcome

_CHECK_INTERVAL = 1.0
"""Seconds without an event until the pool checks that Ray still runs and has free resources."""

_BLAMELESS_LOSSES = (NodeDiedError, ActorUnavailableError)
_NODE_DIED = "its node has died"
"""Ray has no error class for an actor whose machine disappeared, only this text."""

_Answer = Future[Any]
_Event = Callable[[], Sequence[Outcome]]


class RayPool(Pool):
    """A pool of Ray actors. Each is placed separately, and replaced if it is lost.

    The pool works with the members that are placed; the others join later. The factory is pickled
    by reference, so its module must be importable on the members' machines.
    """

    def __init__(
        self,
        factory: Callable[..., object],
        arguments: Sequence[tuple[object, ...]],
        resources: Resources,
        depth: int,
    ) -> None:
        """Start one member, `factory(*arguments[i])`, for each tuple; wait for the first.

        Args:
            factory: creates a member's object. It is pickled by reference.
            arguments: the positional arguments of the factory, by member.
            resources: the resources of each member.
            depth: how many tasks a member runs at once, in threads.

        Raises:
            InsufficientCapacity: no member was placed within `resources.start_timeout` seconds.
                `run` raises it too, if all members are lost and none is placed again in time.
            MemberLost: every member is lost while it runs its constructor.
            Exception: an error of the factory.
        """
        super().__init__(len(arguments), depth)
        self._factory = factory
        self._arguments = arguments
        self._resources = resources
        self._actor_class = ray.remote(MemberActor).options(
            num_cpus=resources.cpus,
            num_gpus=resources.gpus,
            max_restarts=0,
            max_concurrency=depth,
            runtime_env={"env_vars": resources.process_environment()},
        )
        self._actors: dict[int, Any] = {}
        self._placed: set[int] = set()
        self._none_placed_since = time.monotonic()
        self._events: SimpleQueue[_Event] = SimpleQueue()
        self._start_members()

    def _start_member(self, member: int) -> None:
        _check_ray_runs()
        if member in self._actors:
            ray.kill(self._actors[member])
        if self._placed == {member}:
            self._none_placed_since = time.monotonic()
        self._placed.discard(member)
        actor = self._actor_class.remote(member)
        self._actors[member] = actor
        self._watch(actor.__ray_ready__.remote(), partial(self._on_placed, member, actor))
        building = actor.build.remote(self._factory, *self._arguments[member])
        self._watch(building, partial(self._on_built, member, actor))

    def _submit(self, assignment: Assignment) -> None:
        _check_ray_runs()
        task, actor = assignment.task, self._actors[assignment.member]
        answer = actor.run.remote(task.method, *task.arguments)
        self._watch(answer, partial(self._on_answer, assignment, actor))

    def _watch(self, ref: Any, handler: Callable[[_Answer], Sequence[Outcome]]) -> None:
        # The cost of a future does not grow with the number of tasks; `ray.wait` scans them all.
        future: _Answer = ref.future()
        future.add_done_callback(lambda answer: self._events.put(partial(handler, answer)))

    def _wait_for_event(self, timeout: float, /) -> Sequence[Outcome]:
        try:
            return self._events.get(timeout=min(timeout, _CHECK_INTERVAL))()
        except Empty:
            self._check_cluster()
            return ()

    def _check_cluster(self) -> None:
        _check_ray_runs()
        if self._placed:
            return
        if not any(node["Alive"] for node in ray.nodes()):
            raise ClusterError("the pool's cluster has no machine left: start or join another")
        if time.monotonic() - self._none_placed_since > self._resources.start_timeout:
            raise InsufficientCapacity(
                f"no member of a pool with {self._resources} each could be placed within "
                f"{self._resources.start_timeout:g} s: wait until others have ended, request "
                "smaller members, or add machines"
            )

    def _on_placed(self, member: int, actor: Any, answer: _Answer) -> Sequence[Outcome]:
        error = answer.exception()
        if error is not None:
            return self._on_loss(member, actor, error)
        if self._actors[member] is actor:
            self._placed.add(member)
        return ()

    def _on_built(self, member: int, actor: Any, answer: _Answer) -> Sequence[Outcome]:
        error = answer.exception()
        if isinstance(error, RayTaskError):
            raise error.cause from error
        if error is not None:
            return self._on_loss(member, actor, error)
        if self._actors[member] is actor:
            self._dispatcher.member_started(member)
        return ()

    def _on_answer(self, assignment: Assignment, actor: Any, answer: _Answer) -> Sequence[Outcome]:
        error = answer.exception()
        if error is None:
            return self._dispatcher.task_returned(assignment.ticket, answer.result())
        if isinstance(error, RayTaskError):
            # The text of Ray's error contains the member's traceback.
            error.cause.__cause__ = error
            return self._dispatcher.task_raised(assignment.ticket, error.cause)
        return self._on_loss(assignment.member, actor, error)

    def _on_loss(self, member: int, actor: Any, error: BaseException) -> Sequence[Outcome]:
        if self._actors[member] is not actor:
            return ()
        reason = loss_reason(error)
        if not isinstance(error, LOSSES):
            raise ClusterError(reason) from error
        is_blameless = isinstance(error, _BLAMELESS_LOSSES) or _NODE_DIED in str(error)
        return self._dispatcher.member_lost(member, reason, is_blameless=is_blameless)

    def _close_members(self) -> None:
        close_actors(self._actors.values())

    def _free(self) -> None:
        if can_end_actors():
            kill_actors(self._actors.values())
            self._actors.clear()


def _check_ray_runs() -> None:
    # After Ray has ended, the next request to it would start a new one.
    if not ray.is_initialized():
        raise ClusterError("the pool's Ray session has ended: start another session and pool")
