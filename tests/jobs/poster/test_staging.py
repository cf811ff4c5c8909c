"""Staging: any machine gets the spec of the submitted job, with its files."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from jobs.planning import identity
from jobs.planning.poster import make_plan
from jobs.poster.staging import stage_spec
from jobs.poster.submit import submit_poster
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import JobKeys, blob_key
from jobs.runtime.failures import MACHINE_ERRORS, failure_class
from jobs.runtime.staging import cache_folder, fetch_blob
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.store.errors import StoreRefused
from jobs.text.errors import InvalidRecord, MachineTooSmall, RequestError, VersionMismatch
from render.networks.weights import read_weights
from render.version import PIXEL_VERSION
from tests.support.memory_store import MemoryStore
from tests.support.small_poster import MACHINE, NETWORK, poster_document

DIGEST = f"sha256:{'0' * 64}"


@dataclass(frozen=True)
class OtherMachine:
    """A machine without the files of a job in a store."""

    store: MemoryStore
    job: StoredJob
    cache: Path

    def spec(self) -> PosterSpec:
        """Stage the spec."""
        return stage_spec(self.store, self.job.spec, self.job.run_settings, self.cache)

    def changed_spec(self, **changes: object) -> PosterSpec:
        """Stage the spec after a change to the stored spec."""
        stored = self.job.spec.model_copy(update=changes)
        return stage_spec(self.store, stored, self.job.run_settings, self.cache)


@pytest.fixture
def machine(store: MemoryStore, picture: Path, weights: Path, tmp_path: Path) -> OtherMachine:
    copy = tmp_path / "Mein Bild №1.png"
    shutil.copy(picture, copy)
    job = submit_poster(
        store, parse_poster_spec(poster_document(copy, weights, "crew.workers=2"))
    ).job
    copy.unlink()
    return OtherMachine(store, load_job(store, job), tmp_path / "cache")


def test_the_staged_spec_is_the_same_job_with_its_files(
    machine: OtherMachine, picture: Path, weights: Path
) -> None:
    spec = machine.spec()
    plan = make_plan(spec, MACHINE)

    assert plan.identity.job_id == machine.job.id
    assert spec.input.path is not None
    assert spec.input.path.name == "Mein Bild №1.png"
    assert spec.input.path.read_bytes() == picture.read_bytes()
    assert plan.weights.name == weights.name
    assert plan.weights.read_bytes() == weights.read_bytes()
    assert machine.cache in plan.weights.parents


def test_masks_and_guides_are_staged(
    store: MemoryStore, picture: Path, weights: Path, mask: Path, guide: Path, tmp_path: Path
) -> None:
    settings = (f"dream.strength={mask}", f"objectives.0.guide={guide}")
    job = load_job(
        store,
        submit_poster(store, parse_poster_spec(poster_document(picture, weights, *settings))).job,
    )
    assert str(mask.parent) not in job.spec.encode().decode()
    spec = OtherMachine(store, job, tmp_path / "cache").spec()

    assert make_plan(spec, MACHINE).identity.job_id == job.id
    assert spec.objectives is not None
    for path, given in ((spec.dream.strength, mask), (spec.objectives[0].guide, guide)):
        assert path is not None
        assert tmp_path / "cache" in path.parents
        assert path.name == given.name
        assert path.read_bytes() == given.read_bytes()


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.png", f"sha256:{'0' * 64}/../../up.png"])
def test_a_mask_that_was_not_uploaded_is_refused(
    store: MemoryStore, picture: Path, weights: Path, mask: Path, tmp_path: Path, path: str
) -> None:
    settings = f"dream.strength={mask}"
    job = load_job(
        store,
        submit_poster(store, parse_poster_spec(poster_document(picture, weights, settings))).job,
    )
    spec = job.spec.submitted_document | {
        "dream": job.spec.submitted_document["dream"] | {"strength": path}
    }
    with pytest.raises(InvalidRecord, match="is not an uploaded file"):
        OtherMachine(store, job, tmp_path / "cache").changed_spec(spec=spec)


def test_the_latest_run_settings_are_applied(
    machine: OtherMachine, picture: Path, weights: Path
) -> None:
    settings = ("crew.workers=5", "priority=1", "limits.max_pixels=1000000")
    latest = parse_poster_spec(poster_document(picture, weights, *settings))
    submit_poster(machine.store, latest)
    job = load_job(machine.store, machine.job.id)
    spec = stage_spec(machine.store, job.spec, job.run_settings, machine.cache)

    assert (spec.crew, spec.priority, spec.limits) == (latest.crew, 1, latest.limits)
    without = stage_spec(machine.store, job.spec, None, machine.cache)
    assert (without.crew.workers, without.priority) == (2, 50)


def test_cached_files_are_not_downloaded_again(machine: OtherMachine) -> None:
    spec = machine.spec()
    machine.store.delete([key for key in machine.store.objects if key.startswith("blobs/")])

    assert machine.spec() == spec


def test_a_damaged_file_in_the_cache_is_downloaded_again(
    machine: OtherMachine, picture: Path
) -> None:
    path = machine.spec().input.path
    assert path is not None
    path.write_bytes(b"damaged")
    machine.spec()

    assert path.read_bytes() == picture.read_bytes()


def test_a_damaged_blob_is_refused_and_not_cached(machine: OtherMachine) -> None:
    digest = machine.job.spec.blobs.input
    assert digest is not None
    machine.store.put(blob_key(digest), b"damaged")
    with pytest.raises(StoreRefused, match=r"^blobs/sha256/\w{64} in memory: is damaged; delete"):
        machine.spec()
    assert not [path for path in machine.cache.rglob("*") if path.is_file()]


def test_a_missing_blob_is_refused(machine: OtherMachine) -> None:
    digest = machine.job.spec.blobs.weights
    assert digest is not None
    machine.store.delete([blob_key(digest)])
    with pytest.raises(StoreRefused, match=r"is not in memory; submit the job again"):
        machine.spec()


def test_parallel_downloads_share_one_cache(machine: OtherMachine) -> None:
    with ThreadPoolExecutor(8) as pool:
        specs = list(pool.map(lambda _: machine.spec(), range(8)))

    assert len({spec.model_dump_json() for spec in specs}) == 1
    assert len([path for path in machine.cache.rglob("*") if path.is_file()]) == 2
    assert not list(machine.cache.rglob(".fetching-*"))


def test_another_pixel_version_is_refused(
    machine: OtherMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "PIXEL_VERSION", PIXEL_VERSION + 1)
    with pytest.raises(VersionMismatch) as error:
        machine.spec()
    assert str(error.value).startswith(
        f"{machine.job.id}: was submitted for pixel version {PIXEL_VERSION}, "
        f"and this is {PIXEL_VERSION + 1}; use "
    )


def test_builtin_weights_are_not_uploaded_and_must_be_the_same(
    store: MemoryStore, tmp_path: Path
) -> None:
    source = {"noise": {"seed": 3}}
    given = parse_poster_spec({"input": source, "size": "64x64", "dream": {"octaves": 1}})
    job = load_job(store, submit_poster(store, given).job)
    machine = OtherMachine(store, job, tmp_path / "cache")

    assert machine.spec() == given
    assert not machine.cache.exists()
    network = {"name": "pareidolia", "weights": f"sha256:{'0' * 64}"}
    with pytest.raises(InvalidRecord):
        machine.changed_spec(job="sky-0123456789ab")
    with pytest.raises(VersionMismatch, match=r"was submitted for network .*0000.*, and this is"):
        machine.changed_spec(
            job="sky-0123456789ab", identity=job.spec.identity | {"network": network}
        )


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"name": "sea"},
        {"input": 5},
        {"input": {"path": None}},
        {"input": {"colour": "#ff0000"}, "size": "9x9"},
        {"network": {"name": "squeezenet1_1", "weights": None}},
        {"a newer key": True},
        {"dream": {"octaves": 2, "steps": 99}},
    ],
)
def test_an_invalid_spec_or_that_of_another_job_is_refused(
    machine: OtherMachine, changed: dict[str, object]
) -> None:
    spec = machine.job.spec.submitted_document | changed if changed else {}
    with pytest.raises(InvalidRecord, match=f"^{JobKeys(machine.job.id).spec}: "):
        machine.changed_spec(spec=spec)


@pytest.mark.parametrize(
    "changed",
    [
        {"input": {"path": name}}
        for name in ("../../../escaped.png", "..", "", "/etc/passwd", "http://169.254.169.254/x")
    ]
    + [{"input": "/etc/passwd"}, {"network": {"name": NETWORK, "weights": "../w.safetensors"}}],
)
def test_a_stored_spec_with_a_path_is_refused(
    machine: OtherMachine, changed: dict[str, object]
) -> None:
    with pytest.raises(InvalidRecord, match=r"is not an uploaded file") as refused:
        machine.changed_spec(spec=machine.job.spec.submitted_document | changed)
    assert "\n" not in str(refused.value)
    assert not machine.cache.exists()


@pytest.mark.parametrize("name", ["/etc/cron.d/mine", "../../mine", "..", ""])
def test_a_blob_is_only_stored_under_a_file_name(
    store: MemoryStore, tmp_path: Path, name: str
) -> None:
    store.put(blob_key(DIGEST), b"content")
    with pytest.raises(RequestError, match="is not the name of an uploaded file"):
        fetch_blob(store, DIGEST, name, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_pickled_weights_are_not_downloaded(machine: OtherMachine) -> None:
    network = {"name": NETWORK, "weights": "trap.pth"}
    with pytest.raises(
        RequestError, match=r"^weights trap.pth: only .safetensors is loaded from a store; "
    ):
        machine.changed_spec(spec=machine.job.spec.submitted_document | {"network": network})
    assert not list(machine.cache.rglob("*.pth"))


@pytest.mark.parametrize("name", ["3f9a1c", "LENET5.SAFETENSORS", "w.pth"])
def test_safetensors_of_any_name_are_uploaded_as_they_are(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path, name: str
) -> None:
    path = shutil.copyfile(weights, tmp_path / name)
    jobs = [
        submit_poster(store, parse_poster_spec(poster_document(picture, one))).job
        for one in (weights, path)
    ]
    assert jobs[0] == jobs[1]
    job = submit_poster(
        store, parse_poster_spec(poster_document(picture, path, "dream.seed=9"))
    ).job
    staged = OtherMachine(store, load_job(store, job), tmp_path / "cache").spec().network.weights
    assert isinstance(staged, Path)
    assert staged.name == f"{path.stem}.safetensors"
    assert staged.read_bytes() == weights.read_bytes()


def test_pickled_weights_are_uploaded_as_safetensors(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    given = read_weights(weights)
    torch.save(given, tmp_path / "mine.pth")
    first, second = (
        submit_poster(store, parse_poster_spec(poster_document(picture, tmp_path / "mine.pth")))
        for _ in range(2)
    )
    assert (first.job, first.new, second.new) == (second.job, True, False)
    spec = OtherMachine(store, load_job(store, first.job), tmp_path / "cache").spec()

    staged = spec.network.weights
    assert isinstance(staged, Path)
    assert staged.name == "mine.safetensors"
    found = read_weights(staged)
    assert found.keys() == given.keys()
    assert all(torch.equal(found[name], given[name]) for name in given)
    assert make_plan(spec, MACHINE).identity.job_id == first.job


def test_the_error_names_a_cache_that_cannot_be_written(machine: OtherMachine) -> None:
    machine.cache.write_text("a file")
    with pytest.raises(MachineTooSmall, match=r"or written .*; set XDG_CACHE_HOME") as full:
        machine.spec()
    # Another machine may have room, so the job must not fail.
    assert isinstance(full.value, MACHINE_ERRORS)
    assert failure_class(full.value) == "infra"


def test_the_cache_is_in_the_cache_folder_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "dreamfarm" / "blobs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "dreamfarm" / "blobs"
