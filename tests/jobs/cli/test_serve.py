"""`dreamfarm serve`: a process of its own, which loads little and tells no secret."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell, check_error_line

TOKEN = "secret-" + "s" * 20

_PROGRAM = """
import json, sys
from jobs.cli import main
try:
    main()
finally:
    json.dump(sorted(sys.modules), sys.stderr)
"""

_HEAVY = {"torch", "torchvision", "ray", "boto3", "pyvips", "pyarrow", "typer.testing"}


@contextmanager
def serving(project: Path, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process, and its URL."""
    command = [sys.executable, "-c", _PROGRAM, "serve", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        yield process, url
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answer(url: str, path: str, **more: dict[str, str]) -> httpx.Response:
    """The answer to the first request that is accepted: the socket listens before the server."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return httpx.get(f"{url}{path}", timeout=30, trust_env=False, **more)  # type: ignore[arg-type]
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_server_shows_jobs_and_pictures_without_what_renders_them(
    project: Path, job: RenderedPoster
) -> None:
    with serving(project, "--store", job.store) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        assert "<html" in answer(url, "").text.lower()
        (shown,) = answer(url, "api/v1/jobs").json()["jobs"]
        canvas = answer(url, f"api/v1/jobs/{shown['job']}/canvas").json()
        tile = canvas["tiles"].format(level=canvas["max_level"], column=0, row=0)
        assert answer(url, tile.lstrip("/")).content.startswith(b"\xff\xd8")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 143
    modules, _ = json.JSONDecoder().raw_decode(errors[errors.index("[") :])
    assert "jobs.web.app" in modules
    assert set(modules) & _HEAVY == set()
    assert "Traceback" not in errors


def test_the_token_is_in_no_output(project: Path, job: RenderedPoster, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    with serving(project, "--store", job.store, "--token-file", file) as (process, url):
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert answer(url, "api/v1/jobs").status_code == 401
        assert answer(url, "api/v1/jobs", headers=right).status_code == 200
        assert answer(url, f"{TOKEN}/x", headers=right).status_code == 404
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert TOKEN not in out + errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "--host 0.0.0.0: other machines could reach this"),
        (("--token-file", "/nothing"), "--token-file /nothing: No such file"),
        (("--max-upload", "much"), "--max-upload much: write a size"),
        (("--allow", "/nothing"), "--allow /nothing: no such folder"),
        (("--host", "192.0.2.1", "--token-file", "TOKEN"), "--host 192.0.2.1 --port 8787: cannot"),
    ],
)
def test_wrong_options_are_one_line(
    shell: Shell, job: RenderedPoster, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    words = [str(tmp_path / "token") if one == "TOKEN" else one for one in arguments]
    check_error_line(shell("serve", *words), said)


def test_a_store_that_is_not_there_is_named(shell: Shell, tmp_path: Path) -> None:
    check_error_line(shell("serve", "--store", tmp_path / "stroe"), f"{tmp_path / 'stroe'}: ")
