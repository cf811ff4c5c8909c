"""What every request has to pass, on a real server."""

import socket
import time
from collections.abc import AsyncIterator

import pytest

from jobs.web.guard import API, HEADERS, MAX_BODY, check_host, check_origin
from jobs.web.problems import Problem
from jobs.web.settings import ServeSettings, Tokens
from tests.support.counting_store import CountingStore
from tests.support.stored_jobs import finish_job, job_name, write_open_job
from tests.support.web_client import URL, WebClient
from tests.support.web_server import READ, WRITE, web_server

JOB = job_name(1)

INTENT = f"/jobs/{JOB}/intent"

PAUSE = {"request": "pause"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(autouse=True)
def queued(store: CountingStore) -> None:
    write_open_job(store, JOB)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "a b", "10.0.0.1"],
)
def test_another_name_is_refused_where_there_is_no_login(server: WebClient, host: str) -> None:
    """The name of a stranger's site may point to this machine: DNS rebinding."""
    for path in ("/", f"{API}/jobs", f"{API}/session"):
        assert server.request("GET", path, headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8787", "[::1]:1", "127.0.0.1:65535"])
def test_names_of_this_machine_are_accepted(server: WebClient, host: str) -> None:
    assert server.get("/jobs", headers={"Host": host}).status_code == 200


def test_with_a_login_any_name_will_do() -> None:
    check_host("farm.example.com", has_login=True)
    for host in (None, "", "a b", "a/b", "user@host"):
        with pytest.raises(Problem):
            check_host(host, has_login=True)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "other"])
def test_a_page_of_another_site_may_ask_for_nothing(server: WebClient, site: str) -> None:
    headers = {"Sec-Fetch-Site": site}
    assert server.get("/jobs", headers=headers).status_code == 403
    assert server.send("POST", INTENT, PAUSE, headers=headers).status_code == 403
    assert server.json(f"/jobs/{JOB}")["state"] == "queued"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://[", ""]
)
def test_a_post_of_another_origin_is_refused(server: WebClient, origin: str) -> None:
    answer = server.send("POST", INTENT, PAUSE, headers={"Origin": origin})
    assert answer.status_code == 403
    assert server.json(f"/jobs/{JOB}")["want"] == "run"


def test_the_page_itself_may_post(server: WebClient) -> None:
    headers = {"Origin": URL, "Sec-Fetch-Site": "same-origin"}
    assert server.send("POST", INTENT, PAUSE, headers=headers).json()["state"] == "paused"


def test_a_typed_address_may_look_but_not_change() -> None:
    check_origin("GET", {"sec-fetch-site": "none"})
    with pytest.raises(Problem):
        check_origin("POST", {"sec-fetch-site": "none"})


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_a_body_that_a_form_can_send_is_refused(server: WebClient, kind: str) -> None:
    body, headers = b'{"request": "pause"}', {"Content-Type": kind}
    for path in (INTENT, "/uploads?name=a.png"):
        answer = server.request("POST", f"{API}{path}", content=body, headers=headers)
        assert answer.status_code == 415, answer.text
    assert server.json(f"/jobs/{JOB}")["want"] == "run"


