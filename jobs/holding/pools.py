"""Where a holder's pools come from: this process, a Ray of its own, or a cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from cluster.berth import Berth
from cluster.pool import Pool

Kind = Callable[..., object]
StartPool = Callable[[Kind, Sequence[tuple[object, ...]], Berth, int], AbstractContextManager[Pool]]
"""Starts a pool: a member of `kind` for each tuple of arguments, each with its berth and so many
tasks at once; ends it after."""

_STORE = 100 << 20
"""Bytes of Ray's own store: rows are small, and pictures do not pass through it."""


@contextmanager
def pool_in_process(
    kind: Kind,
    arguments: Sequence[tuple[object, ...]],
    berth: Berth,  # noqa: ARG001 - this process has one
    depth: int,
) -> Iterator[Pool]:
    """Without Ray, one task after the other."""
    from cluster.local_pool import LocalPool

    with LocalPool(kind, arguments, depth) as pool:
        yield pool


@contextmanager
def pool_on_own_ray(
    kind: Kind, arguments: Sequence[tuple[object, ...]], berth: Berth, depth: int
) -> Iterator[Pool]:
    """On a private Ray of this machine, which ends with the pool."""
    from cluster.machine import local_ray

    with (
        local_ray(berth.cpus * len(arguments), _STORE, round(berth.gpus * len(arguments))),
        pool_on_ray(kind, arguments, berth, depth) as pool,
    ):
        yield pool


@contextmanager
def pool_on_ray(
    kind: Kind, arguments: Sequence[tuple[object, ...]], berth: Berth, depth: int
) -> Iterator[Pool]:
    """On a Ray that this process has joined."""
    from cluster.ray_pool import RayPool

    with RayPool(kind, arguments, berth, depth) as pool:
        yield pool
