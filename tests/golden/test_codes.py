"""Exit codes: 0 done, 1 failed, 2 a wrong request, 3 out of reach, 130 and 143 interrupted."""

import json
import signal

import pytest

from tests.golden.service import free_port
from tests.golden.shell import Shell

_NOISE = {"kind": "poster", "name": "noise", "input": {"noise": {"seed": 7}}, "size": "64x48"}


@pytest.mark.parametrize(
    "line",
    [
        ("dream",),
        ("list", "--bogus"),
        ("list", "--state", "bogus"),
        ("show",),
        ("show", "nothing-000000000000"),
        ("pause", "nothing-000000000000"),
        ("fetch", "nothing-000000000000"),
        ("submit", "nowhere.png"),
        ("submit", "sky.png", "--set", "dream.steps=-1"),
        ("submit", "sky.png", "--look", "bogus"),
        ("plan", "sky.png", "--network", "bogus"),
        ("plan", "sky.png", "--layer", "bogus"),
        ("render", "photos/torn.png", "--in-process"),
        ("layers", "bogus"),
        ("work", "--until-idle", "--lease", "0"),
        ("list", "--store", "ftp://host/path"),
        ("submit", "sky.png", "--store", "missing"),
        ("work", "--until-idle", "--store", "missing"),
    ],
    ids=" ".join,
)
def test_a_wrong_request_is_two_and_one_line(shell: Shell, line: tuple[str, ...]) -> None:
    ended = shell(*line)
    assert (ended.code, ended.out) == (2, ""), ended.err
    assert ended.err.startswith("dreamfarm: ")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    "line",
    [
        ("list", "--store", "s3://bucket/prefix"),
        ("submit", "noise.json", "--store", "s3://bucket/prefix"),
        ("work", "--until-idle", "--store", "s3://bucket/prefix"),
        ("work", "--until-idle", "--create", "--store", "empty", "--address", "127.0.0.1:9"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_reached_is_three(shell: Shell, line: tuple[str, ...]) -> None:
    shell.written("noise.json", _NOISE)
    nobody = f"http://127.0.0.1:{free_port()}"
    ended = shell(*line, AWS_ENDPOINT_URL_S3=nobody)
    assert (ended.code, ended.out) == (3, ""), ended.err
    assert ended.err.startswith("dreamfarm: ")
    assert len(ended.err.splitlines()) == 1


def test_a_dataset_of_broken_pictures_is_one(shell: Shell) -> None:
    ended = shell("render", "broken", "--in-process", "--set", "resize=32", "--out", "failed")
    assert (ended.code, ended.out) == (1, "")
    assert "dreamfarm: none of 1 items could be dreamed" in ended.err


def test_a_cancelled_job_is_one_for_whoever_watches(shell: Shell) -> None:
    spec = shell.written("noise.json", _NOISE)
    for line in (("submit", spec), ("cancel", "noise")):
        assert shell(*line, "--store", shell.made("cancelled")).code == 0
    assert shell("watch", "noise", "--store", "cancelled").code == 1


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_is_the_signals_code(shell: Shell, ending: signal.Signals, code: int) -> None:
    assert (
        shell("submit", shell.written("noise.json", _NOISE), "--store", shell.made("watched")).code
        == 0
    )
    with shell.begun("watch", "noise", "--store", "watched") as watching:
        assert watching.stderr is not None
        assert watching.stderr.readline().endswith(": queued\n")
        watching.send_signal(ending)
        assert watching.wait(30) == code


def test_doctor_tells_programs_a_check_a_line(shell: Shell) -> None:
    ended = shell("doctor", "--json", "--store", shell.made("healthy"))
    assert ended.code in {0, 1}
    checks = [json.loads(line) for line in ended.out.splitlines()]
    for one in checks:
        assert one.keys() == {"version", "check", "verdict", "found", "advice"}
    assert {one["check"] for one in checks} >= {
        *("cores", "GPUs", "versions", "disk for scratch", "disk for the cache", "loopback"),
        *("ports", "store: reach", "store: write", "store: conditional write", "store: clock"),
    }


def test_a_sick_store_makes_doctor_one(shell: Shell) -> None:
    assert shell("doctor", "--json", "--store", "/proc").code == 1
