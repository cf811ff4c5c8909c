"""What jobs spend, the limits that pause them, and the requests that raise these."""

from typing import Any

import pytest

from jobs.records import request
from jobs.records.job import load_job
from jobs.records.spending import ReachedLimit, Spent, format_amount
from jobs.records.state import Intent, pause_cause
from jobs.records.stored_spec import RunSettings, StoredSpec
from jobs.spec.base import Limits
from jobs.spec.kinds import parse_spec
from jobs.spec.poster import PosterSpec
from jobs.text.errors import RequestError
from tests.support.job_states import JOB, pause_at_limit, sample_status
from tests.support.memory_store import MemoryStore

REACHED = ReachedLimit(unit="usd", limit=40)


def test_sums_keep_the_known_money() -> None:
    known = Spent(seconds=10, worker_seconds=20, usd=0.5)
    unknown = Spent(seconds=1, worker_seconds=4)

    assert known.plus(unknown) == Spent(seconds=11, worker_seconds=24, usd=0.5)
    assert unknown.plus(unknown).usd is None
    assert known.plus(known).minus(known) == known
    assert unknown.of("usd") == 0
    assert Spent(seconds=5400).of("hours") == 1.5


def test_the_sum_of_the_largest_amounts_is_an_amount() -> None:
    most = Spent(seconds=1e30, worker_seconds=1e30, usd=1e30)
    assert most.plus(most) == most


@pytest.mark.parametrize(
    ("unit", "amount", "text"),
    [
        ("usd", 0.001, "under USD 0.01"),
        ("usd", 40, "USD 40.00"),
        ("hours", 1.5, "1.5 hours"),
        ("hours", 720, "720 hours"),
    ],
)
def test_amounts_as_text(unit: str, amount: float, text: str) -> None:
    assert format_amount(unit, amount) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["poster", "dataset", "atlas"])
def test_every_kind_has_limits_that_change_no_id(kind: str) -> None:
    documents: dict[str, dict[str, Any]] = {
        "poster": {"input": {"noise": {"seed": 1}}, "size": "64x64"},
        "dataset": {"kind": "dataset", "inputs": "photos"},
        "atlas": {"kind": "atlas", "network": "lenet5", "of": {"classes": [1]}},
    }
    plain = parse_spec(documents[kind])
    limited = parse_spec(documents[kind] | {"limits": {"usd": 40, "hours": 0.5}})

    assert (limited.limits.usd, limited.limits.hours) == (40, 0.5)
    assert plain.limits.usd is None
    # Records of specs without them stay as they were, so that other versions can read them.
    assert not {"usd", "hours"} & {*plain.document()["limits"]}


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({"usd": -1}, "limits.usd: must be above 0.0, not -1"),
        ({"usd": 0}, "limits.usd: must be above 0.0, not 0"),
        ({"hours": float("nan")}, "limits.hours: must be a finite number"),
        ({"hours": 1e10}, "limits.hours: must be at most 1"),
        ({"usd": "40"}, "limits.usd: must be a number, not '40'"),
        ({"eur": 40}, "limits.eur: no such key; "),
    ],
)
def test_wrong_limits_are_one_line(limits: dict[str, object], problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_spec({"input": {"noise": {}}, "size": "64x64", "limits": limits})
    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "cause"),
    [
        (None, "limit"),
        (Limits(usd=40), "limit"),
        (Limits(usd=39, hours=1000), "limit"),
        (Limits(usd=40.01), None),
        (Limits(), None),
    ],
)
def test_a_reached_limit_pauses_until_it_is_raised(limits: Limits | None, cause: str) -> None:
    status = sample_status().model_copy(update={"limit": REACHED})

    assert pause_cause(status, Intent(), limits) == cause
    assert pause_cause(status, Intent(want="pause"), limits) == (cause or "user")
    assert pause_cause(status, Intent(generation=1), limits) is None


def test_a_job_at_its_limit_goes_on_only_with_a_higher_one(store: MemoryStore) -> None:
    keys = pause_at_limit(store, usd=40, hours=3)
    job = load_job(store, JOB)
    assert (job.state, job.paused_by) == ("paused", "limit")

    for ask in (request.resume, request.finish):
        with pytest.raises(
            RequestError, match=r"has reached limits\.usd, USD 40\.00; .*--raise usd="
        ):
            ask(store, JOB)
    with pytest.raises(RequestError, match=r"has reached limits\.usd"):
        request.resume(store, JOB, {"hours": 1})
    assert request.resume(store, JOB, {"usd": 20}) == "queued"

    settings = RunSettings.read(store, keys.run_settings)
    # The request that was refused has raised nothing.
    assert (settings.limits.usd, settings.limits.hours) == (60, 3)
    assert load_job(store, JOB).paused_by is None


def test_a_user_who_paused_it_too_resumes_it_with_the_limit(store: MemoryStore) -> None:
    keys = pause_at_limit(store, usd=40)
    request.pause(store, JOB)
    assert load_job(store, JOB).paused_by == "limit"
    assert request.resume(store, JOB, {"usd": 1}) == "queued"
    assert Intent.read(store, keys.intent).want == "run"


def test_a_job_without_settings_raises_the_limit_of_its_spec(store: MemoryStore) -> None:
    keys = pause_at_limit(store, usd=40)
    spec = PosterSpec.model_validate({"input": {"noise": {}}, "size": "64x64"}, strict=False)
    document = spec.document() | {"limits": {"max_pixels": 10**6, "usd": 40.0}}
    stored = StoredSpec.read(store, keys.spec).model_copy(update={"spec": document})
    store.put(keys.spec, stored.encode())
    store.delete([keys.run_settings])

    assert load_job(store, JOB).state == "paused"
    assert request.resume(store, JOB, {"usd": 5}) == "queued"
    assert RunSettings.read(store, keys.run_settings).limits.usd == 45


@pytest.mark.parametrize(
    ("raised", "problem"),
    [({"hours": 1}, "has no limits.hours to raise"), ({"usd": 1e9}, "can be at most 1e+09")],
)
def test_what_cannot_be_raised_changes_nothing(
    store: MemoryStore, raised: request.Raise, problem: str
) -> None:
    keys = pause_at_limit(store, usd=40)
    before = store.get(keys.run_settings)
    with pytest.raises(RequestError) as caught:
        request.resume(store, JOB, raised)
    assert problem in str(caught.value)
    assert store.get(keys.run_settings) == before


def test_amounts_to_raise() -> None:
    assert request.parse_raise([]) == {}
    assert request.parse_raise(["20"]) == {"usd": 20}
    assert request.parse_raise(["usd=20", "5", "hours=1.5"]) == {"usd": 25, "hours": 1.5}


@pytest.mark.parametrize(
    "text", ["", "-1", "0", "nan", "inf", "1e99", "eur=5", "usd=", "usd=a", "=5", "usd=1=2"]
)
def test_wrong_amounts_to_raise_are_one_line(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        request.parse_raise([text])
    assert "write a number above 0" in str(caught.value)
