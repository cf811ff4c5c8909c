"""`import dreamfarm`: specs, plans and renders on this machine, and jobs in a folder."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import dreamfarm
from jobs.records.keys import JobKeys
from jobs.services.job_handle import Job
from jobs.spec.dataset import DatasetSpec
from jobs.spec.poster import PosterSpec
from jobs.store.errors import StoreUnreachable
from jobs.store.folder import FolderStore
from render.dream.objective import Objective
from tests.support.job_states import JOB, claim_next_lease, fail_job, job_in_state, write_job
from tests.support.memory_store import MemoryStore

HEAVY = {"torch", "torchvision", "ray", "pyvips", "boto3", "pyarrow", "rich", "typer"}

SHORT = {"octaves": 1, "steps": 1}
"""The settings of a dream that takes less than a second."""


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of network profiles for these tests only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of 64 x 48 pixels."""
    path = tmp_path / "sky.png"
    samples = np.random.default_rng(5).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(samples).save(path)
    return path


@pytest.fixture
def store(tmp_path: Path) -> dreamfarm.Store:
    """An empty store in a folder."""
    return dreamfarm.Store(tmp_path / "store", create=True)


def test_a_store_that_is_not_there_is_made_only_where_that_is_asked_for(
    tmp_path: Path, picture: Path
) -> None:
    with pytest.raises(dreamfarm.RequestError, match="stroe: there is no such store"):
        dreamfarm.Store(tmp_path / "stroe").submit(picture, dream=SHORT)
    assert not (tmp_path / "stroe").exists()


@pytest.fixture
def job(store: dreamfarm.Store, picture: Path) -> dreamfarm.Job:
    """A submitted poster that nobody renders."""
    return store.submit(picture, dream=SHORT)


def poster(source: Any, **overrides: Any) -> PosterSpec:
    """The spec of a poster."""
    spec = dreamfarm.load_spec(source, **overrides)
    assert isinstance(spec, PosterSpec)
    return spec


