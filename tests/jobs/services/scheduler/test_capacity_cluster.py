"""The capacity of a cluster that can grow."""

import pytest

from cluster import ray_query
from cluster.ray_query import Capacity
from jobs.services.scheduler.capacity import (
    ResourceShare,
    cluster_capacity_query,
    parse_autoscale_limit,
)
from jobs.text.errors import RequestError

GIB = float(1 << 30)
NOTHING = Capacity(0, 0, 0)


@pytest.mark.parametrize(
    ("text", "capacity"),
    [
        ("16x8cpu,1gpu,32GiB", Capacity(128, 16, 512 * GIB)),
        ("4 x 2 CPU, 8GiB", Capacity(8, 0, 32 * GIB)),
    ],
)
def test_an_autoscale_limit_is_parsed(text: str, capacity: Capacity) -> None:
    assert parse_autoscale_limit(text) == capacity


@pytest.mark.parametrize(
    "text", ["", "16", "0x8cpu,1GiB", "4x0cpu,1GiB", "4x8cpu", "4x8cpu,1gpu,many"]
)
def test_an_invalid_autoscale_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match="such as 16x8cpu,1gpu,32GiB"):
        parse_autoscale_limit(text)


def test_missing_machines_count_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Capacity(8, 2, 16 * GIB)
    monkeypatch.setattr(ray_query, "query_capacity", lambda _: (NOTHING, NOTHING))
    found = cluster_capacity_query("here:1", limit)([])
    assert (found.total, found.free) == (ResourceShare(8, (0, 1)), ResourceShare(8, (0, 1)))
    assert (found.memory, found.is_fixed) == (16 * GIB, False)
    found = cluster_capacity_query("here:1", limit)([ResourceShare(3, (0,))])
    assert found.free == ResourceShare(5, (1,))

    present = Capacity(4, 1, 8 * GIB)
    monkeypatch.setattr(ray_query, "query_capacity", lambda _: (present, Capacity(1, 0, 0)))
    found = cluster_capacity_query("here:1", limit)([])
    assert (found.total, found.free) == (ResourceShare(8, (0, 1)), ResourceShare(5, (0,)))


def test_without_a_limit_only_present_machines_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        ray_query, "query_capacity", lambda _: (Capacity(4, 1, GIB), Capacity(2, 1, GIB))
    )
    found = cluster_capacity_query("here:1")([])
    assert (found.total, found.free, found.memory) == (
        ResourceShare(4, (0,)),
        ResourceShare(2, (0,)),
        GIB,
    )
