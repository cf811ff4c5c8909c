"""Records: encoding and decoding; any other content gives a one-line error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jobs.records.job import load_job
from jobs.records.keys import MAX_NUMBER, JobKeys
from jobs.records.lease import Lease
from jobs.records.record import MAX_TTL, read_json_object
from jobs.records.state import Intent
from jobs.records.status import Status
from jobs.records.stored_spec import Blobs, RunSettings, StoredSpec
from jobs.spec.document import parse_poster_spec
from jobs.store.errors import ObjectNotFound
from jobs.store.store import MAX_READ_BYTES
from jobs.text.errors import InvalidRecord
from tests.support.job_states import JOB, job_in_state, sample_status
from tests.support.memory_store import MemoryStore

leases = st.builds(
    Lease, token=st.text(), holder=st.text(), ttl=st.floats(0.001, MAX_TTL), released=st.booleans()
)
intents = st.builds(
    Intent, want=st.sampled_from(["run", "pause", "cancel"]), generation=st.integers(0, MAX_NUMBER)
)


@given(leases | intents)
def test_record_decodes_to_an_equal_record(record: Lease | Intent) -> None:
    content = record.encode()

    assert type(record).decode(content, "k") == record
    assert content.endswith(b"}\n")
    assert json.loads(content)["version"] == 1


def test_run_settings_decode_to_equal_settings() -> None:
    crew = {"workers": 3, "memory_per_worker": "1.5GiB"}
    run_settings = RunSettings.of(
        parse_poster_spec({"input": "a.png", "crew": crew, "limits": {"max_pixels": 1e6}})
    )

    assert RunSettings.decode(run_settings.encode(), "k") == run_settings


@given(
    st.binary()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["want", "ttl", "x"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_content_is_a_record_or_a_one_line_error(content: bytes) -> None:
    for kind in (Intent, Lease, Status, RunSettings, StoredSpec):
        try:
            kind.decode(content, "jobs/a/b.json")
        except InvalidRecord as error:
            assert str(error).startswith("jobs/a/b.json: ")
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Invalid JSON"),
        (b"\xff", "Invalid JSON"),
        (b"[1]", "must be a mapping"),
        (b'{"version": 2}', "version: must be 1, not 2"),
        (b'{"want": "stop"}', "want: must be 'run', 'pause' or 'cancel', not 'stop'"),
        (b'{"wnat": "run"}', "wnat: no such key; nearest: want"),
        (b'{"generation": -1}', "generation: must be at least 0"),
        (b'{"generation": "1"}', "generation: must be a whole number"),
    ],
)
def test_invalid_record_error_names_key_and_problem(content: bytes, message: str) -> None:
    with pytest.raises(InvalidRecord, match=r"^jobs/a/intent.json: .*another program") as error:
        Intent.decode(content, "jobs/a/intent.json")
    assert message in str(error.value)


def test_invalid_digest_is_rejected() -> None:
    for digest in ("sha256:../../secret", "sha256:" + "A" * 64, "sha256:" + "a" * 64 + "\n"):
        with pytest.raises(ValidationError):
            Blobs(input=digest, weights=None)


def test_infinity_is_rejected_on_creation() -> None:
    with pytest.raises(ValidationError):
        Lease(token="", holder="", ttl=float("inf"))
    assert Status.decode(sample_status().encode(), "k") == sample_status()


def test_missing_objects(store: MemoryStore) -> None:
    assert Intent.read_or_none(store, "k") is None
    assert read_json_object(store, "k") is None
    with pytest.raises(ObjectNotFound):
        Intent.read(store, "k")


def test_read_json_object(store: MemoryStore) -> None:
    store.put("k", b'{"a": 1}')
    store.put("list", b"[1]")

    assert read_json_object(store, "k") == {"a": 1}
    with pytest.raises(InvalidRecord, match="list: not a JSON object"):
        read_json_object(store, "list")


@pytest.mark.parametrize("what", ["spec", "intent", "run_settings", "manifest", "lease", "status"])
def test_too_large_record_is_invalid(what: str) -> None:
    store = MemoryStore()
    job_in_state(store, "running")
    keys = JobKeys(JOB)
    key_or_method = getattr(keys, what)
    key = key_or_method(1) if callable(key_or_method) else key_or_method
    store.put(key, bytes(MAX_READ_BYTES + 1))
    with pytest.raises(InvalidRecord) as refused:
        load_job(store, JOB)

    message = str(refused.value)
    assert message.startswith(f"{key}: has {MAX_READ_BYTES + 1} bytes, ")
    assert len(message.splitlines()) == 1
