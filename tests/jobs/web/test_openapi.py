"""The OpenAPI document is valid, and enough to drive the server by."""

import hashlib
from asyncio import AbstractEventLoop
from typing import Any

import pytest
from openapi_spec_validator import validate

from jobs.store.folder import FolderStore
from tests.support.counting_store import CountingStore
from tests.support.rendered_poster import RenderedPoster
from tests.support.stored_jobs import job_name, write_open_job
from tests.support.web_client import WebClient, web_client


class GeneratedClient:
    """A client that knows only the document: the name of an operation and of its parameters."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        document = client.json("/openapi.json")
        self.operations = {
            operation["operationId"].split("_api_v1_")[0]: (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def __call__(self, operation_id: str, body: Any = None, /, **given: Any) -> Any:
        method, path, operation = self.operations[operation_id]
        places = {one["name"]: one["in"] for one in operation.get("parameters", ())}
        assert set(given) <= set(places), f"{operation_id} has {sorted(places)}"
        for parameter, value in given.items():
            if places[parameter] == "path":
                path = path.replace(f"{{{parameter}}}", str(value))
        query = {one: value for one, value in given.items() if places[one] == "query"}
        (kind,) = operation.get("requestBody", {"content": {"": None}})["content"]
        sent = {"json": body} if kind == "application/json" else {"content": body}
        headers = {"Content-Type": kind} if body is not None else {}
        answer = self._client.request(
            method.upper(),
            path,
            params=query,
            headers=headers,
            **(sent if body is not None else {}),
        )
        assert answer.is_success, answer.text
        is_json = answer.headers["content-type"] == "application/json"
        return answer.json() if is_json else answer.content


def test_the_document_is_valid(server: WebClient) -> None:
    document = server.json("/openapi.json")
    validate(document)
    names = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    assert len(set(names)) == len(names)
    assert all(
        operation.get("description")
        for methods in document["paths"].values()
        for operation in methods.values()
    )


def test_a_client_made_from_the_document_uploads_and_submits(
    loop: AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory, picture: Any
) -> None:
    store = FolderStore(tmp_path_factory.mktemp("store"))
    call = GeneratedClient(web_client(store, loop))
    upload = call("upload", picture.read_bytes(), name="sky.png")
    spec = {
        "input": upload["reference"],
        "network": "pareidolia",
        "objectives": [{"layer": "stem.0.relu"}],
        "dream": {"octaves": 1, "steps": 1},
    }
    submitted = call("submit", {"spec": spec})
    assert call("list_jobs", state="queued")["jobs"][0]["job"] == submitted["job"]
    assert call("change_priority", {"priority": 70}, job=submitted["job"])["priority"] == 70
    assert (
        call("change_intent", {"request": "cancel"}, job=submitted["job"])["state"] == "cancelled"
    )
    assert call("delete", job=submitted["job"])["objects"] > 0


def test_a_client_made_from_the_document_fetches_a_result(
    finished: RenderedPoster, loop: AbstractEventLoop
) -> None:
    call = GeneratedClient(web_client(FolderStore(finished.store), loop))
    (shown,) = call("list_jobs", state="succeeded")["jobs"]
    output = next(one for one in shown["outputs"] if one["format"] == "png")
    content = call("download", job=shown["job"], name=output["name"])
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == output["sha256"]


def test_every_answer_about_jobs_fits_the_document(server: WebClient, store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    call = GeneratedClient(server)
    for name in ("show_job", "show_events", "show_logs", "show_plan", "show_spec"):
        assert isinstance(call(name, job=keys.job), dict)
    assert call("show_farm")["open"]["queued"] == 1
    assert call("get_session")["role"] == "write"
