"""Helpers for crews and pools on Ray: end actors, and classify Ray's errors.

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
"""Seconds to wait for actors to end. A machine without a network never answers."""

LOSSES = (RayActorError, ObjectLostError, OutOfMemoryError, NodeDiedError, WorkerCrashedError)
"""The errors by which Ray reports that an actor is gone."""


def close_actors(actors: Collection[Any]) -> None:
    """Call `close` on these `MemberActor`s, and wait at most EXIT_TIMEOUT."""
    if actors and ray.is_initialized():
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
