"""Helpers for crews and pools on Ray: end actors, and classify Ray's errors.

Imports Ray. See `cluster.ray_session`.
"""

import sys
from collections.abc import Collection
from typing import Any

import ray
from ray._private import worker as ray_worker
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    WorkerCrashedError,
)

EXIT_TIMEOUT = 5.0
"""Seconds to wait for actors to end. A machine without a network never answers."""

LOSSES = (RayActorError, ObjectLostError, OutOfMemoryError, NodeDiedError, WorkerCrashedError)
"""The errors by which Ray reports that an actor is gone."""


_ESSENTIAL = ("gcs_server", "raylet")
"""Ray's names for the processes without which a private Ray does not work."""


def lost_process() -> str | None:
    """Ray's name of the first process of a private Ray that has died; None if all live."""
    # Ray has no public API for its own processes.
    node = ray_worker._global_node if ray.is_initialized() else None
    dead = [] if node is None else [name for name, _ in node.dead_processes()]
    return next((name for name in _ESSENTIAL if name in dead), None)


def can_end_actors() -> bool:
    """Whether it is worthwhile to ask Ray to end actors.

    Not if Ray can no longer answer; nor while this program ends together with its private Ray, with
    all actors. Then a signal may have ended Ray as well, and calls would wait for it.
    """
    if not ray.is_initialized() or lost_process() is not None:
        return False
    node, error = ray_worker._global_node, sys.exception()
    if node is None or not node.is_head():
        return True
    while isinstance(error, Exception | GeneratorExit):
        error = error.__context__
    return error is None


def close_actors(actors: Collection[Any]) -> None:
    """Call `close` on these `MemberActor`s, and wait at most EXIT_TIMEOUT."""
    if actors and can_end_actors():
        closing = [actor.close.remote() for actor in actors]
        ray.wait(closing, num_returns=len(closing), timeout=EXIT_TIMEOUT)


def kill_actors(actors: Collection[Any]) -> None:
    """Kill the actors, and wait at most EXIT_TIMEOUT until they are dead."""
    for actor in actors:
        ray.kill(actor)
    answers = [actor.__ray_ready__.remote() for actor in actors]
    if answers:
        ray.wait(answers, num_returns=len(answers), timeout=EXIT_TIMEOUT)


def loss_reason(error: BaseException) -> str:
    """One line about an error: its class and the last line of its message."""
    if not isinstance(error, RayError):
        return f"{type(error).__name__}: {error}"
    # Ray appends a list of possible causes.
    text, _, _causes = str(error).strip().splitlines()[-1].partition(" Some common causes")
    return f"{type(error).__name__}: {text.strip()}"
