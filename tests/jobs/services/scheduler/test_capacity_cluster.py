"""What a scheduler may use of a cluster that is here in part, and may grow."""

import pytest

from cluster import ray_query
from cluster.ray_query import Capacity
from jobs.services.scheduler.capacity import (
    ResourceShare,
    cluster_capacity_of,
    parse_autoscale_limit,
)
from jobs.text.errors import RequestError

GIB = float(1 << 30)
NOTHING = Capacity(0, 0, 0)


@pytest.mark.parametrize(
    ("text", "machines"),
    [
        ("16x8cpu,1gpu,32GiB", Capacity(128, 16, 512 * GIB)),
        ("4 x 2 CPU, 8GiB", Capacity(8, 0, 32 * GIB)),
    ],
)
def test_growth_is_said_in_machines(text: str, machines: Capacity) -> None:
    assert parse_autoscale_limit(text) == machines


@pytest.mark.parametrize(
    "text", ["", "16", "0x8cpu,1GiB", "4x0cpu,1GiB", "4x8cpu", "4x8cpu,1gpu,many"]
)
def test_what_is_no_growth_is_told_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match="such as 16x8cpu,1gpu,32GiB"):
        parse_autoscale_limit(text)


def test_what_is_not_there_yet_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    most = Capacity(8, 2, 16 * GIB)
    monkeypatch.setattr(ray_query, "query_capacity", lambda _: (NOTHING, NOTHING))
    found = cluster_capacity_of("here:1", most)([])
    assert (found.share, found.free) == (ResourceShare(8, (0, 1)), ResourceShare(8, (0, 1)))
    assert (found.memory, found.is_fixed) == (16 * GIB, False)
    taken = cluster_capacity_of("here:1", most)([ResourceShare(3, (0,))])
    assert taken.free == ResourceShare(5, (1,))

    some = Capacity(4, 1, 8 * GIB)
    monkeypatch.setattr(ray_query, "query_capacity", lambda _: (some, Capacity(1, 0, 0)))
    found = cluster_capacity_of("here:1", most)([])
    assert (found.share, found.free) == (ResourceShare(8, (0, 1)), ResourceShare(5, (0,)))


def test_without_growth_it_is_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        ray_query, "query_capacity", lambda _: (Capacity(4, 1, GIB), Capacity(2, 1, GIB))
    )
    found = cluster_capacity_of("here:1")([])
    assert (found.share, found.free, found.memory) == (
        ResourceShare(4, (0,)),
        ResourceShare(2, (0,)),
        GIB,
    )
