"""`precision: auto` is that of the workers, which may have other CPUs than their coordinator."""

import io
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from PIL import Image

from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.runtime.environment import Environment, current_environment
from jobs.services.scheduler.coordinator import DONE, UNFIT
from jobs.store.store import Store
from render.device import Device, ResolvedPrecision, resolve_precision
from tests.support.coordinators import claim_job, submit_small_poster
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import submit_small_dataset

HERE = resolve_precision("auto", has_gpu=False)
OTHER: ResolvedPrecision = "float32" if HERE == "bfloat16" else "bfloat16"


class Submit(Protocol):
    """Submits a small job with settings; returns its id."""

    def __call__(self, store: MemoryStore, picture: Path, weights: Path, *settings: str) -> str: ...


def submit_poster(store: MemoryStore, picture: Path, weights: Path, *settings: str) -> str:
    return submit_small_poster(store, picture, weights, *settings)


def submit_dataset(store: MemoryStore, picture: Path, weights: Path, *settings: str) -> str:
    return submit_small_dataset(store, picture, weights, *settings, "dream.octaves=1")


def set_workers_precision(monkeypatch: pytest.MonkeyPatch, *precisions: ResolvedPrecision) -> None:
    """Let `auto` mean this for workers. Of several, each worker takes the next one."""
    each = itertools.cycle(precisions)

    def environment(device: Device) -> Environment:
        return replace(current_environment(device), auto_precision=next(each))

    for module in ("jobs.poster.worker", "jobs.dataset.worker"):
        monkeypatch.setattr(f"{module}.current_environment", environment)


def pinned(store: Store, job: str) -> str:
    precision: str = json.loads(store.get(JobKeys(job).plan))["plan"]["precision"]
    return precision


def pixels(store: Store, job: str) -> list[bytes]:
    """The pixels of all results: the files also name the job."""
    names = [entry.key for entry in store.list_objects(f"{JobKeys(job).folder}outputs/")]
    return [Image.open(io.BytesIO(store.get(name))).tobytes() for name in names]


@pytest.mark.parametrize("submit", [submit_poster, submit_dataset])
def test_the_workers_decide_what_auto_means(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    submit: Submit,
) -> None:
    store, named = MemoryStore(), MemoryStore()
    job = submit(store, picture, weights, "precision=auto")
    set_workers_precision(monkeypatch, OTHER)
    assert claim_job(store, job, tmp_path).run() == DONE
    assert pinned(store, job) == OTHER

    other = submit(named, picture, weights, f"precision={OTHER}")
    assert claim_job(named, other, tmp_path).run() == DONE
    found = pixels(store, job)
    assert found
    assert found == pixels(named, other)


@pytest.mark.parametrize("submit", [submit_poster, submit_dataset])
def test_workers_of_two_kinds_do_not_fail_the_job(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    submit: Submit,
) -> None:
    store = MemoryStore()
    job = submit(store, picture, weights, "precision=auto", "crew.workers=1")
    set_workers_precision(monkeypatch, OTHER, HERE)
    assert claim_job(store, job, tmp_path).run() == UNFIT
    loaded = load_job(store, job)
    assert loaded.state == "queued"
    assert loaded.status is not None
    assert f"means {HERE} for these workers" in str(loaded.status.reason)


def test_a_named_precision_is_not_changed(
    picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    job = submit_poster(store, picture, weights, f"precision={HERE}")
    set_workers_precision(monkeypatch, OTHER)
    assert claim_job(store, job, tmp_path).run() == DONE
    assert pinned(store, job) == HERE


@pytest.mark.parametrize("submit", [submit_poster, submit_dataset])
def test_later_workers_take_the_precision_of_the_first(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    submit: Submit,
) -> None:
    first, store = MemoryStore(), MemoryStore()
    job = submit(first, picture, weights, "precision=auto")
    assert claim_job(first, job, tmp_path / "first").run() == DONE
    assert submit(store, picture, weights, "precision=auto") == job
    store.put(JobKeys(job).plan, first.get(JobKeys(job).plan))
    set_workers_precision(monkeypatch, OTHER)
    assert claim_job(store, job, tmp_path / "second").run() == DONE
    assert pinned(store, job) == HERE
    assert pixels(store, job) == pixels(first, job)
