"""What a stranger may put into a store: each is refused with one line, nothing is opened, and the
job does not come back."""

import functools
import hashlib
import pickle
import struct
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from jobs.checkpoint.site import patient_store
from jobs.dataset.item import Extra, Item
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.place import Place
from jobs.document import spec_of
from jobs.holding.ground import THIS_PROCESS
from jobs.identity import file_digest, identity
from jobs.lifecycle.job import Job, look
from jobs.lifecycle.keys import ACTIVE, JobKeys, active, blob
from jobs.lifecycle.lease import Held
from jobs.lifecycle.stored_spec import Blobs, Sent, StoredSpec
from jobs.lifecycle.terms import Terms
from jobs.poster.control import Control
from jobs.scheduler.capacity import Share
from jobs.scheduler.child import Child
from jobs.scheduler.coordinator import Coordinator
from jobs.scheduler.errand import Errand
from jobs.scheduler.scheduler import Scheduler, Settings
from jobs.scheduler.whole import Whole
from jobs.spec import Crew, Limits
from jobs.store.folder import FolderStore
from jobs.watching.meters import Meters
from render.pictures import source
from render.pictures.source import Picture
from tests.jobs.dataset.small import Seen, finished, seen, submitted
from tests.jobs.small import document as poster
from tests.render.hostile import GIGABYTE, Trap, claimed_png, looping_tiff

JOB = "sky-0123456789ab"


@dataclass
class Ended:
    """A coordinator's process that has left."""

    returncode: int
    pid: int = 1

    def poll(self) -> int:
        return self.returncode


