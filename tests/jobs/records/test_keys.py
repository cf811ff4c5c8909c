"""Keys: valid, distinct, and parsed back from listings."""

import re
from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.records.keys import (
    ACTIVE,
    MAX_NUMBER,
    JobKeys,
    active_marker,
    blob_key,
    is_job_id,
    parse_active_marker,
)
from jobs.spec.base import NAME_LENGTH, slug
from tests.support.job_states import JOB

names = st.text(min_size=1).map(slug).filter(bool).map(lambda word: word[:NAME_LENGTH])
ids = names.map(lambda name: f"{name.strip('._-')}-0123456789ab")
numbers = st.integers(0, MAX_NUMBER)


@given(ids, numbers)
def test_markers_parse_back(job: str, generation: int) -> None:
    assert is_job_id(job)
    assert parse_active_marker(active_marker(job, generation)) == (job, generation)


@given(ids, ids, numbers, numbers)
def test_markers_are_unique(one: str, other: str, first: int, second: int) -> None:
    assert (active_marker(one, first) == active_marker(other, second)) == (
        (one, first) == (other, second)
    )


@pytest.mark.parametrize(
    "key",
    [
        ACTIVE,
        "active/sky",
        "active/sky-0123456789ab@0",
        "active/sky-0123456789ab@01",
        "active/sky-0123456789ab@",
        "active/sky-0123456789ab@-1",
        "active/sky-0123456789ab/x",
        "active/../sky-0123456789ab",
        "jobs/sky-0123456789ab",
    ],
)
def test_other_keys_are_not_markers(key: str) -> None:
    assert parse_active_marker(key) is None


@pytest.mark.parametrize(
    "text", ["", "sky", "sky-0123456789AB", "sky-0123", "-0123456789ab", "../x-0123456789ab", "a\n"]
)
def test_other_texts_are_not_job_ids(text: str) -> None:
    assert not is_job_id(text)


PARSERS = ("lease_number", "status_number", "is_manifest")
"""Methods that parse keys instead of making them."""


def all_keys(keys: JobKeys) -> list[str]:
    """Every key that a job can have, with small numbers as arguments."""
    found = []
    for name, member in vars(JobKeys).items():
        if isinstance(member, property):
            found.append(getattr(keys, name))
        elif callable(member) and not name.startswith("_") and name not in PARSERS:
            count = len(signature(member).parameters) - 1
            arguments = [1, "a.png"] if name == "output" else [1] * count
            found.append(getattr(keys, name)(*arguments))
    return found


def test_keys_are_distinct_and_valid() -> None:
    keys = all_keys(JobKeys(JOB))

    assert len(keys) == len(set(keys)) > 15
    assert all(key.startswith(f"jobs/{JOB}/") for key in keys)
    assert all(re.fullmatch(r"[A-Za-z0-9._@=+/-]+", key) for key in keys)


def test_keys_are_as_documented() -> None:
    keys = JobKeys(JOB)

    assert keys.lease(1) == f"jobs/{JOB}/leases/000001.json"
    assert keys.events(12) == f"jobs/{JOB}/events/000012.jsonl"
    assert keys.log(1) == f"jobs/{JOB}/logs/000001/coordinator.log"
    assert keys.commit(1, 3) == f"jobs/{JOB}/checkpoints/000001/0003/commit.json"
    assert keys.shard(1, 3, 7) == f"jobs/{JOB}/checkpoints/000001/0003/7.tiles"
    assert keys.preview(1) == f"jobs/{JOB}/previews/octave-01.jpg"
    assert keys.output(1, "sky_files/0/0_0.jpg").startswith(f"jobs/{JOB}/outputs/000001/")
    assert blob_key("sha256:ab") == "blobs/sha256/ab"


@given(numbers)
def test_lease_number_parses_back(number: int) -> None:
    keys = JobKeys(JOB)
    assert keys.lease_number(keys.lease(number)) == number
    assert keys.lease_number(keys.status(number)) is None
