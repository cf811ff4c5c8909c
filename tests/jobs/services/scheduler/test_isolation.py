"""Whatever the objects of one job are, another job is started and listed, and nothing waits."""

import json
import os
import shutil
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.cli.format import format_state
from jobs.dataset.submit import submit_dataset
from jobs.poster.submit import submit_poster
from jobs.records.job import attempt_job, list_job_ids
from jobs.records.job_summary import JobSummary, load_summaries
from jobs.records.keys import JobKeys, active_marker, blob_key
from jobs.records.lease import Lease, claim_lease
from jobs.records.request import resume
from jobs.records.spending import Spent
from jobs.services.clean.deletion import delete_job
from jobs.services.clean.garbage import find_garbage
from jobs.services.scheduler.day_budget import DayBudget
from jobs.spec.kinds import parse_spec
from jobs.store.errors import NotAnObject, ObjectNotFound, StoreRefused, StoreUnreachable
from jobs.store.folder import FolderStore
from jobs.store.s3 import S3Store
from jobs.store.s3_client import make_client
from jobs.store.store import MAX_READ_BYTES, Store, store_time
from jobs.text.errors import InvalidRecord
from tests.support.job_states import sample_status
from tests.support.memory_store import MemoryStore
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.scheduler_harness import SchedulerHarness

NOISE = {"noise": {"seed": 1}}
MOST = 1e6
BUDGET = DayBudget(usd=MOST)
GOOD = {"name": "good", "input": NOISE, "size": "64x64"}
EVIL = {"name": "evil", "input": NOISE, "size": "64x64", "priority": 90}
EVIL_DATASET = {"kind": "dataset", "name": "evil-set", "inputs": NOISE, "resize": "64x64"}


class Farm:
    """A folder with a good job and two that are damaged later, and a copy of it."""

    def __init__(self, folder: Path) -> None:
        self.template, self.copy = folder / "template", folder / "copy"
        (folder / "outside").mkdir()
        store = FolderStore(self.template)
        self.good = submit_poster(store, parse_spec(GOOD)).job  # type: ignore[arg-type]
        self.evils = (
            submit_poster(store, parse_spec(EVIL)).job,  # type: ignore[arg-type]
            submit_dataset(store, parse_spec(EVIL_DATASET)).job,  # type: ignore[arg-type]
        )
        for evil in self.evils:
            _write_other_records(store, JobKeys(evil))

    def renew(self) -> FolderStore:
        """Replace the copy by a new one."""
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.template, self.copy)
        return FolderStore(self.copy)

    def keys(self, evil: str) -> list[str]:
        """All keys of a job, and its folders."""
        keys = JobKeys(evil)
        named = [entry.key for entry in FolderStore(self.template).list_objects(keys.folder)]
        folders = {str(Path(key).parent) for key in named} | {keys.leases.rstrip("/")}
        return [*named, *sorted(folders), active_marker(evil, 0), keys.manifest_of(1)]


def _write_other_records(store: FolderStore, keys: JobKeys) -> None:
    """Write what a holder writes, without a manifest: the job has not ended."""
    held = claim_lease(store, keys, 0, "elsewhere:1", 60)
    assert held is not None
    held.release()
    status = sample_status().model_copy(update={"spent": Spent(seconds=9, usd=0.5)})
    store.put(keys.status(1), status.encode())
    store.put(keys.events(1), b'{"event": "claimed"}\n')
    store.put(keys.log(1), b"a line\n")
    store.put(keys.commit(1, 1), b"{}")
    store.put(keys.preview(1), b"picture")
    store.put(keys.output(1, "a.png"), b"picture")
    store.put(keys.plan, b"{}")


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Farm:
    return Farm(tmp_path_factory.mktemp("farm"))


numbers = st.sampled_from([0, -1, 1, 2**31, 10**9, 10**15 + 1, 10**180, -(10**40), 1e308, 0.5])
scalars = st.none() | st.booleans() | numbers | st.integers() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
) | st.integers(1, 300).map(lambda depth: json.loads("[" * depth + "]" * depth))
names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
kinds = st.sampled_from(
    [
        *("pipe", "socket", "folder", "full folder", "missing", "huge", "ancient", "empty"),
        *("circle", "nowhere", "outside", "up", "other job"),
    ]
)
contents = st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode())