class Farm:
    """`work` on a store in a folder: a scheduler's real looks, coordinators and their workers, all
    in this process."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder / "store")
        self.said: list[str] = []

    def put(self, stored: StoredSpec, *, terms: Terms | None = None) -> str:
        """A job as only a stranger writes it."""
        keys = JobKeys(stored.job)
        self.store.put(keys.spec, stored.encoded())
        if terms is not None:
            self.store.put(keys.terms, terms.encoded())
        self.store.put(active(stored.job, 0), b"")
        return stored.job

    def send(self, path: Path) -> str:
        """The digest of a file that lies in the store then."""
        digest = file_digest(path)
        self.store.put(blob(digest), path.read_bytes())
        return digest

    def work(self, *allow: str) -> None:
        """Look around until nothing is left to do, which is at once."""
        settings = Settings(until_idle=True, allow=allow, poll=0)
        meters = Meters(CollectorRegistry())
        scheduler = Scheduler(self.store, _two_cores, settings, self._hear, meters, _launch)
        for _ in range(3):
            scheduler.reap()
            if scheduler.look_around():
                return
        raise AssertionError(f"something comes back: {self.said}")

    def _hear(self, _event: str, line: str, _job: str | None = None, /) -> None:
        self.said.append(line)

    def refused(self, job: str) -> str:
        """The one line with which a job was refused, for good."""
        self.work()
        found = look(self.store, job)
        assert found.status is not None, self.said
        assert (found.state, found.status.failure) == ("failed", "input"), found.status
        line = found.status.reason or ""
        assert line and "\n" not in line
        assert list(self.store.entries(ACTIVE)) == []
        assert line in "".join(self.said)
        assert "input failure" in self.store.get(JobKeys(job).log(1)).decode()
        self.work()
        again = look(self.store, job).standing
        assert again is not None
        assert again.number == 1, "it was taken again"
        return line


def _two_cores(_: object) -> Whole:
    return Whole(Share(2), Share(2), 8 << 30)


def _launch(errand: Errand, held: Held, share: Share, job: Job) -> Child:
    opener = functools.partial(patient_store, errand.store)
    coordinator = Coordinator(errand, Control(), opener, lambda: nullcontext(THIS_PROCESS))
    process: Any = Ended(coordinator.run())
    return Child(process, held, share, job, errand.scratch)


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    yield Farm(tmp_path)
    patient_store.cache_clear()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture that is nobody's business."""
    path = tmp_path / "secret.png"
    Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(path)
    return path


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pixel is decoded."""

    def decoded(*_: object) -> None:
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(Picture, "bands", decoded)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def stranger(document: dict[str, Any], **blobs: str) -> StoredSpec:
    """A spec that says what it likes, which no identity fits."""
    return StoredSpec(
        job=JOB,
        spec=document,
        blobs=Blobs(input=blobs.get("input"), weights=blobs.get("weights")),
        identity={},
        nonce="n",
    )


def sent_along(farm: Farm, picture: Path, weights: Path) -> StoredSpec:
    """A spec in which all is as `submit` would have it, whatever its files are."""
    spec = spec_of(poster(picture, weights))
    pixels, tensors = farm.send(picture), farm.send(weights)
    found = identity(spec, weights=tensors, picture=pixels)
    stored = spec.document()
    stored["input"]["path"] = picture.name
    stored["network"]["weights"] = weights.name
    return StoredSpec(
        job=found.job_id,
        spec=stored,
        blobs=Blobs(input=pixels, weights=tensors),
        identity=found.document,
        nonce="n",
    )


@pytest.mark.parametrize("with_digest", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "../../../../etc/passwd",
        "..",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/farm",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "https://example.org/a.jpg",
        "s3://elsewhere/a.jpg",
    ],
)
def test_a_poster_names_no_file_but_what_was_sent_along(
    farm: Farm, secret: Path, path: str, with_digest: bool
) -> None:
    blobs = {"input": farm.send(secret)} if with_digest else {}
    line = farm.refused(farm.put(stranger({"input": {"path": path}}, **blobs)))
    assert f"input.path: '{path}' is no file that was sent along" in line


@pytest.mark.parametrize("weights", ["/etc/passwd", "../w.safetensors", "http://169.254.169.254/w"])
def test_nor_do_its_weights_and_masks(farm: Farm, weights: str) -> None:
    noise = {"input": {"noise": {"seed": 1}}, "size": "64x64"}
    network = {"name": "squeezenet1_1", "weights": weights}
    line = farm.refused(farm.put(stranger({**noise, "network": network})))
    assert f"network.weights: '{weights}' is no file that was sent along" in line


@pytest.mark.parametrize(
    "spec",
    [
        {"dream": {"strength": "/etc/passwd"}},
        {"objectives": [{"layer": "classes.relu", "mask": "../mask.png"}]},
        {"objectives": [{"layer": "classes.relu", "guide": "http://169.254.169.254/g.png"}]},
        {"objectives": [{"layer": "classes.relu", "guide": f"sha256:{'0' * 64}/.."}]},
    ],
)
@pytest.mark.parametrize("kind", ["poster", "dataset"])
def test_no_companion_lies_elsewhere(farm: Farm, spec: dict[str, Any], kind: str) -> None:
    noise = {"input": {"noise": {"seed": 1}}, "size": "64x64"}
    inputs = {"kind": "dataset", "inputs": {"noise": {"seed": 1}}, "resize": "64x64"}
    job = farm.put(stranger({**(noise if kind == "poster" else inputs), **spec}))
    assert "is no picture that was sent along" in farm.refused(job)


def test_a_symbolic_link_in_the_store_is_not_followed(
    farm: Farm, secret: Path, weights: Path
) -> None:
    stored = sent_along(farm, secret, weights)
    assert stored.blobs.input is not None
    lies = farm.store.local(blob(stored.blobs.input))
    lies.unlink()
    # Whoever knows what lies there still must not have it opened.
    lies.symlink_to(secret)
    assert "is a link that leads out of" in farm.refused(farm.put(stored))


@pytest.mark.usefixtures("undecoded")
def test_a_tiny_picture_that_claims_to_be_huge_is_not_decoded(
    farm: Farm, weights: Path, tmp_path: Path
) -> None:
    bomb = written(tmp_path / "bomb.png", claimed_png(100_000, 100_000))
    assert bomb.stat().st_size < 1000
    stored = sent_along(farm, bomb, weights)
    line = farm.refused(farm.put(stored))
    assert "100000 x 100000 pixels are more than the limit of 2000000000" in line

    other = Farm(tmp_path / "other")
    for path in (bomb, weights):
        other.send(path)
    generous = Terms(priority=50, crew=Crew(), limits=Limits(max_pixels=10**11))
    line = other.refused(other.put(stored, terms=generous))
    assert line.startswith("limits.max_pixels: 100000000000 is more than this `work` allows, 2000")


def test_a_tiff_that_leads_in_a_circle_is_not_decoded(
    farm: Farm, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr(source, "_decoder", opened)
    loop = written(tmp_path / "loop.tif", looping_tiff())
    line = farm.refused(farm.put(sent_along(farm, loop, weights)))
    assert "its directories lead in a circle" in line


@pytest.mark.parametrize("name", ["trap.pth", "trap.safetensors", "trap.pkl", "trap"])
def test_a_pickle_is_never_opened(
    farm: Farm, picture: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sprung = tmp_path / "sprung"
    trap = written(tmp_path / name, pickle.dumps({"features.0.weight": Trap(sprung)}))

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("an unpickler was asked")

    with monkeypatch.context() as patch:
        patch.setattr("torch.load", opened)
        line = farm.refused(farm.put(sent_along(farm, picture, trap)))
    if name == "trap.safetensors":
        assert "cannot be read (its header claims" in line
    else:
        assert f"weights {name}: are no .safetensors file" in line
    assert not sprung.exists()
    pickle.loads(trap.read_bytes())
    assert sprung.exists(), "the trap would have worked"


@pytest.mark.parametrize("length", [GIGABYTE, 2**63, 2**64 - 1])
def test_a_header_of_a_gigabyte_is_not_parsed(
    farm: Farm, picture: Path, tmp_path: Path, length: int
) -> None:
    file = written(tmp_path / "w.safetensors", struct.pack("<Q", length) + b'{"a":' * 100)
    line = farm.refused(farm.put(sent_along(farm, picture, file)))
    assert f"its header claims {length} bytes" in line


def test_an_atlas_is_no_spec_of_a_store(farm: Farm, tmp_path: Path) -> None:
    """As one, whoever looks at it would read the classes out of its weights."""
    network = {"name": "squeezenet1_1", "weights": str(tmp_path / "w.safetensors")}
    atlas = {"kind": "atlas", "network": network, "of": {"classes": "all"}}
    assert "network.weights" in farm.refused(farm.put(stranger(atlas)))
    other = Farm(tmp_path / "other")
    atlas = {"kind": "atlas", "network": {"name": "pareidolia"}, "of": {"classes": "all"}}
    assert "kind: must be 'poster'" in other.refused(other.put(stranger(atlas)))


@pytest.fixture
def photos(tmp_path: Path, picture: Path) -> Path:
    """A folder of small pictures, of which `work` knows nothing."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(24):
        Image.open(picture).crop((0, 0, 64, 48)).save(folder / f"{number:02}.png")
    return folder


