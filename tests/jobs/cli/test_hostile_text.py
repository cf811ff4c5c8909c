"""What comes out of a store is printed as text: no control character, markup or lost line."""

import ast
import json
import os
import pty
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jobs.records.job_summary import load_summary
from jobs.records.keys import JobKeys
from jobs.store.folder import FolderStore
from jobs.text.report import one_line
from render.errors import visible
from tests.support.job_states import JOB, claim_next_lease, fail_job, sample_status, write_job
from tests.support.shell import COMMAND, Shell

TITLE = "\x1b]0;owned\x07"
TAGS = "photos/[a-z]*.png [/data/in] [bold]x[/bold] :smile:"


def controls(text: str) -> set[str]:
    """The control characters of an output, besides the ends of its lines."""
    return {one for one in text if unicodedata.category(one) in {"Cc", "Cs"}} - {"\n"}


def write_texts(store: FolderStore, text: str, *, failed: bool = False) -> JobKeys:
    """Write a job with this text wherever a record may hold one."""
    keys = write_job(store)
    held = claim_next_lease(store, keys)
    status = json.loads(sample_status().encode()) | {"phase": text, "reason": text}
    lease = json.loads(store.get(keys.lease(1))) | {"holder": text}
    store.put(keys.lease(1), json.dumps(lease).encode())
    submitter = {"submitter": {"user": text[:200], "host": text[:200]}}
    spec = json.loads(store.get(keys.spec)) | submitter
    store.put(keys.spec, json.dumps(spec).encode())
    if failed:
        fail_job(store, held)
        status["failure"] = "input"
    store.put(keys.status(1), json.dumps(status).encode())
    event = {"event": text, text: text, "nested": [text]}
    store.put(keys.events(1), f"{json.dumps(event)}\n".encode())
    store.put(keys.log(1), text.encode("utf-8", "surrogatepass"))
    return keys


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), st.booleans())
@example(TITLE, False)
@example("\x9b2J\x7f\r\n\u202e\u2028", True)
@example(TAGS, False)
def test_no_text_of_a_record_controls_the_terminal(
    shell: Shell, store: FolderStore, text: str, failed: bool
) -> None:
    keys = write_texts(store, text, failed=failed)
    commands = [["list"], ["show", JOB], ["logs", JOB], ["clean"]]
    if failed:
        commands.append(["watch", JOB])
    for command in commands:
        for more in ([], ["--json"]):
            ended = shell(*command, *more)
            assert ended.code == (1 if command[0] == "watch" else 0), ended.err
            assert controls(ended.out + ended.err) == set()
            assert "unexpected" not in ended.err
    store.delete(entry.key for entry in store.list_objects(keys.folder))


def test_tags_and_emoji_codes_are_not_read(shell: Shell, store: FolderStore) -> None:
    write_texts(store, TAGS)
    for command in (["list"], ["show", JOB], ["logs", JOB]):
        assert TAGS in shell(*command).out


def test_a_forged_line_stays_in_its_line(shell: Shell, store: FolderStore) -> None:
    keys = write_texts(store, "x\nstate  succeeded")
    ended = shell("show", JOB)
    assert [line.split()[0] for line in ended.out.splitlines()].count("state") == 1
    assert r"holder     x\nstate  succeeded, lease 1" in ended.out
    assert load_summary(store, JOB).holder == "x\nstate  succeeded"  # the record is unchanged
    store.put(keys.spec, b"{}")
    assert len(shell("list").err.splitlines()) == 1


def test_a_table_for_a_pipe_keeps_a_long_reason_whole(shell: Shell, store: FolderStore) -> None:
    reason = "no picture " * 300 + "end"
    write_texts(store, reason)
    assert reason in shell("list").out


def on_terminal(columns: int, *arguments: str) -> str:
    """What a command writes on a terminal of this width."""
    ours, its = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm"}
    ran = subprocess.Popen([COMMAND, *arguments], stdout=its, stderr=its, env=environment)
    os.close(its)
    written = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            written += chunk
    except OSError:  # the end of a terminal
        pass
    ran.wait(60)
    os.close(ours)
    return written.decode()


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_on_a_terminal_fits_its_width(store: FolderStore, columns: int) -> None:
    write_texts(store, f"{TITLE}漢字の写真 " * 20)
    written = on_terminal(columns, "list").replace("\r\n", "\n")
    assert controls(written) == set()
    lines = written.split("\n")
    wide = [sum(1 + (unicodedata.east_asian_width(one) == "W") for one in x) for x in lines]
    assert max(wide) <= columns
    assert sum(line.count("漢") for line in lines) == 20
    assert r"\x1b]0;owned\x07" in "".join(written.split())  # it may be folded


def test_errors_and_tracebacks_are_plain_lines(shell: Shell, store: FolderStore) -> None:
    write_job(store)
    for more in ([], ["--debug"]):
        ended = shell("show", f"sea{TITLE}\ud800", *more)
        assert ended.code == 2
        assert controls(ended.err) == set()
        assert r"\x1b]0;owned\x07" in ended.err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("日本 é 👩\u200d🚀", "日本 é 👩\u200d🚀"),
        ("a\x1b[31mb\x07\x7f\x9b", r"a\x1b[31mb\x07\x7f\x9b"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("gpj\u202e.exe\u2028\ufeff", r"gpj\u202e.exe\u2028\ufeff"),
        ("\ud83d", r"\ud83d"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_one_line_joins_lines() -> None:
    assert one_line(" a\r\n\tb \x1b ") == r"a b \x1b"
    assert one_line(None) == ""


def test_commands_print_by_one_function(project: Path) -> None:
    """All other output would need the same care again."""
    found = []
    for path in (project / "jobs" / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                *("print", "typer.echo", "typer.secho", "click.echo"),
                *("sys.stdout.write", "sys.stderr.write"),
            }:
                found += [path.name]
    assert found == ["format.py", "format.py"]
