"""Fetching the picture of a draft from a store that others may write."""

from pathlib import Path

import pytest

from jobs.poster.fetch.draft import fetch_draft
from jobs.poster.outputs import draft_name
from jobs.records.job import load_job
from jobs.runtime.publish import Target
from jobs.text.errors import RequestError
from tests.support.job_states import JOB, claim_next_lease, write_job
from tests.support.memory_store import MemoryStore


def test_a_picture_of_another_name_replaces_nothing(store: MemoryStore, tmp_path: Path) -> None:
    keys = write_job(store)
    claim_next_lease(store, keys).release()
    mine = tmp_path / "holiday.png"
    mine.write_bytes(b"mine")
    store.put(f"{keys.outputs(1)}holiday.png", b"theirs")
    store.put(f"{keys.outputs(1)}{draft_name(JOB, 3)}/holiday.png", b"theirs")
    with pytest.raises(RequestError, match="the picture of its draft is missing"):
        fetch_draft(store, load_job(store, JOB), Target(tmp_path))

    store.put(f"{keys.outputs(1)}{draft_name(JOB, 2)}", b"draft")
    fetched = fetch_draft(store, load_job(store, JOB), Target(tmp_path))
    assert (fetched.name, fetched.read_bytes()) == (draft_name(JOB, 2), b"draft")
    assert mine.read_bytes() == b"mine"