def test_a_dataset_in_a_folder_is_worked_on_where_its_pictures_are_allowed(
    farm: Farm, photos: Path, weights: Path, tmp_path: Path
) -> None:
    for number in range(2, 24):
        (photos / f"{number:02}.png").unlink()
    job = submitted(farm.store, photos, weights)
    line = farm.refused(job)
    assert line.startswith(f"{photos}: lies where `work` may not read; ")
    assert "start `work` with --allow FOLDER" in line

    other = Farm(tmp_path / "other")
    job = submitted(other.store, photos, weights)
    other.work(str(photos))
    assert finished(other.store, job).items["done"] == 2


Change = Callable[[Item], Item]


def rewritten(farm: Farm, job: str, changes: dict[int, Change]) -> None:
    """Have items of a listing say something else, by their numbers."""
    keys = DatasetKeys(job)
    (file,) = [entry.key for entry in farm.store.entries(keys.all_items)]
    items = [Item.decoded(line, file) for line in farm.store.get(file).splitlines()]
    changed = [changes[one.number](one) if one.number in changes else one for one in items]
    farm.store.put(file, b"".join(one.encoded() for one in changed))


def found(**changes: Any) -> Change:
    return lambda item: item.model_copy(update={"found": item.found.model_copy(update=changes)})


def at(address: str) -> Change:
    return found(place=Place(address=address))


