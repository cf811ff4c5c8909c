"""A disk that is full or read-only, met at every write in turn: nothing is half-written or lost.

The same command then goes on, and makes the same bytes.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.dataset.published import published_path
from jobs.records.job import load_job
from jobs.services.scheduler.coordinator import DONE
from jobs.store.errors import ObjectError
from jobs.store.folder import FolderStore
from jobs.text.errors import JobsError
from tests.support.coordinators import claim_job
from tests.support.dreamed_dataset import DreamedDataset, write_dataset_spec
from tests.support.failing_files import FailingFiles, count_operations, failing
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell
from tests.support.small_dataset import PACKED, read_dataset, submit_small_dataset
from tests.support.small_poster import poster_document

FOREIGN = b"somebody else's"

SAMPLED = 6
"""Operations that fail in CI. The slow test takes every one."""


def visible(folder: Path) -> dict[str, bytes]:
    """The results in a folder, without hidden files, and without records of times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.name not in {"manifest.json", "ledger.parquet"}
    }


@dataclass
class Scenario:
    """A command that writes results into the folder that is its last argument."""

    shell: Shell
    command: tuple[object, ...]
    expected: dict[str, bytes]

    def run(self, out: Path) -> None:
        ended = self.shell(*self.command, "--out", out)
        assert ended.code == 0, ended.err

    def check_failure(self, out: Path, files: FailingFiles, patch: pytest.MonkeyPatch) -> None:
        """Fail one operation; then run the command again."""
        out.mkdir()
        (out / "foreign.txt").write_bytes(FOREIGN)
        with failing(files, patch):
            ended = self.shell(*self.command, "--out", out)
        where = f"{files.failed} {ended.err}"
        found = visible(out)
        assert found.pop("foreign.txt") == FOREIGN, where
        if ended.code == 0:
            # What failed was not needed, such as a report; or this run had fewer operations.
            assert found == self.expected, where
        else:
            assert ended.code in {1, 2, 3}, where
            (line,) = (one for one in ended.err.splitlines() if one.startswith("dreamfarm: "))
            assert "unexpected" not in line, where
            assert os.strerror(files.number).lower() in line.lower(), where
            assert ";" in line or ": check" in line, where
            assert all(content == self.expected[name] for name, content in found.items()), where
        self.run(out)
        assert visible(out) == self.expected | {"foreign.txt": FOREIGN}, where


@pytest.fixture(params=["poster", "deepzoom", "dataset", "webdataset", "fetch", "fetch dataset"])
def scenario(
    request: pytest.FixtureRequest, shell: Shell, picture: Path, weights: Path, tmp_path: Path
) -> Scenario:
    kind = request.param
    if kind == "fetch":
        job: RenderedPoster = request.getfixturevalue("rendered_once")
        command: tuple[object, ...] = ("fetch", job.job, "--store", job.store)
    elif kind == "fetch dataset":
        dreamed: DreamedDataset = request.getfixturevalue("dreamed_once")
        command = ("fetch", dreamed.job, "--store", dreamed.store)
    elif "dataset" in kind:
        inputs = tmp_path / "inputs"
        inputs.mkdir()
        (inputs / "a.png").write_bytes(picture.read_bytes())
        packed = ["output={pack: webdataset}"] if kind == "webdataset" else []
        spec = write_dataset_spec(tmp_path, inputs, weights, "dream.octaves=1", *packed)
        command = ("render", spec, "--in-process")
    else:
        spec = tmp_path / "spec.yaml"
        outputs = "outputs=[deepzoom]" if kind == "deepzoom" else "outputs=[png, tiff]"
        settings = ("size=40x28", "fit=stretch", "dream.octaves=1", "dream.steps=1", outputs)
        spec.write_text(yaml.safe_dump(poster_document(picture, weights, *settings)))
        command = ("render", spec, "--in-process")
    found = Scenario(shell, command, {})
    found.run(tmp_path / "expected")
    found.expected = visible(tmp_path / "expected")
    return found


ERRORS: dict[str, dict[str, Any]] = {
    "full": {"number": errno.ENOSPC},
    "full from then on": {"number": errno.ENOSPC, "lasts": True},
    "read-only from then on": {"number": errno.EROFS, "lasts": True, "removes": True},
    "forbidden": {"number": errno.EACCES},
    # As a network file system answers a call that a signal met.
    "interrupted": {"number": errno.EINTR},
}


def sampled(count: int, error: str) -> Iterator[int]:
    """Some of the numbers from 1 to `count`, others for each error."""
    step = max(1, count // SAMPLED)
    yield from range(1 + sorted(ERRORS).index(error) % step, count + 1, step)


def check_failures(
    scenario: Scenario,
    folder: Path,
    patch: pytest.MonkeyPatch,
    error: str,
    numbers: Callable[[int, str], Iterator[int]],
) -> None:
    total = count_operations(folder / "count", lambda: scenario.run(folder / "count"), patch)
    assert total > 5
    failures = []
    for at in numbers(total, error):
        out = folder / f"out{at}"
        try:
            scenario.check_failure(out, FailingFiles(out, at=at, **ERRORS[error]), patch)
        except AssertionError as problem:
            failures.append(f"{at} of {total}: {str(problem)[:600]}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("error", ["full", "read-only from then on"])
def test_a_write_that_fails_costs_nothing(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    check_failures(scenario, tmp_path, monkeypatch, error, sampled)


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
def test_every_write_that_fails_costs_nothing(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    def every(count: int, _error: str) -> Iterator[int]:
        yield from range(1, count + 1)

    check_failures(scenario, tmp_path, monkeypatch, error, every)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("error", ["full", "read-only from then on", "interrupted"])
def test_a_store_whose_disk_fails_once_ends_with_the_same_results(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    packed: bool,
) -> None:
    """Another holder goes on where the first one has failed."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "a.png").write_bytes(picture.read_bytes())
    settings = ["dream.octaves=1", *([PACKED] if packed else [])]

    def submitted(folder: Path) -> tuple[FolderStore, str]:
        store = FolderStore(folder)
        return store, submit_small_dataset(store, inputs, weights, *settings)

    def results(store: FolderStore, job: str) -> dict[str, bytes]:
        found = read_dataset(store, job)
        return {
            str(published_path(row)): found.files[row.output or ""] for row in found.rows.values()
        }

    whole, job = submitted(tmp_path / "whole")
    scratch = tmp_path / "scratch"
    total = count_operations(
        tmp_path / "whole", lambda: claim_job(whole, job, scratch).run(), monkeypatch
    )
    for at in sampled(total, error):
        store, _ = submitted(tmp_path / f"store{at}")
        files = FailingFiles(tmp_path / f"store{at}", at=at, **ERRORS[error])
        with failing(files, monkeypatch), suppress(JobsError, ObjectError):
            claim_job(store, job, scratch).run()
        if load_job(store, job).state != "succeeded":
            assert claim_job(store, job, scratch).run() == DONE, files.failed
        assert results(store, job) == results(whole, job), files.failed
