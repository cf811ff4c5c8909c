"""Materials: the submitted job and no other, on any machine, with its files as they were."""

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
from jobs.records.job import Job, load_job
from jobs.records.keys import JobKeys, blob_key
from jobs.runtime.staging import cache_folder, fetch_blob
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.store.errors import StoreRefused
from jobs.text.errors import InvalidRecord, RequestError, VersionMismatch
from render.networks.weights import read_weights
from render.version import PIXEL_VERSION
from tests.support.memory_store import MemoryStore
from tests.support.small_poster import MACHINE, NETWORK, poster_document

DIGEST = f"sha256:{'0' * 64}"


@dataclass(frozen=True)
class Elsewhere:
    """A job in a store, and a machine that has nothing of it."""

    store: MemoryStore
    job: Job
    cache: Path

    def spec(self) -> PosterSpec:
        return stage_spec(self.store, self.job.spec, self.job.run_settings, self.cache)

    def with_spec(self, **changes: object) -> PosterSpec:
        """Of a stored spec that somebody has changed."""
        stored = self.job.spec.model_copy(update=changes)
        return stage_spec(self.store, stored, self.job.run_settings, self.cache)


@pytest.fixture
def elsewhere(store: MemoryStore, picture: Path, weights: Path, tmp_path: Path) -> Elsewhere:
    mine = tmp_path / "Mein Bild №1.png"
    shutil.copy(picture, mine)
    job = submit_poster(
        store, parse_poster_spec(poster_document(mine, weights, "crew.workers=2"))
    ).job
    mine.unlink()
    return Elsewhere(store, load_job(store, job), tmp_path / "cache")


def test_the_spec_arrives_as_the_same_job_with_its_files(
    elsewhere: Elsewhere, picture: Path, weights: Path
) -> None:
    spec = elsewhere.spec()
    plan = make_plan(spec, MACHINE)

    assert plan.identity.job_id == elsewhere.job.id
    assert spec.input.path is not None
    assert spec.input.path.name == "Mein Bild №1.png"
    assert spec.input.path.read_bytes() == picture.read_bytes()
    assert plan.weights.name == weights.name
    assert plan.weights.read_bytes() == weights.read_bytes()
    assert elsewhere.cache in plan.weights.parents


def test_masks_and_guides_arrive_with_the_job(
    store: MemoryStore, picture: Path, weights: Path, mask: Path, guide: Path, tmp_path: Path
) -> None:
    asked = (f"dream.strength={mask}", f"objectives.0.guide={guide}")
    job = load_job(
        store,
        submit_poster(store, parse_poster_spec(poster_document(picture, weights, *asked))).job,
    )
    assert str(mask.parent) not in job.spec.encode().decode()
    spec = Elsewhere(store, job, tmp_path / "cache").spec()

    assert make_plan(spec, MACHINE).identity.job_id == job.id
    assert spec.objectives is not None
    for path, given in ((spec.dream.strength, mask), (spec.objectives[0].guide, guide)):
        assert path is not None
        assert tmp_path / "cache" in path.parents
        assert path.name == given.name
        assert path.read_bytes() == given.read_bytes()


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.png", f"sha256:{'0' * 64}/../../up.png"])
def test_a_mask_that_was_not_sent_along_is_refused(
    store: MemoryStore, picture: Path, weights: Path, mask: Path, tmp_path: Path, path: str
) -> None:
    settings = f"dream.strength={mask}"
    job = load_job(
        store,
        submit_poster(store, parse_poster_spec(poster_document(picture, weights, settings))).job,
    )
    spec = job.spec.spec | {"dream": job.spec.spec["dream"] | {"strength": path}}
    with pytest.raises(InvalidRecord, match="is not an uploaded picture"):
        Elsewhere(store, job, tmp_path / "cache").with_spec(spec=spec)


def test_the_latest_terms_are_applied(elsewhere: Elsewhere, picture: Path, weights: Path) -> None:
    settings = ("crew.workers=5", "priority=1", "limits.max_pixels=1000000")
    latest = parse_poster_spec(poster_document(picture, weights, *settings))
    submit_poster(elsewhere.store, latest)
    job = load_job(elsewhere.store, elsewhere.job.id)
    spec = stage_spec(elsewhere.store, job.spec, job.run_settings, elsewhere.cache)

    assert (spec.crew, spec.priority, spec.limits) == (latest.crew, 1, latest.limits)
    without = stage_spec(elsewhere.store, job.spec, None, elsewhere.cache)
    assert (without.crew.workers, without.priority) == (2, 50)


def test_files_that_are_here_are_not_fetched_again(elsewhere: Elsewhere) -> None:
    spec = elsewhere.spec()
    elsewhere.store.delete([key for key in elsewhere.store.objects if key.startswith("blobs/")])

    assert elsewhere.spec() == spec


def test_a_file_that_was_damaged_here_is_fetched_again(elsewhere: Elsewhere, picture: Path) -> None:
    path = elsewhere.spec().input.path
    assert path is not None
    path.write_bytes(b"damaged")
    elsewhere.spec()

    assert path.read_bytes() == picture.read_bytes()


def test_a_blob_that_was_damaged_is_refused_and_not_kept(elsewhere: Elsewhere) -> None:
    digest = elsewhere.job.spec.blobs.input
    assert digest is not None
    elsewhere.store.put(blob_key(digest), b"damaged")
    with pytest.raises(StoreRefused, match=r"^blobs/sha256/\w{64} in memory: is damaged; delete"):
        elsewhere.spec()
    assert not [path for path in elsewhere.cache.rglob("*") if path.is_file()]


