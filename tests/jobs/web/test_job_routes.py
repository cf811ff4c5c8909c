"""The API of jobs: list, show, change and delete."""

import http.client
import json
import re
from collections.abc import Iterator

import pytest

from jobs.records.keys import JobKeys
from jobs.records.state import Intent
from jobs.records.status import encode_events, make_event
from jobs.records.stored_spec import RunSettings
from tests.support.counting_store import CountingStore
from tests.support.job_states import fail_job, pause_at_limit
from tests.support.stored_jobs import (
    finish_job,
    job_name,
    poster_spec,
    run_job,
    write_finished_job,
    write_open_job,
)
from tests.support.web_client import WebClient
from tests.support.web_server import WebServer, web_server

HOSTILE = "<script>alert(1)</script>"


def listed(server: WebClient, **query: object) -> list[str]:
    found = server.json("/jobs", params=query)
    return [one["job"] for one in found["jobs"]]


def test_jobs_are_listed_newest_first_in_pages(server: WebClient, store: CountingStore) -> None:
    for number in range(5):
        store.now += 10
        write_open_job(store, job_name(number))
    expected = [job_name(number) for number in (4, 3, 2, 1, 0)]
    assert listed(server) == expected
    first = server.json("/jobs", params={"limit": 2})
    second = server.json("/jobs", params={"limit": 2, "after": first["next"]})
    third = server.json("/jobs", params={"limit": 2, "after": second["next"]})
    pages = [one["job"] for page in (first, second, third) for one in page["jobs"]]
    assert pages == expected
    assert (first["matching"], third["next"]) == (5, None)


def test_filters_choose_jobs(server: WebClient, store: CountingStore) -> None:
    garden, eyes, sky = job_name(1), job_name(2), job_name(3, "sky")
    write_open_job(store, garden, poster_spec("garden"))
    write_open_job(store, eyes, poster_spec("eyes"))
    run_job(store, write_open_job(store, sky, {}))
    assert listed(server, look="garden") == [garden]
    assert listed(server, look="eyes") == [eyes]
    assert listed(server, name="SKY") == [sky]
    assert listed(server, state="running") == [sky]
    assert sorted(listed(server, state=["running", "queued"])) == sorted([garden, eyes, sky])
    assert listed(server, kind="dataset") == []
    assert server.get("/jobs", params={"state": "sleeping"}).status_code == 422