def place(path: Path, kind: str, good: Path) -> None:
    """Put something of a kind at a path, instead of what is there."""
    if kind == "ancient":
        if path.exists():
            os.utime(path, (-(2**31), -(2**31)))
        return
    remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    links = {
        "circle": path.name,
        "nowhere": "no file",
        "outside": str(good.parents[3] / "outside"),
        "up": "../..",
    }
    if kind in links:
        path.symlink_to(links[kind])
    elif kind == "other job":
        path.symlink_to(good)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        folder = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)
    elif kind.endswith("folder"):
        path.mkdir()
        if kind == "full folder":
            (path / "file.json").write_bytes(b"{}")
    elif kind != "missing":
        with path.open("wb") as file:
            file.truncate(MAX_READ_BYTES + 1 if kind == "huge" else 0)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def change_field(path: Path, draw: st.DrawFn) -> None:
    """Change one field of a record, at any depth."""
    if path.is_symlink() or not path.is_file():
        return
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, OSError):
        return
    path.write_text(json.dumps(with_changed_field(document, draw)))


def with_changed_field(document: Any, draw: st.DrawFn) -> Any:
    """Change one field of a document in place, at any depth."""
    node = document
    while isinstance(node, dict) and node:
        key = draw(st.sampled_from(sorted(node)))
        if not isinstance(node[key], dict) or draw(st.booleans()):
            node[key] = draw(values)
            break
        node = node[key]
    return document


@st.composite
def damages(draw: st.DrawFn, farm: Farm) -> str:
    """Damage one to three objects of one job of the copy. The value tells which."""
    evil = draw(st.sampled_from(farm.evils))
    done = []
    for _ in range(draw(st.integers(1, 3))):
        key = draw(st.sampled_from(farm.keys(evil)) | names.map(lambda n: f"jobs/{evil}/{n}"))
        path, how = farm.copy / key, draw(st.sampled_from(["kind", "content", "field"]))
        if os.path.realpath(path.parent) != str(path.parent):
            continue  # below a link that an earlier turn placed; it may lead anywhere
        with suppress(OSError):  # a name that is too long, or below what an earlier turn placed
            if how == "kind":
                how = draw(kinds)
                place(path, how, farm.copy / JobKeys(farm.good).spec)
            elif how == "content":
                place(path, "empty", path)
                path.write_bytes(draw(contents))
            else:
                change_field(path, draw)
        done.append(f"{key}: {how}")
    return "; ".join(done)


def check_farm(store: Store, good: str) -> None:
    """Check that the good job is started, listed and kept."""
    harness = SchedulerHarness(cores=4, store=store, budget=BUDGET)
    for _ in range(3):
        harness.scan()
        for job, process in harness.processes.items():
            process.returncode = None if job == good else 1
        harness.now += 0.1
    assert good in harness.started, harness.messages
    said = list(harness.messages)

    listed = list(load_summaries(store, list_job_ids(store)))
    for summary in listed:
        if isinstance(summary, JobSummary):
            assert json.loads(json.dumps(summary.document()))
            said.append(format_state(summary))
        else:
            said.append(str(summary))
    assert good in [one.job for one in listed if isinstance(one, JobSummary)]

    garbage = find_garbage(store, 0, include_resumable=True, report=said.append)
    assert not [key for one in garbage for key in one.keys if good in key]
    for line in said:
        assert "\n" not in line
        # The boundary would hold, but the one line would help nobody.
        assert "unexpected" not in line
        assert "trying again" not in line


