"""Snapshots through a pipe: neither end waits for the other."""

import os
from collections.abc import Iterator

import pytest

from jobs.runtime.metrics.snapshot import MetricsSnapshot, SnapshotReader, SnapshotWriter


@pytest.fixture
def reader() -> Iterator[SnapshotReader]:
    opened = SnapshotReader()
    yield opened
    opened.close()


def test_the_newest_snapshot_arrives_once(reader: SnapshotReader) -> None:
    writer = SnapshotWriter(reader.child_end)
    assert reader.newest() is None
    for steps in (1, 2):
        writer(MetricsSnapshot(steps=steps, retries={"infra": 1}, gpu_memory=(5, 6)))
    assert reader.newest() == MetricsSnapshot(steps=2, retries={"infra": 1}, gpu_memory=(5, 6))
    assert reader.newest() is None
    reader.close_child_end()


def test_the_last_snapshot_arrives_after_the_writer_has_closed(reader: SnapshotReader) -> None:
    SnapshotWriter(reader.child_end)(MetricsSnapshot(steps=3))
    reader.close_child_end()
    assert reader.newest() == MetricsSnapshot(steps=3)
    assert reader.newest() is None


def test_a_full_pipe_drops_snapshots_and_later_ones_arrive(reader: SnapshotReader) -> None:
    writer = SnapshotWriter(reader.child_end)
    # Together they are larger than the pipe, so one line is cut.
    many = tuple(range(10**9, 10**9 + 1000))
    for steps in range(100):
        writer(MetricsSnapshot(steps=steps, gpu_memory=many))
    first = reader.newest()
    assert first is not None
    assert first.gpu_memory == many
    # The rest of the cut line is written first.
    writer(MetricsSnapshot(steps=100))
    writer(MetricsSnapshot(steps=101))
    assert reader.newest() == MetricsSnapshot(steps=101)
    reader.close_child_end()


def test_a_closed_reader_is_no_error() -> None:
    reader = SnapshotReader()
    reader.close()
    SnapshotWriter(reader.child_end)(MetricsSnapshot())
    reader.close_child_end()


def test_invalid_lines_are_skipped(reader: SnapshotReader) -> None:
    SnapshotWriter(reader.child_end)(MetricsSnapshot(steps=1))
    os.write(reader.child_end, b'{"version": 2}\nnonsense\n')
    assert reader.newest() == MetricsSnapshot(steps=1)
    reader.close_child_end()