def test_every_answer_has_the_headers(server: WebClient) -> None:
    for path in ("/", "/nothing", f"{API}/jobs", f"{API}/jobs/x", f"{API}/uploads", "/healthz"):
        answer = server.request("GET", path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_nothing_without_a_login_but_the_page_and_the_session(locked: WebClient) -> None:
    document = locked.get("/openapi.json", headers=bearer(READ)).json()
    for path, methods in document["paths"].items():
        for method in methods:
            filled = path.replace("{job}", JOB).replace("{", "").replace("}", "")
            answer = locked.request(method, filled)
            is_open = path.endswith("/session")
            assert (answer.status_code == 401) is not is_open, (method, path)
    assert locked.request("GET", "/healthz").text == "ok\n"
    session = locked.json("/session")
    assert (session["role"], session["login"], session["store"]) == (None, True, None)


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic eDp5", WRITE, "Bearer é"])
def test_a_wrong_token_is_no_login(locked: WebClient, header: str) -> None:
    headers = {"Authorization": header.encode()}
    assert locked.get("/jobs", headers=headers).status_code == 401


def test_a_login_sets_a_cookie_that_no_script_and_no_other_site_gets(locked: WebClient) -> None:
    answer = locked.send("POST", "/session", {"token": WRITE})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.json()["role"] == "write"
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert WRITE not in cookie
    assert locked.json("/session")["role"] == "write", "the client keeps the cookie"
    assert locked.send("POST", INTENT, PAUSE).json()["state"] == "paused"
    assert locked.send("DELETE", "/session").status_code == 204
    assert locked.get("/jobs").status_code == 401


def test_cookies_of_other_programs_on_this_machine_hide_no_login(locked: WebClient) -> None:
    """Browsers send all cookies of a name to all of its ports."""
    locked.send("POST", "/session", {"token": READ})
    cookie = locked.farm.logins.cookie("read")
    for other in ('a={"b": 1}', "a b=1", "a[]=1", "=", 'a="'):
        headers = {"Cookie": f"{other}; dreamfarm-session={cookie}"}
        assert locked.get("/session", headers=headers).json()["role"] == "read", other


def test_a_cookie_is_secure_behind_tls(store: CountingStore) -> None:
    settings = ServeSettings(tokens=Tokens(WRITE, READ))
    with web_server(store, settings) as server:
        headers = {"X-Forwarded-Proto": "https"}
        answer = server.send("POST", "/session", {"token": READ}, headers=headers)
    assert "; secure" in answer.headers["set-cookie"].lower()


def test_a_wrong_token_costs_a_second_and_sets_nothing(locked: WebClient) -> None:
    began = time.monotonic()
    answer = locked.send("POST", "/session", {"token": "wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert time.monotonic() - began >= 1


def test_a_token_that_reads_changes_nothing(locked: WebClient) -> None:
    headers = bearer(READ)
    assert locked.get(f"/jobs/{JOB}", headers=headers).json()["requests"] == []
    document = locked.get("/openapi.json", headers=headers).json()
    for path, methods in document["paths"].items():
        for method in set(methods) - {"get"}:
            if not path.endswith("/session"):
                filled = path.replace("{job}", JOB)
                answer = locked.request(method, filled, headers=headers)
                assert answer.status_code == 403, (method, path)
    written = locked.get(f"/jobs/{JOB}", headers=bearer(WRITE)).json()
    assert (written["want"], written["requests"]) == ("run", ["pause", "cancel", "priority"])


def test_a_large_body_is_refused(server: WebClient) -> None:
    body = b'{"request": "' + b"x" * MAX_BODY + b'"}'
    headers = {"Content-Type": "application/json"}
    answer = server.request("POST", f"{API}{INTENT}", content=body, headers=headers)
    assert answer.status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(65_536)

    answer = server.request("POST", f"{API}{INTENT}", content=endless(), headers=headers)
    assert answer.status_code == 413


def test_a_client_that_sends_slowly_is_dropped(store: CountingStore) -> None:
    with (
        web_server(store, timeout=0.2) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow,
    ):
        head = f"POST {API}{INTENT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n"
        slow.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        answer = b""
        while chunk := slow.recv(4096):
            answer += chunk
        assert b" 408 " in answer.partition(b"\r\n")[0]
        assert server.json("/jobs")["matching"] == 1


@pytest.mark.parametrize("first", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_a_connection_without_a_whole_request_is_closed(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    monkeypatch.setattr("jobs.web.server._TIMEOUT", 0.5)
    with (
        web_server(store) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as slow,
    ):
        slow.sendall(first)
        received = slow.recv(4096) if first else b""
        slow.sendall(b"GET /healthz HT")
        while chunk := slow.recv(4096):
            received += chunk
        assert received.count(b"HTTP/1.1 200") == bool(first)


def test_a_stream_may_last_longer_than_a_connection_without_a_request(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.web.server._TIMEOUT", 0.2)
    monkeypatch.setattr("jobs.web.live.HEARTBEAT", 0.3)
    with (
        web_server(store) as server,
        server.client.stream("GET", f"{API}/events") as answer,
    ):
        chunks = answer.iter_raw()
        assert b"still here" in b"".join(next(chunks) for _ in range(4))


def test_a_client_that_reads_slowly_is_dropped(store: CountingStore) -> None:
    keys = write_open_job(store, job_name(2))
    size = 32 << 20
    output = {
        "path": "outputs/000001/sea.png",
        "format": "png",
        "width": 1,
        "height": 1,
        "depth": 8,
        "dpi": None,
        "bytes": size,
        "sha256": f"sha256:{'0' * 64}",
    }
    finish_job(store, keys, outputs=[output])
    store.put(f"{keys.folder}outputs/000001/sea.png", bytes(size))
    with web_server(store, timeout=0.3) as server, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(20)
        slow.connect(("127.0.0.1", server.port))
        path = f"{API}/jobs/{keys.job}/outputs/sea.png"
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = len(slow.recv(1000))
        store.forget()
        deadline = time.monotonic() + 20
        while server.farm.downloads.count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not server.farm.downloads.count, "the server still waits"
        reads = sum(store.reads.values())
        assert reads < size >> 18, "it read on for nobody"
        assert received