def test_a_job_is_shown_with_everything(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    run_job(store, keys, progress=0.4)
    shown = server.json(f"/jobs/{keys.job}")
    facts = ("state", "progress", "octave", "octaves", "holder", "lease", "look", "network", "name")
    assert [shown[name] for name in facts] == [
        *("running", 0.4, 1, 2, "here:1", 1, "garden", "pareidolia", "sea")
    ]
    assert shown["requests"] == ["pause", "cancel", "priority"]
    assert shown["preview"] is None


def test_a_finished_job_has_its_outputs(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    output = {
        "width": 600,
        "height": 400,
        "depth": 8,
        "dpi": None,
        "bytes": 9,
        "sha256": f"sha256:{'0' * 64}",
    }
    files = [("sea.png", "png"), ("sea.dzi", "deepzoom")]
    outputs = [{**output, "path": f"outputs/000001/{name}", "format": f} for name, f in files]
    finish_job(store, keys, outputs=outputs)
    shown = server.json(f"/jobs/{keys.job}")
    base = f"/api/v1/jobs/{keys.job}"
    assert [one["url"] for one in shown["outputs"]] == [
        f"{base}/outputs/sea.png",
        f"{base}/outputs/sea.zip",
    ]
    assert (shown["state"], shown["width"], shown["height"]) == ("succeeded", 600, 400)
    assert shown["previews"] == [f"{base}/previews/1.jpg", f"{base}/previews/2.jpg"]
    assert shown["requests"] == ["delete"]
    assert server.json(f"/jobs/{keys.job}/manifest")["outputs"] == outputs


@pytest.mark.parametrize(
    ("request_", "state", "want"),
    [("pause", "paused", "pause"), ("cancel", "cancelled", "cancel"), ("resume", "queued", "run")],
)
def test_intents_are_those_of_the_command_line(
    server: WebClient, store: CountingStore, request_: str, state: str, want: str
) -> None:
    keys = write_open_job(store, job_name(1))
    answer = server.send("POST", f"/jobs/{keys.job}/intent", {"request": request_})
    assert (answer.json()["state"], answer.json()["want"]) == (state, want)
    assert json.loads(store.get(keys.intent))["want"] == want


def test_a_draft_is_finished(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    store.put(keys.intent, Intent(until=2).encode())
    shown = server.json(f"/jobs/{keys.job}")
    assert shown["until"] == 2
    assert shown["requests"] == ["pause", "cancel", "finish", "priority"]
    finished = server.send("POST", f"/jobs/{keys.job}/intent", {"request": "finish"}).json()
    assert (finished["until"], finished["state"]) == (None, "queued")
    assert "finish" not in finished["requests"]


def test_a_job_at_its_limit_is_raised(server: WebClient, store: CountingStore) -> None:
    keys = pause_at_limit(store, job_name(1), usd=40.0, hours=3.0)
    shown = server.json(f"/jobs/{keys.job}")
    advice = f"`dreamfarm resume {keys.job} --raise usd=20` goes on"
    facts = [shown[name] for name in ("state", "paused_by", "reason", "limits", "spent")]
    assert facts == [
        *("paused", "limit", f"spent USD 39.90, and limits.usd is USD 40.00; {advice}"),
        {"usd": 40, "hours": 3},
        {"seconds": 7200, "worker_seconds": 14400, "usd": 39.9},
    ]
    path = f"/jobs/{keys.job}/intent"
    refused = server.send("POST", path, {"request": "resume"})
    assert (refused.status_code, "has reached limits.usd" in refused.text) == (409, True)
    for wrong in (-1, 0, 1e12, "20"):
        answer = server.send("POST", path, {"request": "resume", "usd": wrong})
        assert answer.status_code == 422, answer.text
    answer = server.send("POST", path, {"request": "resume", "usd": 2.5, "hours": 1}).json()
    assert (answer["state"], answer["paused_by"]) == ("queued", None)
    assert answer["limits"] == {"usd": 42.5, "hours": 4}


def test_a_finished_job_has_its_cost_from_the_manifest(
    server: WebClient, store: CountingStore
) -> None:
    keys = write_open_job(store, job_name(1))
    finish_job(store, keys, spent={"seconds": 5.0, "worker_seconds": 9.0, "usd": None})
    write_finished_job(store, job_name(2))
    spent = {"seconds": 5.0, "worker_seconds": 9.0, "usd": None}
    assert server.json(f"/jobs/{keys.job}")["spent"] == spent
    # One of an older version has none.
    assert server.json(f"/jobs/{job_name(2)}")["spent"] is None


def test_submitters_are_text_and_filter_jobs(server: WebClient, store: CountingStore) -> None:
    ann, eve, old = job_name(1), job_name(2), job_name(3)
    for job, user in ((ann, "Ann"), (eve, HOSTILE + "\x1b[2J"), (old, None)):
        keys = write_open_job(store, job)
        spec = json.loads(store.get(keys.spec))
        spec["submitter"] = user and {"user": user, "host": "lab"}
        store.put(keys.spec, json.dumps(spec).encode())
    assert listed(server, submitter="ann@lab") == [ann]
    assert listed(server, submitter="NN") == [ann]
    assert listed(server, submitter="script") == [eve]
    assert sorted(listed(server)) == [ann, eve, old]
    assert server.json(f"/jobs/{eve}")["submitter"] == f"{HOSTILE}\\x1b[2J@lab"
    assert server.json(f"/jobs/{old}")["submitter"] is None


def test_a_failed_job_is_retried(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    fail_job(store, run_job(store, keys))
    shown = server.json(f"/jobs/{keys.job}")
    assert (shown["state"], shown["failure"], shown["reason"]) == ("failed", "memory", "no memory")
    assert shown["requests"] == ["retry", "delete"]
    answer = server.send("POST", f"/jobs/{keys.job}/intent", {"request": "retry"})
    assert answer.json()["state"] == "queued"
    refused = server.send(
        "POST", f"/jobs/{keys.job}/intent", {"request": "retry", "only_failed": True}
    )
    assert refused.status_code == 409


def test_what_a_state_forbids_is_a_conflict(server: WebClient, store: CountingStore) -> None:
    keys = write_finished_job(store, job_name(1))
    answer = server.send("POST", f"/jobs/{keys.job}/intent", {"request": "pause"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "only queued or running jobs can be paused" in answer.json()["detail"]


def test_a_priority_is_changed_and_nothing_else(server: WebClient, store: CountingStore) -> None:
    document = {**poster_spec(), "crew": {"workers": 3}}
    keys = write_open_job(store, job_name(1), document)
    answer = server.send("PUT", f"/jobs/{keys.job}/priority", {"priority": 80})
    assert answer.json()["priority"] == 80
    settings = RunSettings.read(store, keys.run_settings)
    assert (settings.priority, settings.crew.workers) == (80, 3)
    for wrong in (101, -1, "80", 1.5, None):
        answer = server.send("PUT", f"/jobs/{keys.job}/priority", {"priority": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "priority"


def test_an_ended_job_is_deleted(server: WebClient, store: CountingStore) -> None:
    keys, other = write_finished_job(store, job_name(1)), write_open_job(store, job_name(2))
    assert len(server.json("/jobs")["jobs"]) >= 1
    assert server.send("DELETE", f"/jobs/{other.job}").status_code == 409
    assert server.send("DELETE", f"/jobs/{keys.job}").json()["job"] == keys.job
    assert listed(server) == [other.job]
    assert not [key for key in store.objects if keys.job in key]
    assert server.get(f"/jobs/{keys.job}").status_code == 404
    assert server.send("DELETE", f"/jobs/{keys.job}").status_code == 404


def test_no_job_no_write(server: WebClient, store: CountingStore) -> None:
    gone = job_name(404)
    for method, path, body in (
        ("POST", f"/jobs/{gone}/intent", {"request": "cancel"}),
        ("PUT", f"/jobs/{gone}/priority", {"priority": 1}),
        ("DELETE", f"/jobs/{gone}", None),
    ):
        answer = server.send(method, path, body)
        assert answer.status_code == 404, answer.text
        assert answer.json()["detail"].startswith(f"no job {gone} in memory")
    assert not store.objects


def test_events_and_logs_of_all_leases(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    run_job(store, keys).release()
    run_job(store, keys)
    for lease in (1, 2):
        store.put(keys.events(lease), encode_events([make_event("claimed", holder=f"h{lease}")]))
        store.put(keys.log(lease), f"line \x1b[31m{lease}\n".encode())
    events = server.json(f"/jobs/{keys.job}/events")["events"]
    assert [(one["event"], one["lease"], one["holder"]) for one in events] == [
        ("claimed", 1, "h1"),
        ("claimed", 2, "h2"),
    ]
    lines = server.json(f"/jobs/{keys.job}/logs")["lines"]
    assert lines[0] == {"lease": 1, "line": "line \\x1b[31m1"}
    assert len(server.json(f"/jobs/{keys.job}/logs", params={"limit": 1})["lines"]) == 1


def test_the_spec_names_uploads_by_reference(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    stored = json.loads(store.get(keys.spec))
    digest = f"sha256:{'a' * 64}"
    stored["spec"]["input"] = {"path": "sky.png", "noise": None, "colour": None}
    stored["blobs"] = {"input": digest, "weights": None}
    store.put(keys.spec, json.dumps(stored).encode())
    spec = server.json(f"/jobs/{keys.job}/spec")
    assert spec["input"]["path"] == f"{digest}/sky.png"
    assert server.json(f"/jobs/{keys.job}/plan") == {"plan": None, "device": None, "software": None}


def test_hostile_text_stays_text(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1), {**poster_spec(), "network": {"name": HOSTILE}})
    held = run_job(store, keys)
    store.put(keys.events(held.number), encode_events([make_event(HOSTILE, reason=HOSTILE)]))
    store.put(keys.log(held.number), HOSTILE.encode())
    for path in ("", "/events", "/logs", "/spec"):
        answer = server.get(f"/jobs/{keys.job}{path}")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert HOSTILE in answer.text
    missing = server.get(f"/jobs/{HOSTILE}")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_a_damaged_job_is_named_and_stops_nobody(server: WebClient, store: CountingStore) -> None:
    bad, good = job_name(1), write_open_job(store, job_name(2))
    write_open_job(store, bad)
    store.put(JobKeys(bad).spec, b"{}")
    page = server.json("/jobs")
    assert [one["job"] for one in page["jobs"]] == [good.job]
    assert [one["job"] for one in page["unreadable"]] == [bad]
    assert server.get(f"/jobs/{bad}").status_code == 500


PATHS = ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a/b", "a%00b", ".", "x" * 500]


def raw(server: WebServer, method: str, path: str) -> tuple[int, bytes]:
    """The status and the body of an answer to exactly this path, which clients would clean up."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def listening() -> Iterator[WebServer]:
    """A server with one finished job, which clients reach by a socket."""
    store = CountingStore()
    write_finished_job(store, job_name(1))
    with web_server(store) as running:
        yield running


@pytest.mark.parametrize("text", PATHS)
def test_no_parameter_of_a_path_leads_anywhere(listening: WebServer, text: str) -> None:
    """Each parameter of each route in turn, with right values for the others."""
    right = {
        "job": job_name(1),
        "version": "000001-0001",
        "level": "0",
        "place": "0_0",
        "octave": "1",
        "name": "sea.png",
        "number": "0",
        "when": "before",
        "network": "pareidolia",
    }
    tried = 0
    for path, methods in listening.json("/openapi.json")["paths"].items():
        for parameter in re.findall(r"\{(\w+)\}", path):
            values = {**right, parameter: text}
            filled = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)  # noqa: B023
            for method in methods:
                status, body = raw(listening, method.upper(), filled)
                assert status in (404, 405, 415), (method, filled, body)
                tried += 1
    assert tried > 20
    status, body = raw(listening, "GET", f"/{text}")
    assert status in (200, 307, 404)
    assert b"root:" not in body


def test_a_store_that_does_not_answer_is_a_problem_of_its_own(
    server: WebClient, store: CountingStore
) -> None:
    store.is_down = True
    answer = server.get("/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["detail"] == "memory: does not answer"
    store.is_down = False
    assert server.get("/jobs").status_code == 200
