"""`render` and `fetch` replace no file of others: not an input, not a result of another job."""

import errno
import json
import os
import shlex
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from jobs.dataset.runner import DatasetRunner
from jobs.poster.runner import PosterRunner
from jobs.runtime.publish import Publisher
from tests.support.dreamed_dataset import RESULTS, DreamedDataset, write_dataset_spec, write_photos
from tests.support.rendered_poster import RenderedPoster, write_poster_spec
from tests.support.shell import Shell, check_error_line, hidden_files, visible_files

IN_PLACE = "this job reads it, so no result may replace it"
TAKEN = "exists already and"
CHANGED = "has been changed since this job made it"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".rendering" not in path.parts
    }


@pytest.mark.parametrize("field", ["input", "dream.strength", "objectives.0.guide"])
@pytest.mark.parametrize("flags", [(), ("--overwrite",)])
def test_a_poster_replaces_no_file_that_it_reads(
    shell: Shell,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    flags: tuple[str, ...],
    field: str,
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    mine = Path(shutil.copy(picture, folder / "sky.png"))
    (folder / "spec").mkdir()
    settings = ("name=sky",) if field == "input" else ("name=sky", f"{field}={mine}")
    spec = write_poster_spec(
        folder / "spec", mine if field == "input" else picture, weights, *settings
    )
    before = contents(folder)
    ended = shell("render", spec, "--in-process", "--out", folder, *flags)

    check_error_line(ended, f"{mine}: {IN_PLACE}; choose another --out")
    assert contents(folder) == before
    assert hidden_files(folder) == []


DATASETS: dict[str, Callable[[Path], str]] = {
    "glob": lambda folder: f"inputs={folder}/*.png",
    "single": lambda folder: f"inputs={folder}/z.png",
    "table": lambda folder: f"inputs={folder}/list.csv",
}


@pytest.mark.parametrize("inputs", DATASETS.values(), ids=DATASETS)
@pytest.mark.parametrize("flags", [(), ("--overwrite",)])
def test_a_dataset_replaces_no_file_that_it_reads(
    shell: Shell,
    weights: Path,
    tmp_path: Path,
    flags: tuple[str, ...],
    inputs: Callable[[Path], str],
) -> None:
    photos = write_photos(tmp_path / "photos")
    (photos / "list.csv").write_text("picture,key\nz.png,other.png\na/x.jpg,z.png\n")
    spec = write_dataset_spec(tmp_path, photos, weights, inputs(photos))
    before = contents(photos)
    ended = shell("render", spec, "--in-process", "--out", photos, *flags)

    check_error_line(ended, f"{photos}/z.png: {IN_PLACE}")
    assert contents(photos) == before
    assert hidden_files(photos) == []


def test_a_new_item_does_not_replace_a_file_among_the_results(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = (
        "render",
        write_dataset_spec(tmp_path, photos, weights),
        "--in-process",
        "--out",
        out,
    )
    assert shell(*arguments).code == 0
    (out / "new.png").write_bytes(b"mine")
    write_photos(photos, "new.jpg")
    before = contents(out)
    check_error_line(shell(*arguments), f"{out}/new.png: {TAKEN}")
    assert contents(out) == before

    (out / "new.png").unlink()
    assert shell(*arguments).code == 0
    assert RESULTS | {"new.png"} <= visible_files(out)


@pytest.mark.parametrize("last", ["ledger.parquet", "contact-sheet.jpg"])
def test_an_interrupted_dataset_keeps_its_sheet(
    shell: Shell,
    photos: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    last: str,
) -> None:
    out, whole = tmp_path / "out", Publisher.place
    arguments = (
        "render",
        write_dataset_spec(tmp_path, photos, weights, "sheet=2"),
        "--in-process",
        "--out",
        out,
    )

    def interrupt(self: Publisher, name: str, staged: Path) -> None:
        whole(self, name, staged)
        if name == last:
            raise OSError(errno.EIO, "interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "place", interrupt)
        assert shell(*arguments).code != 0
    assert (out / last).exists()
    write_photos(photos, "new.jpg")
    assert shell(*arguments).code == 0
    assert {"new.png", "contact-sheet.jpg"} <= visible_files(out)


@pytest.mark.parametrize("kind", ["poster", "dataset"])
def test_the_lease_is_renewed_while_names_are_checked(
    shell: Shell,
    picture: Path,
    photos: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    whole = Publisher.check_names
    threads: list[str] = []

    def check(self: Publisher, names: Iterable[str]) -> None:
        threads.extend(thread.name for thread in threading.enumerate())
        whole(self, names)

    monkeypatch.setattr(Publisher, "check_names", check)
    spec = (
        write_poster_spec(tmp_path, picture, weights)
        if kind == "poster"
        else write_dataset_spec(tmp_path, photos, weights)
    )
    assert shell("render", spec, "--in-process", "--out", tmp_path / "out").code == 0
    assert "lease renewer" in threads


def test_two_renders_into_one_folder_keep_the_first(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    spec = write_poster_spec(tmp_path, picture, weights, "name=one")
    assert shell("render", spec, "--in-process", "--out", out).code == 0
    before, job = contents(out), json.loads((out / "manifest.json").read_text())["job"]
    spec = write_poster_spec(tmp_path, picture, weights, "name=two")
    ended = shell("render", spec, "--in-process", "--out", out)

    check_error_line(ended, f"{out}/manifest.json: {TAKEN} belongs to {job}; choose another --out")
    assert contents(out) == before
    assert shell("render", spec, "--in-process", "--out", out, "--overwrite").code == 0
    assert visible_files(out) == {"manifest.json", "one.png", "two.png"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("poster", "sky.png"), ("poster", "sky_files/0/0_0.jpg"), ("dataset", "a/x.png")),
        ("dataset", "contact-sheet.jpg"),
    ],
)
def test_a_retouched_result_is_not_rendered_over(
    shell: Shell,
    picture: Path,
    weights: Path,
    photos: Path,
    tmp_path: Path,
    kind: str,
    name: str,
) -> None:
    out = tmp_path / "out"
    if kind == "poster":
        spec = write_poster_spec(tmp_path, picture, weights, "outputs=[png, deepzoom]")
    else:
        spec = write_dataset_spec(tmp_path, photos, weights, "sheet=2")
    arguments = ("render", spec, "--in-process", "--out", out)
    assert shell(*arguments).code == 0
    # The job would have to be rendered again.
    shutil.rmtree(out / ".rendering", ignore_errors=True)
    (out / name).write_bytes(b"retouched")
    before = contents(out)

    place = out / ("sky.dzi" if name.startswith("sky_files") else name)
    check_error_line(shell(*arguments), f"{place}: {CHANGED}; choose another --out, or")
    assert contents(out) == before
    assert shell(*arguments, "--overwrite").code == 0
    assert b"retouched" not in contents(out).values()


@pytest.mark.parametrize(
    ("job", "name"),
    [
        *(("sky", "sky.png"), ("sky", "sky_files/0/0_0.jpg"), ("set", "a/x.png")),
        ("set", "contact-sheet.jpg"),
    ],
)
def test_a_retouched_result_is_not_fetched_over(
    shell: Shell,
    rendered_once: RenderedPoster,
    dreamed_once: DreamedDataset,
    tmp_path: Path,
    job: str,
    name: str,
) -> None:
    store, out = {"sky": rendered_once.store, "set": dreamed_once.store}[job], tmp_path / "out"
    arguments = ("fetch", job, "--store", store, "--out", out)
    assert shell(*arguments).code == 0
    assert shell(*arguments).code == 0
    (out / name).write_bytes(b"retouched")
    before = contents(out)

    place = out / ("sky.dzi" if name.startswith("sky_files") else name)
    check_error_line(shell(*arguments), f"{place}: {CHANGED}; choose another --out, or")
    assert contents(out) == before
    assert hidden_files(out) == []
    assert shell(*arguments, "--overwrite").code == 0
    assert b"retouched" not in contents(out).values()


@pytest.mark.parametrize("first", ["sky", "set"])
def test_two_fetches_into_one_folder_keep_the_first(
    shell: Shell,
    rendered_once: RenderedPoster,
    dreamed_once: DreamedDataset,
    tmp_path: Path,
    first: str,
) -> None:
    stores = {"sky": rendered_once.store, "set": dreamed_once.store}
    out, second = tmp_path / "out", "set" if first == "sky" else "sky"
    assert shell("fetch", first, "--store", stores[first], "--out", out).code == 0
    before = contents(out)
    ended = shell("fetch", second, "--store", stores[second], "--out", out)

    check_error_line(ended, f"{out}/manifest.json: {TAKEN} belongs to {first}-")
    assert contents(out) == before
    assert hidden_files(out) == []


@pytest.mark.parametrize(
    ("name", "taken"),
    [("sky", "sky.png"), ("sky", "sky_files/1.txt"), ("set", "a/x.png"), ("set", "ledger.parquet")],
)
def test_a_fetch_replaces_files_of_others_only_on_request(
    shell: Shell,
    rendered_once: RenderedPoster,
    dreamed_once: DreamedDataset,
    tmp_path: Path,
    name: str,
    taken: str,
) -> None:
    store = {"sky": rendered_once.store, "set": dreamed_once.store}[name]
    out = tmp_path / "out"
    (out / taken).parent.mkdir(parents=True)
    (out / taken).write_bytes(b"mine")
    arguments = ("fetch", name, "--store", store, "--out", out)

    check_error_line(shell(*arguments), f"{out}/{taken.partition('/1')[0]}: {TAKEN}")
    assert contents(out) == {taken: b"mine"}
    assert hidden_files(out) == []
    assert shell(*arguments, "--overwrite").code == 0
    assert b"mine" not in contents(out).values()


Runner = type[PosterRunner] | type[DatasetRunner]


@pytest.mark.parametrize("runner", [PosterRunner, DatasetRunner])
def test_a_render_that_is_late_changes_nothing(
    shell: Shell,
    picture: Path,
    weights: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runner: Runner,
) -> None:
    out = tmp_path / "out"
    if runner is PosterRunner:
        spec = write_poster_spec(tmp_path, picture, weights, "outputs=[png, deepzoom]")
    else:
        spec = write_dataset_spec(tmp_path, photos, weights)
    arguments = ("render", spec, "--in-process", "--out", out)
    whole = runner.run
    after_the_other: list[dict[str, bytes]] = []

    def stop_after_the_last_step(self: Any) -> Any:
        manifest = whole(self)
        if not after_the_other:
            after_the_other.append({})
            expire_leases(out)
            assert shell(*arguments).code == 0
            after_the_other[0] = contents(out)
        return manifest

    monkeypatch.setattr(runner, "run", stop_after_the_last_step)
    late = shell(*arguments)
    assert late.code == 1
    assert "this job; this one changes nothing" in late.err
    assert contents(out) == after_the_other[0]
    assert runner is DatasetRunner or hidden_files(out) == []


@pytest.mark.parametrize("name", ["sky", "set"])
def test_a_fetch_that_is_late_changes_nothing(
    shell: Shell,
    rendered_once: RenderedPoster,
    dreamed_once: DreamedDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    store = {"sky": rendered_once.store, "set": dreamed_once.store}[name]
    out = tmp_path / "out"
    arguments = ("fetch", name, "--store", store, "--out", out)
    whole = Publisher.check_names
    after_the_other: list[dict[str, bytes]] = []

    def stop_before_the_first_file(self: Publisher, names: Any) -> None:
        whole(self, names)
        if not after_the_other:
            after_the_other.append({})
            expire_leases(out)
            assert shell(*arguments).code == 0
            after_the_other[0] = contents(out)

    monkeypatch.setattr(Publisher, "check_names", stop_before_the_first_file)
    late = shell(*arguments)
    assert late.code == 1
    assert "another process has finished this job; this one changes nothing" in late.err
    assert contents(out) == after_the_other[0]
    assert hidden_files(out) == []


def expire_leases(out: Path) -> None:
    """Let the leases of renders and fetches in a folder look an hour old."""
    an_hour_ago = time.time() - 3600
    for path in out.glob(".*/*/store/jobs/*/leases/*.json"):
        os.utime(path, (an_hour_ago, an_hour_ago))


@pytest.mark.parametrize("setting", ["resize=100000x100000", "limits.max_failures=0"])
def test_a_failed_dataset_says_why_and_how_to_see_the_rest(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path, setting: str
) -> None:
    out = tmp_path / "my results"
    spec = write_dataset_spec(tmp_path, photos, weights, setting)
    ended = shell("render", spec, "--in-process", "--out", out)
    assert ended.code == 1
    message = ended.err.splitlines()[-1]
    assert "; the first: a/b" in message
    _, command, _ = message.split("`")
    program, *words = shlex.split(command)
    assert program == "dreamfarm"
    listed = shell(*words)
    assert listed.code == 0
    assert listed.out.splitlines()[0].startswith("failed  a/b")
