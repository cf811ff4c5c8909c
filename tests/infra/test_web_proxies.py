"""infra/web: nginx and Caddy, with TLS, in front of a real `dreamfarm serve`."""

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from jobs.web.guard import API
from jobs.web.settings import ServeSettings, Tokens
from tests.infra.files import text
from tests.support.counting_store import CountingStore
from tests.support.s3_servers import free_ports
from tests.support.stored_jobs import job_name, write_open_job
from tests.support.web_server import WRITE, WebServer, web_server

JOB = job_name(1)


def program(name: str) -> str:
    """The path of a proxy. Debian keeps nginx where users do not look."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        pytest.skip(f"NO {name.upper()}: install Debian's package {name} to test infra/web")
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate of localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    """A server with one job, which needs a login."""
    store = CountingStore()
    write_open_job(store, JOB)
    settings = ServeSettings(refresh_seconds=0.05, tokens=Tokens(WRITE), max_upload=4 << 20)
    with web_server(store, settings) as running:
        yield running


def replaced(source: str, *changes: tuple[str, str]) -> str:
    """A configuration for this test. Each change must be needed."""
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return source


def nginx_command(folder: Path, certificate: Path, backend: int, port: int) -> list[str]:
    server = replaced(
        text("web/nginx.conf"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("farm.example.com", "localhost"),
        ("/etc/ssl/farm", str(certificate)),
        ("127.0.0.1:8787", f"127.0.0.1:{backend}"),
    )
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}{server}}}\n"
    )
    return [program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy_command(folder: Path, certificate: Path, backend: int, port: int) -> list[str]:
    tls = f"tls {certificate}/fullchain.pem {certificate}/privkey.pem"
    site = replaced(
        text("web/Caddyfile"),
        ("farm.example.com {", f"https://localhost:{port} {{\n\t{tls}"),
        ("127.0.0.1:8787", f"127.0.0.1:{backend}"),
    )
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + site)
    return [program("caddy"), "run", "--config", str(folder / "Caddyfile")]


@pytest.fixture(params=[nginx_command, caddy_command], ids=["nginx", "caddy"])
def proxied(
    request: pytest.FixtureRequest, server: WebServer, certificate: Path, tmp_path: Path
) -> Iterator[httpx.Client]:
    """A client that reaches the server by a proxy, with TLS."""
    make: Callable[[Path, Path, int, int], list[str]] = request.param
    port = free_ports(1)
    command = make(tmp_path, certificate, server.port, port)
    log = (tmp_path / "log").open("wb")
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with log, subprocess.Popen(command, stderr=log, stdout=log, env=environment) as process:
        verify = ssl.create_default_context(cafile=str(certificate / "fullchain.pem"))
        url = f"https://localhost:{port}"
        try:
            with httpx.Client(base_url=url, verify=verify, timeout=20, trust_env=False) as client:
                _wait_for(client, tmp_path / "log")
                yield client
        finally:
            process.terminate()


def _wait_for(client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            client.get("/healthz")
        except httpx.TransportError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


def test_a_browser_logs_in_looks_and_acts(proxied: httpx.Client) -> None:
    origin = {"Origin": str(proxied.base_url).rstrip("/")}
    assert proxied.get(f"{API}/jobs").status_code == 401
    answer = proxied.post(f"{API}/session", json={"token": WRITE}, headers=origin)
    assert answer.status_code == 200, answer.text
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert proxied.get(f"{API}/jobs").json()["jobs"][0]["job"] == JOB
    change = {"request": "pause"}
    changed = proxied.post(f"{API}/jobs/{JOB}/intent", json=change, headers=origin)
    assert changed.json()["state"] == "paused"
    strange = {"Origin": "https://evil.example"}
    assert proxied.post(f"{API}/jobs/{JOB}/intent", json=change, headers=strange).status_code == 403


def test_events_and_uploads_are_not_held_back(proxied: httpx.Client) -> None:
    token = {"Authorization": f"Bearer {WRITE}"}
    began = time.monotonic()
    with proxied.stream("GET", f"{API}/events", headers=token) as answer:
        assert b"event: snapshot" in next(answer.iter_raw())
    assert time.monotonic() - began < 10
    kind = {"Content-Type": "image/png", **token}
    answer = proxied.post(f"{API}/uploads?name=a.png", content=bytes(2 << 20), headers=kind)
    assert answer.status_code == 422, "it arrives, and is no picture"
    answer = proxied.post(f"{API}/uploads?name=a.png", content=bytes(5 << 20), headers=kind)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json", "by the server itself"