def test_the_import_is_light(project: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import dreamfarm, json, sys; print(json.dumps([*sys.modules]))"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert set(json.loads(ended.stdout)) & HEAVY == set()


def test_every_public_name_exists_and_has_a_docstring() -> None:
    for name in dreamfarm.__all__:
        assert getattr(dreamfarm, name).__doc__, name
    for kind in (dreamfarm.Store, dreamfarm.Job):
        for name in [name for name in vars(kind) if not name.startswith("_")]:
            assert getattr(kind, name).__doc__, name


def test_a_picture_is_a_poster(picture: Path) -> None:
    assert poster(str(picture)) == poster(picture) == poster({"input": str(picture)})
    assert poster(picture).input.path == picture


def test_a_folder_is_a_dataset(tmp_path: Path) -> None:
    spec = dreamfarm.load_spec(tmp_path, layer="features.4", network="vgg16", weights="w.pth")

    assert isinstance(spec, DatasetSpec)
    assert (spec.inputs.path, spec.network.name) == (str(tmp_path), "vgg16")
    assert spec.objectives is not None
    assert spec.objectives[0].layer == "features.4"


def test_a_sweep_has_dotted_names(tmp_path: Path) -> None:
    spec = dreamfarm.load_spec(tmp_path, sweep={"dream.steps": [1, 2]})

    assert isinstance(spec, DatasetSpec)
    assert spec.sweep == {"dream.steps": (1, 2)}


def test_overrides_change_single_fields() -> None:
    flat = poster("sky.png", dream__steps=4, dream__seed=7, network="vgg16", workers=3)
    nested = poster("sky.png", dream={"steps": 4, "seed": 7}, network={"name": "vgg16"}, workers=3)

    assert flat == nested
    assert (flat.dream.steps, flat.dream.seed, flat.crew.workers) == (4, 7, 3)
    assert flat.network.name == "vgg16"
    assert poster(flat, dream__steps=5).dream.seed == 7
    assert poster(flat, size=None, dream={"steps": None}) == flat
    assert poster(flat) is flat


def test_a_spec_file_keeps_its_other_fields(tmp_path: Path) -> None:
    path = tmp_path / "poster.yaml"
    path.write_text(yaml.safe_dump({"input": "sky.png", "network": "vgg16", "dream": {"steps": 4}}))
    spec = poster(path, dream__seed=7, layer="features.9", weights=Path("w.pth"))

    assert (spec.network.name, spec.dream.steps, spec.dream.seed) == ("vgg16", 4, 7)
    assert spec.input.path == tmp_path / "sky.png"
    assert spec.network.weights == Path.cwd() / "w.pth"
    assert spec.objectives == (Objective("features.9"),)


def test_values_of_numpy_and_paths_are_accepted(tmp_path: Path) -> None:
    overrides = {"dream": {"seed": np.int64(7), "step_size": np.float32(0.5)}}
    spec = poster({"input": tmp_path / "sky.png", "network": {"name": "vgg16"}}, **overrides)

    assert (spec.dream.seed, spec.dream.step_size) == (7, 0.5)
    assert spec.input.path == tmp_path / "sky.png"


def test_a_look_fills_missing_fields() -> None:
    spec = poster("sky.png", look="eyes", dream__seed=7)

    assert spec.objectives is not None
    assert spec.dream.seed == 7
    with pytest.raises(dreamfarm.RequestError, match="look eyes: needs network"):
        dreamfarm.load_spec("sky.png", look="eyes", network="vgg16")


@pytest.mark.parametrize(
    ("source", "overrides", "line"),
    [
        ("sky.png", {"sizee": "x2"}, "sizee: no such key; nearest: size"),
        ("sky.png", {"dream__stps": 2}, "dream.stps: no such key; nearest: steps"),
        ("sky.png", {"size": "large"}, "size: 'large' is not a size"),
        ("sky.png", {"workers": "two"}, "crew.workers: must be a whole number"),
        ("sky.png", {"look": "nope"}, "look nope: no such look"),
        (".", {"size": "x2"}, "size: no such key; nearest: resize"),
        ("gone.yaml", {}, "gone.yaml: cannot be read (No such file or directory)"),
        ("", {}, "an empty path: must be the path of a spec, a picture or a folder"),
        ("  ", {}, "an empty path"),
        ("https://example.org/sky.jpg", {}, "https:// is not supported; download the file"),
        ("file:///tmp/sky.jpg", {}, "file:// is not supported; download the file"),
        ("s3://bucket/dream.yaml", {}, "s3:// is not for a spec; download the file"),
        (Path("s3://bucket/photos/"), {}, "s3:/bucket/photos: a Path cannot be an address"),
        ("caf\udce9.png", {}, "input.path: "),
        ("sky.png", {"weights": "lenet\udce9.pth"}, "network.weights: "),
        ({"kind": "film"}, {}, "kind: must be poster, dataset or atlas"),
        ({}, {}, "input: "),
        (dreamfarm.load_spec("sky.png"), {"look": "eyes"}, "look eyes: the spec has all fields"),
    ],
)
def test_bad_specs_fail_in_one_line(source: Any, overrides: dict[str, Any], line: str) -> None:
    with pytest.raises(dreamfarm.RequestError) as error:
        dreamfarm.load_spec(source, **overrides)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_pictures_in_a_bucket_are_a_dataset() -> None:
    for address in ("s3://photos/2026/", "s3://photos", "s3://photos/*.jpg"):
        spec = dreamfarm.load_spec(address)
        assert isinstance(spec, DatasetSpec)
        assert spec.inputs.address == address


def test_a_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = f"{tmp_path}/caf\udce9"
    for source in (f"{path}.png", {"kind": "dataset", "inputs": {"path": path}}):
        with pytest.raises(dreamfarm.RequestError) as error:
            dreamfarm.load_spec(source)
        assert "/caf\\udce9" in str(error.value)
        assert str(error.value).endswith(": the name is not UTF-8; rename it")


def test_values_that_no_spec_can_hold_are_type_errors() -> None:
    with pytest.raises(TypeError, match=r"not ndarray; .* call render\.deepdream"):
        dreamfarm.load_spec(np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"objectives\.0: must be a plain value, not Objective"):
        dreamfarm.load_spec("sky.png", objectives=[Objective("features.9")])


def test_a_plan_renders_nothing(picture: Path, tmp_path: Path) -> None:
    plan = dreamfarm.plan(picture, size="x2", dream=SHORT)

    assert (plan.document["width"], plan.document["height"]) == (128, 96)
    assert plan.document["seconds"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["sky.png"]
    with pytest.raises(dreamfarm.RenderError, match=r"gone\.png: cannot be read"):
        dreamfarm.plan(tmp_path / "gone.png")
    with pytest.raises(dreamfarm.RenderError, match="layer nope"):
        dreamfarm.plan(picture, layer="nope")


def test_a_render_returns_paths_and_a_manifest(picture: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    result = dreamfarm.render(
        picture,
        tmp_path / "out",
        in_process=True,
        dream=SHORT,
        watch=lambda progress: seen.append(progress.fraction),
    )

    (output,) = result.document["outputs"]
    assert Path(output["path"]).parent == tmp_path / "out"
    with Image.open(output["path"]) as rendered:
        assert rendered.size == (64, 48)
    assert result.manifest["state"] == "succeeded"
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_a_render_goes_to_a_folder_of_the_job_and_is_found_again(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = dreamfarm.render(picture, in_process=True, dream=SHORT)
    again = dreamfarm.render(picture, in_process=True, dream=SHORT)

    assert first.lines == (f"dreams/{first.document['job']}/sky.png",)
    assert again.document["outputs"] == first.document["outputs"]


@pytest.mark.parametrize("workers", ["auto", 2])
def test_in_process_only_auto_means_one_worker(
    picture: Path, tmp_path: Path, workers: str | int
) -> None:
    result = dreamfarm.render(
        picture,
        tmp_path / "out",
        in_process=True,
        dream=SHORT,
        size="x4",
        tiles=128,
        crew={"workers": workers},
    )
    assert result.manifest["workers"] == (1 if workers == "auto" else workers)


def test_an_identical_spec_is_the_same_job(
    store: dreamfarm.Store, job: dreamfarm.Job, picture: Path
) -> None:
    assert store.submit(str(picture), dream=SHORT, priority=90).id == job.id
    other = store.submit(picture, dream=SHORT, size="x2")

    assert {one.id for one in store.jobs()} == {job.id, other.id}
    assert [one.id for one in store.jobs("queued", "running")] == [one.id for one in store.jobs()]
    assert store.jobs("failed") == []
    assert job.summary().priority == 90


def test_unknown_states_and_addresses_fail(store: dreamfarm.Store) -> None:
    with pytest.raises(dreamfarm.RequestError, match="qeued: no such state; nearest: queued"):
        store.jobs("qeued")  # type: ignore[arg-type]
    with pytest.raises(dreamfarm.RequestError, match="ftp://host: unknown kind of store"):
        dreamfarm.Store("ftp://host")
    assert store.jobs() == []


def test_a_path_is_no_address_of_a_bucket() -> None:
    # A Path of "s3://bucket" has lost a slash, and would be a folder.
    with pytest.raises(dreamfarm.RequestError, match="s3:/bucket/dreams: a Path cannot"):
        dreamfarm.Store(Path("s3://bucket/dreams"))


def test_jobs_come_from_a_store(store: dreamfarm.Store) -> None:
    with pytest.raises(TypeError, match=r"use Store\(ADDRESS\)\.job\('sky'\)"):
        dreamfarm.Job(store, "sky")  # type: ignore[arg-type]


def test_a_job_is_found_by_its_first_characters(
    store: dreamfarm.Store, job: dreamfarm.Job, tmp_path: Path
) -> None:
    assert store.job("sky").id == store.job(job.id).id == job.id
    assert repr(job) == f"Job({job.id!r} in {str(tmp_path / 'store')!r})"
    with pytest.raises(dreamfarm.JobNotFound, match="no job sea in"):
        store.job("sea")


def test_requests_change_the_state(job: dreamfarm.Job) -> None:
    assert (job.state, job.progress) == ("queued", 0.0)
    assert (job.pause(), job.state) == ("paused", "paused")
    assert (job.resume(), job.state) == ("queued", "queued")
    assert (job.cancel(), job.state) == ("cancelled", "cancelled")
    with pytest.raises(dreamfarm.RequestError, match="is cancelled; only"):
        job.pause()
    assert (job.retry(), job.state) == ("queued", "queued")
    with pytest.raises(dreamfarm.RequestError, match="is a poster, which has no items"):
        job.retry(only_failed=True)


def test_a_queued_poster_has_no_results(job: dreamfarm.Job, tmp_path: Path) -> None:
    assert job.preview() is None
    with pytest.raises(dreamfarm.RequestError, match="is a poster, which has no items"):
        job.ledger()
    with pytest.raises(dreamfarm.RequestError, match="queued"):
        job.fetch(tmp_path / "out")
    with pytest.raises(dreamfarm.RequestError, match="tif"):
        job.fetch(tmp_path / "out", "tif")
    assert not (tmp_path / "out").exists()


def test_a_notebook_shows_state_reason_and_preview(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    keys = write_job(store)
    job = Job(store, JOB)
    assert job._repr_html_() == f"<p>{JOB}: queued, 0%</p>"

    fail_job(store, claim_next_lease(store, keys))
    store.put(f"{keys.previews}octave-01.jpg", b"old")
    time.sleep(0.01)
    store.put(f"{keys.previews}octave-00.jpg", b"new")

    assert job.preview() == b"new"
    assert job._repr_html_() == (
        f'<p>{JOB}: failed, 25%: no memory</p><img alt="{JOB}" src="data:image/jpeg;base64,bmV3">'
    )


def test_waiting_ends_with_the_job(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    job_in_state(store, "cancelled")
    job = Job(store, JOB)

    assert job.wait().state == "cancelled"
    assert [summary.state for summary in job.watch()] == ["cancelled"]


def test_waiting_has_a_timeout(job: dreamfarm.Job) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=rf"{job.id}: still queued after 0\.1 s"):
        job.wait(0.1, every=60)
    assert time.monotonic() - began < 10


class _Unreachable(MemoryStore):
    """A store that does not answer."""

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        raise StoreUnreachable(f"{key}: no answer")


def test_the_timeout_counts_while_the_store_does_not_answer() -> None:
    with pytest.raises(TimeoutError, match="no answer after 0 s"):
        Job(_Unreachable(), JOB).wait(0)


def test_a_deleted_job_is_not_found(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    keys = write_job(store)
    job = Job(store, JOB)
    (tmp_path / keys.spec).unlink()

    for read in (lambda: job.state, job.summary, job.pause, job.fetch, job.ledger, job.wait):
        with pytest.raises(dreamfarm.JobNotFound):
            read()
    assert JobKeys(JOB) == keys
