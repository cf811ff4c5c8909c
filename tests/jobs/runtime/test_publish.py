"""What a job may put into a folder: its own results, and nothing in the place of others' files."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.runtime.publish import Publisher, StagedResult, Target
from jobs.text.errors import LeaseLost, RequestError
from render.pictures.write import output_digest

JOB, OTHER = "sky-0123456789ab", "sea-0123456789ab"


class Bench:
    """A folder for results, a working folder, and results of one job to publish."""

    def __init__(self, root: Path) -> None:
        self.out, self.working, self.staging = root / "out", root / "work", root / "work" / "new"
        for folder in (self.out, self.staging):
            folder.mkdir(parents=True)

    def publisher(self, *, overwrite: bool = False, **options: Any) -> Publisher:
        return Publisher(Target(self.out, overwrite), JOB, self.working, **options)

    def stage(self, name: str, content: bytes = b"dream") -> StagedResult:
        path = self.staging / name
        # Not in place: an earlier one may be a hard link to the published file.
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        if path.suffix == ".dzi":
            tiles = self.staging / f"{path.stem}_files" / "0"
            tiles.mkdir(parents=True, exist_ok=True)
            (tiles / "0_0.jpg").write_bytes(content)
        return StagedResult(name, path, output_digest(path))

    def publish(self, *results: StagedResult, **options: Any) -> None:
        self.publisher(**options).publish(results, manifest(*results))

    def snapshot(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.out)): path.read_bytes()
            for path in sorted(self.out.rglob("*"))
            if path.is_file()
        }


def manifest(*results: StagedResult, job: str = JOB) -> dict[str, Any]:
    return {"job": job, "outputs": [{"path": one.name, "sha256": one.sha256} for one in results]}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("name", ["sky.png", "sky.dzi"])
def test_results_are_published_with_their_manifest(bench: Bench, name: str) -> None:
    result = bench.stage(name)
    bench.publish(result)
    assert output_digest(bench.out / name) == result.sha256
    assert json.loads((bench.out / "manifest.json").read_text()) == manifest(result)


@pytest.mark.parametrize("name", ["sky.png", "sky.dzi"])
def test_a_job_replaces_its_own_results(bench: Bench, name: str) -> None:
    bench.publish(bench.stage(name, b"first"))
    again = bench.stage(name, b"second")
    bench.publisher().check_names([name])
    bench.publish(again)
    assert output_digest(bench.out / name) == again.sha256
    assert b"first" not in bench.snapshot().values()


def retouch(bench: Bench) -> None:
    (bench.out / "sky.png").write_bytes(b"sunny")


def retouch_tile(bench: Bench) -> None:
    (bench.out / "sky_files" / "0" / "0_0.jpg").write_bytes(b"sunny")


def add_tile(bench: Bench) -> None:
    (bench.out / "sky_files" / "mine.txt").write_bytes(b"mine")


def remove_descriptor(bench: Bench) -> None:
    (bench.out / "sky.dzi").unlink()


@pytest.mark.parametrize("change", [retouch, retouch_tile, add_tile, remove_descriptor])
def test_a_result_that_the_user_changed_is_the_users(
    bench: Bench, change: Callable[[Bench], None]
) -> None:
    names = ["sky.png", "sky.dzi"]
    bench.publish(*[bench.stage(name, b"dream") for name in names])
    change(bench)
    before = bench.snapshot()
    again = [bench.stage(name, b"second") for name in names]
    said = r"sky\S*: has been changed since this job made it; choose another --out, or replace it"
    with pytest.raises(RequestError, match=said):
        bench.publisher().check_names(names)
    with pytest.raises(RequestError, match=said):
        bench.publish(*reversed(again) if change is not retouch else again)
    assert bench.snapshot() == before

    bench.publisher(overwrite=True).check_names(names)
    bench.publish(*again, overwrite=True)
    assert b"sunny" not in bench.snapshot().values()


def publish_in_part(
    bench: Bench, result: StagedResult, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """Publish a result, and be interrupted after so many renames."""
    whole, calls = Path.rename, []

    def interrupt(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) > moved:
            raise KeyboardInterrupt
        return whole(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupt)
        with pytest.raises(KeyboardInterrupt):
            bench.publish(result)


@pytest.mark.parametrize("moved", [1, 2])
def test_a_deepzoom_that_an_interruption_moved_in_part_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    bench.publish(bench.stage("sky.dzi", b"first"))
    again = bench.stage("sky.dzi", b"second")
    publish_in_part(bench, again, monkeypatch, moved)
    bench.publisher().check_names(["sky.dzi"])
    bench.publish(again)
    assert output_digest(bench.out / "sky.dzi") == again.sha256
    assert not [path.name for path in bench.working.glob("removal-*")]


@pytest.mark.parametrize("moved", [0, 1])
def test_a_descriptor_put_there_after_an_interruption_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    bench.publish(bench.stage("sky.dzi", b"first"))
    again = bench.stage("sky.dzi", b"second")
    publish_in_part(bench, again, monkeypatch, moved)
    (bench.out / "sky.dzi").write_bytes(b"sunny")
    with pytest.raises(RequestError, match="has been changed since"):
        bench.publisher().check_names(["sky.dzi"])
    with pytest.raises(RequestError, match="has been changed since"):
        bench.publish(again)
    assert (bench.out / "sky.dzi").read_bytes() == b"sunny"


def put_file(bench: Bench) -> None:
    (bench.out / "sky.png").write_bytes(b"mine")


def put_link(bench: Bench) -> None:
    (bench.out.parent / "elsewhere").write_bytes(b"mine")
    (bench.out / "sky.png").symlink_to("../elsewhere")


def put_broken_link(bench: Bench) -> None:
    (bench.out / "sky.png").symlink_to("nothing")


def put_descriptor(bench: Bench) -> None:
    (bench.out / "sky.dzi").write_bytes(b"mine")


def put_tiles(bench: Bench) -> None:
    (bench.out / "sky_files").mkdir()
    (bench.out / "sky_files" / "mine.txt").write_bytes(b"mine")


def put_file_for_tiles(bench: Bench) -> None:
    (bench.out / "sky_files").write_bytes(b"mine")


def put_manifest(bench: Bench) -> None:
    (bench.out / "manifest.json").write_text('{"job": "sea-0123456789ab", "outputs": []}')


def put_web_manifest(bench: Bench) -> None:
    (bench.out / "manifest.json").write_text('{"short_name": "my web page"}')


def put_binary_manifest(bench: Bench) -> None:
    (bench.out / "manifest.json").write_bytes(b"\xff\x00" * 50)


FOREIGN = [
    put_file,
    put_link,
    put_broken_link,
    put_descriptor,
    put_tiles,
    put_file_for_tiles,
    put_manifest,
    put_web_manifest,
    put_binary_manifest,
]


@pytest.mark.parametrize("put", FOREIGN, ids=lambda put: put.__name__)
def test_files_of_others_are_refused_before_and_while_publishing(
    bench: Bench, put: Callable[[Bench], None]
) -> None:
    publisher, results = bench.publisher(), [bench.stage("sky.png"), bench.stage("sky.dzi")]
    publisher.check_names(["sky.png", "sky.dzi"])
    put(bench)
    before = bench.snapshot()
    with pytest.raises(RequestError, match=r"exists already and .*choose another --out"):
        bench.publisher().check_names(["sky.png", "sky.dzi"])
    # The same file that appears after the check.
    with pytest.raises(RequestError, match=r"exists already and .*choose another --out"):
        publisher.publish(results, manifest(*results))
    assert before.items() <= bench.snapshot().items()


@pytest.mark.parametrize("put", FOREIGN, ids=lambda put: put.__name__)
def test_overwrite_replaces_files_of_others(bench: Bench, put: Callable[[Bench], None]) -> None:
    put(bench)
    results = [bench.stage("sky.png"), bench.stage("sky.dzi")]
    bench.publisher(overwrite=True).check_names(["sky.png", "sky.dzi"])
    bench.publish(*results, overwrite=True)
    for one in results:
        assert output_digest(bench.out / one.name) == one.sha256
    assert json.loads((bench.out / "manifest.json").read_text())["job"] == JOB


def test_a_manifest_of_another_job_names_that_job(bench: Bench) -> None:
    put_manifest(bench)
    with pytest.raises(RequestError, match=f"manifest.json: exists already and belongs to {OTHER}"):
        bench.publisher().check_names([])


@pytest.mark.parametrize("name", ["sky.png", "sky_files/0/input.png", "manifest.json"])
def test_not_even_overwrite_replaces_a_file_that_the_job_reads(bench: Bench, name: str) -> None:
    path = bench.out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"input")
    publisher = bench.publisher(overwrite=True, files_read=lambda: [path])
    results = [bench.stage("sky.png"), bench.stage("sky.dzi")]
    with pytest.raises(RequestError, match="this job reads it"):
        publisher.check_names(["sky.png", "sky.dzi"])
    with pytest.raises(RequestError, match="this job reads it"):
        publisher.publish(results, manifest(*results))
    assert path.read_bytes() == b"input"


def test_an_input_is_known_by_any_of_its_names(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "input.png"
    source.write_bytes(b"input")
    (bench.out / "sky.png").hardlink_to(source)
    publisher = bench.publisher(overwrite=True, files_read=lambda: [source])
    with pytest.raises(RequestError, match="this job reads it"):
        publisher.check_names(["sky.png"])


def test_a_spec_is_never_replaced(bench: Bench) -> None:
    spec = bench.out / "manifest.json"
    spec.write_text("{}")
    publisher = Publisher(Target(bench.out, True, spec), JOB, bench.working)
    with pytest.raises(RequestError, match="this job reads it"):
        publisher.check_names([])


def test_a_file_above_a_result_is_refused(bench: Bench) -> None:
    (bench.out / "a").write_bytes(b"mine")
    with pytest.raises(RequestError, match=r"/out/a: is not a folder"):
        bench.publisher(overwrite=True).check_names(["a/b/sky.png"])


@pytest.mark.parametrize("placed", [1, 2, 3])
def test_an_interrupted_publication_continues(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, placed: int
) -> None:
    results = [bench.stage("sky.dzi"), bench.stage("sky.png"), bench.stage("sky.jpg")]
    whole, calls = Publisher._place_file, []

    def interrupt(self: Publisher, name: str, staged: Path, path: Path) -> None:
        calls.append(name)
        if len(calls) == placed:
            raise KeyboardInterrupt
        whole(self, name, staged, path)

    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "_place_file", interrupt)
        with pytest.raises(KeyboardInterrupt):
            bench.publish(*results)
    publisher = bench.publisher()
    publisher.check_names([one.name for one in results])
    publisher.publish(results, manifest(*results))
    for one in results:
        assert output_digest(bench.out / one.name) == one.sha256


@pytest.mark.parametrize("name", ["sky.png", "sky.dzi"])
def test_what_an_interrupted_publication_put_there_is_replaced_by_a_later_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    bench.publish(bench.stage(name, b"first"))
    for content in (b"second", b"third"):
        with monkeypatch.context() as patch:
            patch.setattr(Publisher, "write_manifest", interrupt)
            with pytest.raises(KeyboardInterrupt):
                bench.publish(bench.stage(name, content))
    last = bench.stage(name, b"last")
    bench.publisher().check_names([name])
    bench.publish(last)
    assert output_digest(bench.out / name) == last.sha256


def test_a_file_put_there_after_an_interruption_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = bench.stage("sky.png")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "_place_file", interrupt)
        with pytest.raises(KeyboardInterrupt):
            bench.publish(result)
    put_file(bench)
    with pytest.raises(RequestError, match="is not a result of this job"):
        bench.publisher().check_names(["sky.png"])


def test_nothing_changes_once_the_lease_is_lost(bench: Bench) -> None:
    bench.publish(bench.stage("sky.png", b"first"))
    before = bench.snapshot()

    def lost() -> None:
        raise LeaseLost("lost")

    for name in ("sky.png", "sky.dzi"):
        with pytest.raises(LeaseLost):
            bench.publish(bench.stage(name, b"second"), check_lease=lost)
    with pytest.raises(LeaseLost):
        bench.publisher(check_lease=lost).write_manifest({})
    assert bench.snapshot() == before


def test_a_second_manifest_does_not_change_the_bytes_of_the_first(bench: Bench) -> None:
    bench.publisher().write_manifest({"job": JOB, "n": 1})
    copy = bench.out.parent / "backup.json"
    copy.hardlink_to(bench.out / "manifest.json")
    bench.publisher().write_manifest({"job": JOB, "n": 2})
    assert json.loads(copy.read_text())["n"] == 1
    assert json.loads((bench.out / "manifest.json").read_text())["n"] == 2
    assert [path.name for path in bench.working.iterdir()] == ["new"]


def refuse_links(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV])
def test_a_file_system_without_hard_links_is_enough(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse_links(monkeypatch, number)
    bench.publish(bench.stage("sky.png"), bench.stage("sky.dzi"))
    (bench.out / "sky.jpg").write_bytes(b"mine")
    with pytest.raises(RequestError, match=r"sky.jpg: exists already"):
        bench.publish(bench.stage("sky.jpg"))
    assert (bench.out / "sky.jpg").read_bytes() == b"mine"
    assert [path.name for path in bench.working.glob("claim-*")] == []


@pytest.mark.parametrize("interrupted", ["sky.png", "manifest.json"])
def test_an_empty_file_of_an_interruption_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, interrupted: str
) -> None:
    refuse_links(monkeypatch, errno.EPERM)
    whole, result = Path.replace, bench.stage("sky.png")

    def interrupt(self: Path, target: Path) -> Path:
        if target == bench.out / interrupted:
            raise KeyboardInterrupt
        return whole(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            bench.publish(result)
    assert bench.snapshot()[interrupted] == b""

    (bench.out / "mine.png").touch()
    with pytest.raises(RequestError, match="is not a result of this job"):
        bench.publisher().check_names(["mine.png"])
    bench.publisher().check_names(["sky.png"])
    bench.publish(result)
    assert output_digest(bench.out / "sky.png") == result.sha256
    assert json.loads((bench.out / "manifest.json").read_text()) == manifest(result)
    assert [path.name for path in bench.working.glob("claim-*")] == []


def test_tiles_stay_in_the_working_folder_once_the_lease_is_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = False

    def lose() -> None:
        nonlocal lost
        lost = True

    def check() -> None:
        if lost:
            raise LeaseLost("lost")

    monkeypatch.setattr(os, "sync", lose)
    with pytest.raises(LeaseLost):
        bench.publish(bench.stage("sky.dzi"), check_lease=check)
    assert bench.snapshot() == {}


def test_an_address_that_is_no_path_is_no_file_that_the_job_reads(bench: Bench) -> None:
    put_file(bench)
    publisher = bench.publisher(files_read=lambda: [Path("a\0b"), bench.out / "sky.png"])
    with pytest.raises(RequestError, match="this job reads it"):
        publisher.check_names(["sky.png"])