def test_an_item_reads_nothing_that_is_not_allowed(
    farm: Farm, photos: Path, weights: Path, secret: Path, tmp_path: Path
) -> None:
    """One dataset, of which nearly every row is a stranger's."""
    (photos / "link.png").symlink_to(secret)
    (photos / "bomb.png").write_bytes(claimed_png(100_000, 100_000))
    (photos / "loop.tif").write_bytes(looping_tiff())
    digest = f"sha256:{hashlib.sha256(b'linked').hexdigest()}"
    farm.store.put(blob(digest), b"x")
    farm.store.local(blob(digest)).unlink()
    farm.store.local(blob(digest)).symlink_to(secret)
    layer = {"layer": "features.4"}
    extra = Extra(suffix="json", place=Place(address="/etc/passwd"))
    told: list[tuple[Change, str]] = [
        (at("file:///etc/passwd"), "file:// is not opened by workers"),
        (at("/etc/passwd"), "where `work` may not read"),
        (at(str(secret)), "where `work` may not read"),
        (at(f"{photos}/../secret.png"), "leads workers who knows where"),
        (at("../secret.png"), "leads workers who knows where"),
        (at(f"{photos}/link.png"), "lies by a link where `work` may not read"),
        (at("http://169.254.169.254/latest/meta-data/"), "http:// is not opened by workers"),
        (at("https://example.org/a.png"), "https:// is not opened by workers"),
        (at("s3://169.254.169.254/latest"), "where `work` may not read"),
        (at("s3://elsewhere/a.png"), "where `work` may not read"),
        (at(f"blob:{digest}"), "is a link that leads out of"),
        (at("blob:sha256:../../../secret.png"), "is no digest of a file"),
        (at(f"{photos}/bomb.png"), "are more than the limit"),
        (at(f"{photos}/loop.tif"), "lead in a circle"),
        (found(settings={"objectives": [{**layer, "mask": str(secret)}]}), "not by its rows"),
        (found(settings={"objectives.0.guide": "/etc/passwd"}), "not by its rows"),
        (found(settings={"dream.strength": str(secret)}), "not by its rows"),
        (found(settings={"network.weights": "/etc/passwd"}), "no row sets it"),
        (found(settings={"limits.max_pixels": 10**11}), "no row sets it"),
        (found(settings={"inputs.path": "/etc"}), "no row sets it"),
        (found(extras=(extra,)), "where `work` may not read"),
    ]
    job = submitted(farm.store, str(photos / "[0-9]*.png"), weights)
    rewritten(farm, job, {number: change for number, (change, _) in enumerate(told)})
    farm.work(str(photos))

    ended: Seen = finished(farm.store, job)
    rows = {row.number: row for row in ended.rows.values()}
    for number, (_, words) in enumerate(told):
        row = rows[number]
        assert (row.state, row.failure) == ("failed", "input"), (words, row)
        assert words in (row.message or "")
        assert "\n" not in (row.message or "")
    assert ended.items["done"] == 24 - len(told)
    assert all(row.attempts == 1 for row in rows.values())


def dataset(farm: Farm, tensors: Path, **changes: Any) -> str:
    """A dataset of noise whose stored spec says something else."""
    job = submitted(farm.store, "noise", tensors, "inputs={noise: {seed: 1}}", "resize=64x64")
    keys = DatasetKeys(job)
    stored = StoredSpec.read(farm.store, keys.spec)
    farm.store.put(keys.spec, stored.model_copy(update=changes).encoded())
    return job


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ((), "has 0 weights files for its variants"),
        ((None,), "no weights named"),
        (("trap.pth",), "weights trap.pth: are no .safetensors file"),
        (("../../../../home/w.safetensors",), "is no name of a file that was sent along"),
        (("/etc/w.safetensors",), "is no name of a file that was sent along"),
    ],
)
def test_a_dataset_loads_no_weights_but_those_that_were_sent(
    farm: Farm, weights: Path, sent: tuple[str | None, ...], words: str
) -> None:
    digest = file_digest(weights)
    named = tuple(None if name is None else Sent(name=name, digest=digest) for name in sent)
    assert words in farm.refused(dataset(farm, weights, weights=named))


def test_what_a_first_holder_fixed_is_no_more_than_pixels(farm: Farm, weights: Path) -> None:
    """With `companions` of its choice, a plan would have rows name any picture."""
    job = dataset(farm, weights)
    plan = {"precision": "float32", "batch": 1, "companions": {"/etc/passwd": "sha256:0"}}
    fixed = {"version": 1, "plan": plan, "device": "cpu", "software": {}}
    farm.store.put(JobKeys(job).plan, str(fixed).replace("'", '"').encode())
    assert "companions: no such key" in farm.refused(job)


def test_a_dataset_that_nobody_has_changed_is_worked_on(farm: Farm, weights: Path) -> None:
    job = dataset(farm, weights)
    farm.work()
    assert [row.state for row in seen(farm.store, job).rows.values()] == ["done"]