def test_a_blob_that_is_gone_is_refused(elsewhere: Elsewhere) -> None:
    digest = elsewhere.job.spec.blobs.weights
    assert digest is not None
    elsewhere.store.delete([blob_key(digest)])
    with pytest.raises(StoreRefused, match=r"is not in memory; submit the job again"):
        elsewhere.spec()


def test_many_fetch_at_once_into_one_cache(elsewhere: Elsewhere) -> None:
    with ThreadPoolExecutor(8) as pool:
        specs = list(pool.map(lambda _: elsewhere.spec(), range(8)))

    assert len({spec.model_dump_json() for spec in specs}) == 1
    assert len([path for path in elsewhere.cache.rglob("*") if path.is_file()]) == 2
    assert not list(elsewhere.cache.rglob(".fetching-*"))


def test_other_pixels_are_refused(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "PIXEL_VERSION", PIXEL_VERSION + 1)
    with pytest.raises(VersionMismatch) as error:
        elsewhere.spec()
    assert str(error.value).startswith(
        f"{elsewhere.job.id}: was submitted for pixel version {PIXEL_VERSION}, "
        f"and this is {PIXEL_VERSION + 1}; use "
    )


def test_our_own_weights_are_not_sent_and_must_be_the_same(
    store: MemoryStore, tmp_path: Path
) -> None:
    source = {"noise": {"seed": 3}}
    given = parse_poster_spec({"input": source, "size": "64x64", "dream": {"octaves": 1}})
    job = load_job(store, submit_poster(store, given).job)
    here = Elsewhere(store, job, tmp_path / "cache")

    assert here.spec() == given
    assert not here.cache.exists()
    network = {"name": "pareidolia", "weights": f"sha256:{'0' * 64}"}
    with pytest.raises(InvalidRecord):
        here.with_spec(job="sky-0123456789ab")
    with pytest.raises(VersionMismatch, match=r"was submitted for network .*0000.*, and this is"):
        here.with_spec(job="sky-0123456789ab", identity=job.spec.identity | {"network": network})


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
def test_a_spec_that_is_none_or_another_is_told(
    elsewhere: Elsewhere, changed: dict[str, object]
) -> None:
    spec = elsewhere.job.spec.spec | changed if changed else {}
    with pytest.raises(InvalidRecord, match=f"^{JobKeys(elsewhere.job.id).spec}: "):
        elsewhere.with_spec(spec=spec)


@pytest.mark.parametrize(
    "changed",
    [
        {"input": {"path": name}}
        for name in ("../../../escaped.png", "..", "", "/etc/passwd", "http://169.254.169.254/x")
    ]
    + [{"input": "/etc/passwd"}, {"network": {"name": NETWORK, "weights": "../w.safetensors"}}],
)
def test_a_path_in_a_store_that_leads_anywhere_is_refused(
    elsewhere: Elsewhere, changed: dict[str, object]
) -> None:
    with pytest.raises(InvalidRecord, match=r"is not an uploaded file") as refused:
        elsewhere.with_spec(spec=elsewhere.job.spec.spec | changed)
    assert "\n" not in str(refused.value)
    assert not elsewhere.cache.exists()


@pytest.mark.parametrize("name", ["/etc/cron.d/mine", "../../mine", "..", ""])
def test_nothing_is_fetched_but_under_a_bare_name(
    store: MemoryStore, tmp_path: Path, name: str
) -> None:
    store.put(blob_key(DIGEST), b"content")
    with pytest.raises(RequestError, match="is no name of a file"):
        fetch_blob(store, DIGEST, name, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_weights_that_are_pickles_are_not_even_fetched(elsewhere: Elsewhere) -> None:
    network = {"name": NETWORK, "weights": "trap.pth"}
    with pytest.raises(
        RequestError, match=r"^weights trap.pth: only .safetensors is loaded from a store, "
    ):
        elsewhere.with_spec(spec=elsewhere.job.spec.spec | {"network": network})
    assert not list(elsewhere.cache.rglob("*.pth"))


def test_pickled_weights_are_sent_as_tensors_alone(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    given = read_weights(weights)
    torch.save(given, tmp_path / "mine.pth")
    first, second = (
        submit_poster(store, parse_poster_spec(poster_document(picture, tmp_path / "mine.pth")))
        for _ in range(2)
    )
    assert (first.job, first.new, second.new) == (second.job, True, False)
    spec = Elsewhere(store, load_job(store, first.job), tmp_path / "cache").spec()

    arrived = spec.network.weights
    assert isinstance(arrived, Path)
    assert arrived.name == "mine.safetensors"
    found = read_weights(arrived)
    assert found.keys() == given.keys()
    assert all(torch.equal(found[name], given[name]) for name in given)
    assert make_plan(spec, MACHINE).identity.job_id == first.job


def test_a_cache_that_cannot_be_written_is_named(elsewhere: Elsewhere) -> None:
    elsewhere.cache.write_text("a file")
    with pytest.raises(RequestError, match=r"cannot be written .*; set XDG_CACHE_HOME"):
        elsewhere.spec()


def test_the_cache_is_where_caches_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "dreamfarm" / "blobs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "dreamfarm" / "blobs"
