"""`work --notify` and `notify` in specs, from the command line."""

import json
from pathlib import Path

import pytest

from jobs.notify.address import SECRET, VARIABLE
from jobs.store.folder import FolderStore
from tests.support.job_states import job_in_state
from tests.support.shell import Shell, check_error_line
from tests.support.webhook_server import SECRET_PATH, webhook_server

TOKEN = "t0ken-of-the-operator"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (TOKEN, "--notify: one of the values is no address; write [NAME=]https://HOST/PATH"),
        (f"Phone=http://{TOKEN}/", "--notify: one of the values is no address; "),
        (f"nonsense://{TOKEN}", "--notify nonsense://...: apprise does not know such an address"),
        (f"http://:80/{TOKEN}", "--notify http://...: has no valid host"),
        ("@nowhere", "--notify @nowhere: No such file or directory; give a readable file"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--debug",)])
def test_a_bad_address_ends_work_in_one_line(
    shell: Shell, store: FolderStore, given: str, said: str, more: tuple[str, ...]
) -> None:
    ended = shell("work", "--until-idle", f"--notify={given}", *more)
    assert ended.code == 2
    assert TOKEN not in ended.err
    if not more:
        check_error_line(ended, said)


def test_a_bad_variable_ends_work_in_one_line(
    shell: Shell, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"http://localhost/ {TOKEN}")
    ended = shell("work", "--until-idle")
    check_error_line(ended, f"{VARIABLE}: one of the values is no address")
    monkeypatch.setenv(VARIABLE, "http://localhost/")
    monkeypatch.setenv(SECRET, TOKEN)
    ended = shell("work", "--until-idle")
    check_error_line(ended, f"{SECRET}: must be whsec_ and 24 to 64 bytes in base64")
    assert TOKEN not in ended.err


def test_addresses_of_the_environment_are_told(
    shell: Shell, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = job_in_state(store, "failed")
    store.put(f"active/{keys.job}", b"")
    with webhook_server() as endpoint:
        monkeypatch.setenv(VARIABLE, endpoint.url)
        ended = shell("work", "--until-idle", "--poll", "0.2", "--log-format", "json")
    assert ended.code == 0
    (taken,) = endpoint.taken
    assert json.loads(taken.body)["data"]["store"] == store.address
    lines = [json.loads(line) for line in ended.err.splitlines()]
    (told,) = (line for line in lines if line["event"] == "notify")
    assert told["message"] == f"{keys.job}: told http+1 that it has failed"
    kept = [entry.key for entry in store.list_objects("")]
    assert f"jobs/{keys.job}/notified/failed@0/http+1/1.json" in kept
    everything = b" ".join(store.get(key) for key in kept).decode() + ended.err + " ".join(kept)
    assert SECRET_PATH.strip("/") not in everything


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/latest/meta-data/", f"tgram://{TOKEN}/chat"]
)
def test_a_spec_with_an_address_is_refused(
    shell: Shell, store: FolderStore, tmp_path: Path, address: str
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f"input: {{noise: {{seed: 1}}}}\nsize: 64x64\nnotify: ['{address}']\n", encoding="utf-8"
    )
    ended = shell("submit", spec)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert "notify.0: is an address; a spec gives only names" in ended.err
    assert address not in ended.err
    assert list(store.list_objects("")) == []


def test_another_submit_changes_whom_to_tell(shell: Shell, store: FolderStore) -> None:
    spec = ("--set", "input={noise: {seed: 1}}", "--size", "32x32", "--network", "lenet5")
    submit = ("submit", "jobs/demo/landscape.jpg", *spec)
    first = shell(*submit)
    again = shell(*submit, "--set", "notify=[phone]")
    assert first.code == again.code == 0, again.err
    assert first.out == again.out
    settings = json.loads(store.get(f"jobs/{first.out.strip()}/priority.json"))
    assert settings["notify"] == ["phone"]
