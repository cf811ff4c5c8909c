"""Watches of single jobs: every browser is told every line, once."""

import pytest

from jobs.records.keys import JobKeys
from jobs.store.errors import StoreUnreachable
from jobs.store.store import Store
from jobs.web.job_index import JobIndex
from jobs.web.job_watch import Detail, JobWatch
from jobs.web.live import Hub
from jobs.web.models import JobView, LogLines
from tests.support.counting_store import CountingStore
from tests.support.stored_jobs import finish_job, job_name, run_job, write_open_job


def no_canvas(_: str) -> None:
    return None


def view_of(store: Store, keys: JobKeys) -> JobView:
    index = JobIndex(store, Hub())
    index.reload(keys.job)
    found = index.known(keys.job)
    assert found is not None
    assert found.view is not None
    return found.view


def lines(details: list[Detail]) -> list[str]:
    return [line.line for _, data in details if isinstance(data, LogLines) for line in data.lines]


@pytest.fixture
def keys(store: CountingStore) -> JobKeys:
    """A running job with two lines in its log."""
    keys = write_open_job(store, job_name(1))
    run_job(store, keys)
    store.put(keys.log(1), b"a\nb\n")
    return keys


def test_a_new_browser_takes_nothing_from_the_others(store: CountingStore, keys: JobKeys) -> None:
    watch, view = JobWatch(store, keys.job, no_canvas), view_of(store, keys)
    assert lines(watch.backlog(view)) == ["a", "b"], "the first browser"
    store.put(keys.log(1), b"a\nb\nc\n")
    assert lines(watch.backlog(view)) == ["a", "b"], "the second one"
    assert lines(watch.look(view)) == ["c"], "for both"
    assert lines(watch.backlog(view)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a b", "a b b", "b"),
        ("a b", "a b c b", "c b"),
        ("b b", "b b b", "b"),
        ("a b", "a b a b a b", "a b a b"),
        ("a b c", "b c d", "d"),
        ("a b", "c d", "c d"),
        ("a b", "a b", ""),
    ],
)
def test_a_line_may_come_again(
    store: CountingStore, keys: JobKeys, before: str, after: str, told: str
) -> None:
    """A log grows, and loses its beginning when it is long."""
    watch, view = JobWatch(store, keys.job, no_canvas), view_of(store, keys)
    store.put(keys.log(1), before.replace(" ", "\n").encode())
    watch.look(view)
    store.put(keys.log(1), after.replace(" ", "\n").encode())
    assert lines(watch.look(view)) == told.split()


def test_the_lines_of_a_lease_before_are_not_told_again(
    store: CountingStore, keys: JobKeys
) -> None:
    watch = JobWatch(store, keys.job, no_canvas)
    watch.look(view_of(store, keys))
    store.delete([keys.lease(1)])
    store.put(keys.log(1), b"a\nb\nb\n")
    run_job(store, keys)
    second = view_of(store, keys).model_copy(update={"lease": 2})
    store.put(keys.log(2), b"b\nb\n")
    assert lines(watch.look(second)) == ["b", "b", "b"]
    store.put(keys.log(2), b"b\nb\nb\n")
    assert lines(watch.look(second)) == ["b"]


@pytest.mark.parametrize("is_ended", [False, True])
def test_what_a_silent_store_interrupts_is_told_later(
    store: CountingStore, keys: JobKeys, is_ended: bool
) -> None:
    looks = []

    def find_canvas(_: str) -> None:
        looks.append(1)
        if len(looks) == 1:
            store.is_down = True
            raise StoreUnreachable("memory: does not answer")

    if is_ended:
        finish_job(store, keys)
    view, watch = view_of(store, keys), JobWatch(store, keys.job, find_canvas)
    with pytest.raises(StoreUnreachable):
        watch.look(view)
    store.is_down = False
    assert lines(watch.look(view)) == ["a", "b"]


def test_a_damaged_checkpoint_does_not_hide_the_log(store: CountingStore, keys: JobKeys) -> None:
    def fail(job: str) -> None:
        raise ValueError(job)

    watch = JobWatch(store, keys.job, fail)
    assert lines(watch.look(view_of(store, keys))) == ["a", "b"]
