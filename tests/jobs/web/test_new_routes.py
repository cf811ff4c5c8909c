"""New jobs from the API: the same as from the command line, and never with files of the server."""

import sys
import time
from asyncio import AbstractEventLoop
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jobs.poster.submit import submit_poster
from jobs.runtime.upload import this_submitter
from jobs.spec.document import parse_poster_spec
from jobs.store.folder import FolderStore
from jobs.text.errors import RequestError
from jobs.web.commands import Catalogue, Commands
from jobs.web.problems import Problem
from jobs.web.spec_files import SpecFiles
from tests.support.counting_store import CountingStore
from tests.support.small_poster import poster_document
from tests.support.web_client import WebClient, web_client
from tests.support.web_server import WRITE, web_server


@pytest.fixture
def target(tmp_path: Path) -> FolderStore:
    (tmp_path / "store").mkdir()
    return FolderStore(tmp_path / "store")


@pytest.fixture
def client(target: FolderStore, loop: AbstractEventLoop) -> WebClient:
    return web_client(target, loop)


def uploaded(client: WebClient, picture: Path, weights: Path) -> dict[str, Any]:
    """The smallest poster's spec, with references of its uploaded files."""
    sky = client.upload("/uploads?name=sky.png", picture.read_bytes()).json()["reference"]
    path = f"/uploads?name={weights.name}&use=weights"
    seeded = client.upload(path, weights.read_bytes()).json()["reference"]
    document = poster_document(None, Path("w"))
    document["input"] = sky
    document["network"] = {**document["network"], "weights": seeded}
    return document


def test_a_submit_finds_the_same_job_as_the_command_line(
    client: WebClient, target: FolderStore, picture: Path, weights: Path
) -> None:
    document = uploaded(client, picture, weights)
    plan = client.send("POST", "/plans", {"spec": document, "gpu": "l4"}).json()["document"]
    assert (plan["width"], plan["height"]) == (100, 68)
    assert plan["seconds"] > 0, "by the data sheet of the GPU"
    assert plan["scale"] is not None
    assert client.json("/jobs")["matching"] == 0, "nothing is submitted"
    first = client.send("POST", "/jobs", {"spec": document})
    assert first.status_code == 201, first.text
    job = first.json()["job"]
    assert plan["job"] == job
    assert first.headers["location"] == f"/api/v1/jobs/{job}"
    assert first.json() == {"job": job, "state": "queued", "new": True, "items": None}
    again = client.send("POST", "/jobs", {"spec": document})
    assert (again.status_code, again.json()["new"]) == (200, False)
    local = submit_poster(target, parse_poster_spec(poster_document(picture, weights)))
    assert (local.job, local.new) == (job, False)
    # The spec of the job can be submitted again with changes.
    spec = client.json(f"/jobs/{job}/spec")
    spec["dream"]["steps"] = 3
    other = client.send("POST", "/jobs", {"spec": spec})
    assert (other.status_code, other.json()["new"]) == (201, True)
    assert client.json(f"/jobs/{job}")["submitter"] == str(this_submitter())
    listed = {one["job"] for one in client.json("/jobs")["jobs"]}
    assert listed == {job, other.json()["job"]}


def test_a_draft_is_a_limit_of_the_same_job(client: WebClient) -> None:
    commands = Scripted()
    client.farm.__dict__["commands"] = commands
    spec = {"input": {"colour": "teal"}, "size": "9x9"}
    body = {"spec": spec, "draft": "600px"}
    assert client.send("POST", "/jobs", {**body, "until": 65}).status_code == 422
    client.send("POST", "/jobs", {"spec": spec, "until": 4})
    client.send("POST", "/jobs", body)
    given = [
        [one for one in words if one.startswith(("--until", "--draft"))] for words in commands.asked
    ]
    assert given == [["--until=4"], ["--draft=600px"]]


def test_who_has_a_login_submits_by_its_role(locked: WebClient) -> None:
    commands = Scripted()
    locked.farm.__dict__["commands"] = commands
    spec = {"input": {"colour": "teal"}, "size": "9x9"}
    login = {"Authorization": f"Bearer {WRITE}"}
    locked.send("POST", "/jobs", {"spec": spec}, headers=login)
    assert commands.submitters == ["web:write"]
    ask = "import os; print(repr(os.environ.get('DREAMFARM_SUBMITTER')))"
    told = Commands()._communicate([sys.executable, "-c", ask], "web:write")
    assert told[:2] == (0, "'web:write'\n")


def test_errors_are_the_lines_of_the_command_line(client: WebClient) -> None:
    spec = {"input": {"colour": "teal"}, "size": "9x9", "dream": {"stepss": 1}}
    answer = client.send("POST", "/jobs", {"spec": spec})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "dream.stepss: no such key; nearest: steps, step_size"
    assert client.json("/jobs")["matching"] == 0


DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    "spec",
    [
        {"input": "/etc/passwd"},
        {"input": "sky.png"},
        {"input": {"path": "../sky.png"}},
        {"input": "s3://bucket/sky.png"},
        {"input": "http://169.254.169.254/latest"},
        {"input": {"noise": {"seed": 1}}, "network": {"name": "vgg16", "weights": "/w.pth"}},
        {"network": "/tmp/network.onnx"},
        {"network": {"name": "../network.onnx"}},
        {"network": {"onnx": "/tmp/network.onnx"}},
        {"sweep": {"network.name": ["/tmp/network.onnx"]}},
        {"sweep": {"network": [{"onnx": "/tmp/network.onnx"}]}},
        {"objectives": [{"layer": "a", "guide": "/etc/passwd"}]},
        {"objectives": [{"layer": "a", "mask": "mask.png"}]},
        {"dream": {"strength": "/etc/passwd"}},
        {"outputs": [{"format": "tiff", "profile": "/etc/shop.icc"}]},
        {"kind": "dataset", "inputs": "/tmp"},
        {"kind": "dataset", "inputs": {"path": "s3://other/prefix"}},
        {"kind": "dataset", "sweep": {"network.weights": ["/w.safetensors"]}},
        {"kind": "dataset", "sweep": {"objectives.0.guide": ["/etc/passwd"]}},
        {"kind": "atlas", "start": "/etc/passwd"},
        {"input": f"{DIGEST}/../../etc/passwd"},
        {"input": f"{DIGEST}/.."},
    ],
)
def test_no_file_of_the_server_can_be_named(spec: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"is not an uploaded file|may not read that|not in"):
        SpecFiles(CountingStore(), ()).localize(spec)


def test_what_names_no_file_stays() -> None:
    spec = {
        "kind": "poster",
        "name": "my.name",
        "input": {"noise": {"seed": 1}},
        "size": "60cm x auto @ 300dpi",
        "network": {"name": "vgg16", "weights": "pretrained"},
        "objectives": [{"layer": "features.9", "classes": None}],
        "outputs": ["png", {"format": "tiff", "profile": "cmyk"}],
    }
    assert SpecFiles(CountingStore(), ()).localize(spec) == spec


def test_the_operator_may_allow_a_folder(tmp_path: Path) -> None:
    spec = {"kind": "dataset", "inputs": str(tmp_path / "photos")}
    assert SpecFiles(CountingStore(), (str(tmp_path),)).localize(spec) == spec
    with pytest.raises(RequestError):
        SpecFiles(CountingStore(), (str(tmp_path / "other"),)).localize(spec)


def test_a_deep_spec_is_refused(client: WebClient) -> None:
    spec: dict[str, Any] = {}
    for _ in range(200):
        spec = {"a": spec}
    assert client.send("POST", "/jobs", {"spec": spec}).status_code == 422
    wrong: tuple[object, ...] = ({}, {"spec": []}, {"spec": {}, "more": 1}, [], "x")
    for body in wrong:
        assert client.send("POST", "/jobs", body).status_code == 422


def test_a_command_that_takes_too_long_is_killed() -> None:
    with pytest.raises(Problem, match="took longer than"):
        Commands(0.05).run("networks")


def test_a_server_that_stops_waits_for_no_command() -> None:
    with ThreadPoolExecutor(1) as pool:
        with web_server(CountingStore()) as server:
            commands = server.farm.commands
            running = pool.submit(commands.run_module, "http.server", "0")
            deadline = time.monotonic() + 20
            while not commands._processes:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        with pytest.raises(Problem):
            running.result(10)
    with pytest.raises(Problem, match="is stopping"):
        commands.run("networks")


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(Problem, match=r"/nothing\.yaml: ") as caught:
        Commands().run("plan", "/nothing.yaml")
    assert caught.value.status == 422


def test_too_many_commands_are_refused() -> None:
    commands = Commands()
    while commands._places.acquire(blocking=False):
        pass
    with pytest.raises(Problem) as caught:
        commands.run("networks")
    assert caught.value.status == 429


class Scripted(Commands):
    """Answers like the command line, at once; `tests/jobs/cli/test_networks.py` tests that."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []
        self.submitters: list[str | None] = []

    def run(self, *arguments: str, submitter: str | None = None) -> Any:
        self.submitters.append(submitter)
        self.asked.append(arguments)
        if arguments[0] == "submit":
            raise Problem(422, "no")
        if arguments == ("networks",):
            return [{"network": "a", "weights": "shipped", "licence": "MIT", "classes": 83}]
        if "--classes" in arguments:
            return ["cat", "fox"]
        row = {"name": "b", "channels": 1, "stride": 2, "field": 3, "halo": 2, "reason": None}
        return [{**row, "more": 1}]


def test_the_choices_of_a_form(client: WebClient) -> None:
    commands = Scripted()
    client.farm.__dict__["catalogue"] = Catalogue(commands)
    for _ in range(2):
        assert client.json("/networks")["networks"][0]["network"] == "a"
        assert client.json("/networks/a/layers")["layers"][0]["stride"] == 2
        assert client.json("/networks/a/classes")["classes"] == ["cat", "fox"]
    assert len(commands.asked) == 3, "each is asked once"
    looks = {one["look"]: one for one in client.json("/looks")["looks"]}
    assert looks["garden"]["network"] == "pareidolia"
    assert set(client.json("/schema")) == {"poster", "dataset", "atlas"}
    assert "dream" in client.json("/schema")["poster"]["properties"]
