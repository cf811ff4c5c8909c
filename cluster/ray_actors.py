"""What crews and pools on Ray share: ending their actors, and telling losses from other errors.

Imports Ray. See `cluster.ray_session`.
"""

from collections.abc import Collection
from typing import Any

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    WorkerCrashedError,
)

EXIT_TIMEOUT = 5.0
"""Seconds to wait for actors that are ending, or are dead. A machine that is cut off never
answers."""

LOSSES = (RayActorError, ObjectLostError, OutOfMemoryError, NodeDiedError, WorkerCrashedError)
"""The errors by which Ray reports that an actor is gone."""


def close_actors(actors: Collection[Any]) -> None:
    """Let the objects of these `MemberActor`s clean up."""
    if actors and ray.is_initialized():
        closing = [actor.close.remote() for actor in actors]
        ray.wait(closing, num_returns=len(closing), timeout=EXIT_TIMEOUT)


def kill_actors(actors: Collection[Any]) -> None:
    """Kill the actors and wait until they are dead."""
    for actor in actors:
        ray.kill(actor)
    answers = [actor.__ray_ready__.remote() for actor in actors]
    if answers:
        ray.wait(answers, num_returns=len(answers), timeout=EXIT_TIMEOUT)


def loss_reason(error: BaseException) -> str:
    """One line about an error: its class and the last line of its message."""
    if not isinstance(error, RayError):
        return f"{type(error).__name__}: {error}"
    # Ray appends guesses at the cause.
    said, _, _guesses = str(error).strip().splitlines()[-1].partition(" Some common causes")
    return f"{type(error).__name__}: {said.strip()}"
