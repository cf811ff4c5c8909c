"""What a scheduler may use of a cluster that is here in part, and may grow."""

import pytest

from cluster import ray_capacity as room
from cluster.ray_capacity import Room
from jobs.services.scheduler.capacity import Share, cluster_whole, growth
from jobs.text.errors import RequestError

GIB = float(1 << 30)
NOTHING = Room(0, 0, 0)


@pytest.mark.parametrize(
    ("text", "machines"),
    [
        ("16x8cpu,1gpu,32GiB", Room(128, 16, 512 * GIB)),
        ("4 x 2 CPU, 8GiB", Room(8, 0, 32 * GIB)),
    ],
)
def test_growth_is_said_in_machines(text: str, machines: Room) -> None:
    assert growth(text) == machines


@pytest.mark.parametrize(
    "text", ["", "16", "0x8cpu,1GiB", "4x0cpu,1GiB", "4x8cpu", "4x8cpu,1gpu,many"]
)
def test_what_is_no_growth_is_told_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match="such as 16x8cpu,1gpu,32GiB"):
        growth(text)


def test_what_is_not_there_yet_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    most = Room(8, 2, 16 * GIB)
    monkeypatch.setattr(room, "room", lambda _: (NOTHING, NOTHING))
    found = cluster_whole("here:1", most)([])
    assert (found.share, found.free) == (Share(8, (0, 1)), Share(8, (0, 1)))
    assert (found.memory, found.is_fixed) == (16 * GIB, False)
    taken = cluster_whole("here:1", most)([Share(3, (0,))])
    assert taken.free == Share(5, (1,))

    some = Room(4, 1, 8 * GIB)
    monkeypatch.setattr(room, "room", lambda _: (some, Room(1, 0, 0)))
    found = cluster_whole("here:1", most)([])
    assert (found.share, found.free) == (Share(8, (0, 1)), Share(5, (0,)))


def test_without_growth_it_is_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "room", lambda _: (Room(4, 1, GIB), Room(2, 1, GIB)))
    found = cluster_whole("here:1")([])
    assert (found.share, found.free, found.memory) == (Share(4, (0,)), Share(2, (0,)), GIB)
