"""Bad requests for datasets: one line, exit code 2, no files."""

from pathlib import Path

import pytest

from jobs.store.folder import FolderStore
from tests.support.dreamed_dataset import DreamedDataset
from tests.support.job_states import JOB, job_in_state
from tests.support.shell import Shell, check_error_line, check_refused
from tests.support.small_poster import LAYER, NETWORK


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere",), ("nowhere", "No such file")),
        (("empty",), ("empty: no pictures there", ".jpg, .png, .webp, .tif, .heic or .avif")),
        (("photos", "--size", "x2"), ("--size: for a picture", "--set resize=1024")),
        (("photos", "--set", "sweep={dream.stps: [1]}"), ("dream.stps: no such key", "steps")),
        (("photos", "--set", "sweep={crew.workers: [1]}"), ("cannot sweep crew.workers",)),
        (("photos", "--set", "sweep={colour: [1]}"), ("cannot sweep colour",)),
        (("photos", "--set", "resize=12 apes"), ("resize: '12 apes' is not a valid resize",)),
        (("photos", "--set", "output.name='{stme}'"), ("output.name: {stme}: nearest: stem",)),
        (("photos", "--set", "output.name=out"), ("output.name: needs {stem} or {key}",)),
        (("photos", "--set", "output=webp"), ("output.format: must be 'png', 'jpeg' or 'tiff'",)),
        (("photos", "--set", "kind=film"), ("kind: must be poster, dataset or atlas, not 'film'",)),
        (("photos", "--set", "size=x2"), ("size: no such key; nearest: resize",)),
        (("photos", "--set", "batch=0"), ("batch: must be at least 1",)),
    ],
)
@pytest.mark.parametrize("command", ["render", "submit"])
def test_bad_requests_are_one_line(
    shell: Shell,
    store: FolderStore,
    photos: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    arguments: tuple[str, ...],
    expected: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    flags = ("--network", NETWORK, "--weights", weights, "--layer", LAYER)
    where = ("--in-process", "--out", "out") if command == "render" else ()
    ended = shell(command, *arguments, *flags, *where)

    check_refused(ended, tmp_path / "out", *expected)
    assert not list(store.list_objects(""))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("retry", "set", "--class", "inputs"), "inputs: no such failure class; nearest: input"),
        (("ledger", "set", "--class", "inputs"), "inputs: no such failure class; nearest: input"),
        (("retry", "set", "--only", "all"), "--only all: must be failed"),
        (("fetch", "set", "--format", "tiff"), "format: only for posters; a dataset has"),
        (("ledger", JOB), f"{JOB}: is a poster, which has no items"),
        (("retry", JOB, "--class", "input"), f"{JOB}: is a poster, which has no items"),
        (("retry", JOB, "--only", "failed"), f"{JOB}: is a poster, which has no items"),
    ],
)
def test_impossible_requests_to_a_job(
    shell: Shell, dreamed: DreamedDataset, arguments: tuple[str, ...], expected: str
) -> None:
    job_in_state(FolderStore(dreamed.store), "failed")
    before = contents(dreamed.store)

    check_error_line(shell(*arguments), expected)
    assert contents(dreamed.store) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