@settings(suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_another_job_goes_on_whatever_the_objects_of_a_job_are(
    farm: Farm, data: st.DataObject
) -> None:
    store = farm.renew()
    data.draw(damages(farm))
    check_farm(store, farm.good)


@pytest.mark.parametrize(
    "kind",
    [
        *("pipe", "socket", "folder", "full folder", "huge", "empty"),
        *("circle", "nowhere", "outside", "up"),
    ],
)
@pytest.mark.parametrize("key", ["spending", "spending/{}", "spending/{}/a.json"])
def test_whatever_lies_among_what_was_spent_stops_no_job(farm: Farm, key: str, kind: str) -> None:
    store = farm.renew()
    path = farm.copy / key.format(f"{datetime.now(UTC):%Y-%m-%d}")
    place(path, kind, farm.copy / JobKeys(farm.good).spec)
    harness = SchedulerHarness(cores=4, store=store, budget=BUDGET)
    harness.scan()
    (job,) = harness.started
    for usd, signals in ((1.0, []), (MOST, [signal.SIGUSR2])):
        harness.spend(job, usd=usd)
        harness.now += 60
        harness.scan()
        # What is spent here counts in any case.
        assert harness.processes[job].signals == signals
    assert not [line for line in harness.messages if "trying again" in line]


@pytest.mark.parametrize("kind", ["folder", "full folder"])
def test_a_folder_in_place_of_a_marker_is_said_and_stops_no_other(farm: Farm, kind: str) -> None:
    store, evil = farm.renew(), farm.evils[0]
    marker = active_marker(evil, 0)
    place(farm.copy / marker, kind, farm.copy)
    harness = SchedulerHarness(cores=4, store=store)
    for _ in range(3):
        harness.scan()
    assert farm.good in harness.started
    assert [one for one in harness.messages if "left alone" in one] == [
        f"{marker}: is a folder, so no `work` finds the job; move it away, and run "
        f"`dreamfarm resume {evil}` (left alone)"
    ]

    remove(farm.copy / marker)
    resume(store, evil)
    assert (farm.copy / marker).is_file()

    remove(farm.copy / JobKeys(evil).folder)
    place(farm.copy / marker, kind, farm.copy)
    harness = SchedulerHarness(cores=4, store=store)
    harness.scan()
    assert not [one for one in harness.messages if "left alone" in one], "it has no records"


def fill_bucket(store: S3Store, template: Path) -> None:
    """Copy a farm into a bucket."""
    folder = FolderStore(template)
    with ThreadPoolExecutor(16) as threads:
        keys = [entry.key for entry in folder.list_objects("")]
        list(threads.map(lambda key: store.put(key, folder.get(key)), keys))


@st.composite
def bucket_damages(draw: st.DrawFn, farm: Farm, store: S3Store, put: Callable[..., Any]) -> None:
    """Damage one to three objects of one job in a bucket. put: writes any key at all."""
    evil = draw(st.sampled_from(farm.evils))
    for _ in range(draw(st.integers(1, 3))):
        key = draw(st.sampled_from(farm.keys(evil)) | names.map(lambda n: f"jobs/{evil}/{n}"))
        how = draw(st.sampled_from(["missing", "content", "field", "folder"]))
        # A key that this service does not take, or that no job has.
        with suppress(ClientError, ParamValidationError, ObjectNotFound, ValueError):
            if how == "missing":
                store.delete([key])
            elif how == "content":
                put(key, draw(contents))
            elif how == "folder":
                put(f"{key}/", b"")
            else:
                put(key, json.dumps(with_changed_field(json.loads(store.get(key)), draw)))


@settings(
    suppress_health_check=[*HealthCheck],
    max_examples=300 if settings().max_examples > 1000 else 4,
)
@given(data=st.data())
def test_another_job_goes_on_in_a_bucket_too(farm: Farm, ceph: Server, data: st.DataObject) -> None:
    client, prefix = ceph_client(ceph), f"isolation/{uuid.uuid4().hex}"
    store = S3Store(BUCKET, prefix, lambda: client)
    fill_bucket(store, farm.template)

    def put(key: str, content: bytes | str) -> None:
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/{key}", Body=content)

    data.draw(bucket_damages(farm, store, put))
    check_farm(store, farm.good)


@cache
def ceph_client(server: Server) -> Any:
    with s3_environment(server):
        return make_client()


BAD_RECORDS = [
    ("intent", b'{"version":1,"want":"run","generation":1%s}' % (b"0" * 180)),
    ("run_settings", b'{"version":1,"priority":90,"crew":{"workers":1000000000},"limits":{}}'),
    ("spec", b'{"spec":' + b'{"a":' * 150 + b"1" + b"}" * 151),
    ("manifest", b'{"items":{"items":"many"},"outputs":[[]]}'),
]


@pytest.mark.parametrize(("name", "content"), BAD_RECORDS)
def test_a_job_with_a_bad_record_is_left_alone(farm: Farm, name: str, content: bytes) -> None:
    for evil in farm.evils:
        store = farm.renew()
        store.put(getattr(JobKeys(evil), name), content)
        check_farm(store, farm.good)


@pytest.mark.parametrize("folder", ["leases", "status", "outputs", "checkpoints", ""])
def test_a_file_in_place_of_a_folder_of_a_job_stops_no_other(farm: Farm, folder: str) -> None:
    for evil in farm.evils:
        store = farm.renew()
        path = farm.copy / "jobs" / evil / folder
        remove(path)
        path.write_bytes(b"")
        check_farm(store, farm.good)


def test_a_lease_number_that_none_can_follow_is_left_alone(farm: Farm) -> None:
    store = farm.renew()
    keys = JobKeys(farm.evils[0])
    lease = Lease(token="t", holder="h:1", ttl=60, released=True)
    store.put(keys.lease(999_999), lease.encode())
    harness = SchedulerHarness(cores=4, store=store)
    harness.scan()
    assert harness.started == [farm.good] or farm.good in harness.started
    assert keys.job not in harness.started
    assert [line for line in harness.messages if "no lease can follow" in line]


class Blocked(MemoryStore):
    """Fails for each object of one job, or for all."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error, self.blocked = error, "evil"

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        if self.blocked in key:
            raise self.error
        return super().get_with_age(key)

    def list_objects(self, prefix: str) -> Iterator[Any]:
        if self.blocked in prefix or not self.blocked:
            raise self.error
        return super().list_objects(prefix)


@pytest.mark.parametrize("kind", [StoreUnreachable, StoreRefused, NotAnObject])
def test_only_what_concerns_the_store_itself_is_an_outage(kind: type[Exception]) -> None:
    store = Blocked(kind("a line"))
    error = attempt_job(store, "evil", lambda: store.get("evil"), store_time)
    assert type(error) is kind
    store.blocked = ""
    if issubclass(kind, NotAnObject):
        return
    with pytest.raises(kind):
        attempt_job(store, "evil", lambda: store.get("evil"), store_time)


def test_a_defect_that_one_job_shows_is_one_line() -> None:
    def fail() -> None:
        raise LookupError("x" * 9999)

    error = attempt_job(MemoryStore(), "evil", fail)
    assert isinstance(error, InvalidRecord)
    assert "unexpected LookupError: xxx" in str(error)
    assert len(str(error)) < 400


def test_no_blob_is_garbage_while_a_job_is_unreadable(farm: Farm) -> None:
    store = farm.renew()
    blob = blob_key(f"sha256:{'0' * 64}")
    store.put(blob, b"x")
    found = find_garbage(store, 0, include_resumable=True)
    assert blob in [one.prefix for one in found]
    place(farm.copy / JobKeys(farm.evils[0]).spec, "pipe", farm.copy)
    said: list[str] = []
    found = find_garbage(store, 0, include_resumable=True, report=said.append)
    assert blob not in [one.prefix for one in found]
    assert [line for line in said if "no blob is removed" in line]


@pytest.mark.timeout(60)
def test_a_damaged_job_can_be_deleted(farm: Farm) -> None:
    for name, kind in (("spec", "pipe"), ("intent", "huge"), ("manifest", "socket")):
        store = farm.renew()
        keys = JobKeys(farm.evils[0])
        place(farm.copy / getattr(keys, name), kind, farm.copy / JobKeys(farm.good).spec)
        store.put(active_marker(keys.job, 999_999), b"")
        delete_job(store, keys.job)
        assert [entry.key for entry in store.list_objects(keys.folder)] == []
        assert [entry.key for entry in store.list_objects(f"active/{keys.job}")] == []
        assert farm.good in list_job_ids(store)
