"""What `work` leaves of a poster and a dataset, and what it tells Prometheus meanwhile."""

import contextlib
import json
import re
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.golden.shapes import shape
from tests.golden.shell import COMMAND, Shell
from tests.golden.store import keys, without_day

# One worker each, no checkpoints but those of octaves, and the pace does not show.
POSTER = {
    "kind": "poster",
    "name": "poster",
    "input": {"noise": {"seed": 7}},
    "size": "64x48",
    "dream": {"octaves": 2, "steps": 4},
    "tiles": 32,
    "outputs": ["png", "deepzoom"],
    "crew": {"workers": 1},
}
DATASET = {
    "kind": "dataset",
    "name": "dataset",
    "inputs": "photos",
    "resize": 32,
    "dream": {"octaves": 1, "steps": 1},
    "crew": {"workers": 1},
}

_PATIENCE = 280.0

_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_TYPE = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)


def worked(shell: Shell) -> dict[str, Any]:
    """Both rendered by one `work`: keys, records, events, metrics, and what programs are told."""
    store = shell.folder / "worked"
    into = ("--create", "--store", store)
    jobs = {}
    for kind, spec in (("poster", POSTER), ("dataset", DATASET)):
        told = shell("submit", shell.written(f"{kind}.json", spec), *into, "--json")
        jobs[kind] = str(told.told()["job"])
    said = _work(shell, store)
    seen = {
        "keys": keys(store),
        "records": _records(store),
        "events": {kind: _events(store, job) for kind, job in jobs.items()},
        "metrics": sorted(said),
        "told": {
            "show poster": shape(_told(shell, store, "show", "poster")),
            "show dataset": shape(_told(shell, store, "show", "dataset")),
            "list": shape(shell("list", "--json", "--store", store).told()),
            "clean": shape(shell("clean", "--json", "--store", store).told()),
            "ledger": shape(shell("ledger", "dataset", "--json", "--store", store).lines()),
            "logs": shape(shell("logs", "poster", "--json", "--store", store).lines()),
            "watch": shape(shell("watch", "poster", "--json", "--store", store).lines()),
            "fetch poster": _fetched(shell, store, "poster"),
            "fetch dataset": _fetched(shell, store, "dataset"),
        },
    }
    nameless: dict[str, Any] = json.loads(
        # The dataset's id holds the path of its inputs, which is another in each run.
        json.dumps(seen).replace(jobs["dataset"], "dataset-ID")
    )
    nameless["keys"].sort()
    return nameless


def _told(shell: Shell, store: Path, *line: str) -> Any:
    return shell(*line, "--json", "--store", store).told()


def _fetched(shell: Shell, store: Path, job: str) -> dict[str, Any]:
    folder = shell.folder / f"fetched-{job}"
    told = shell("fetch", job, "--json", "--store", store, "--out", folder).told()
    seen = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    files = sorted(path.as_posix() for path in seen if not path.parts[0].startswith("."))
    return {"told": shape(told), "files": files}


def _records(store: Path) -> dict[str, Any]:
    """Every JSON file: the fields of most, the content of those that time does not touch."""
    found: dict[str, Any] = {}
    for path in sorted(store.rglob("*.json")):
        key = re.sub(r"(?<=jobs/)([a-z]+)-[0-9a-f]+", r"\1", path.relative_to(store).as_posix())
        key, content = without_day(key), json.loads(path.read_text("utf-8"))
        if key.endswith(("/intent.json", "/commit.json")):
            found[key] = content
        else:
            found[key] = shape(content)
        if key == "jobs/poster/manifest.json":
            found[f"{key}: plan"], found[f"{key}: identity"] = content["plan"], content["identity"]
        if key == "jobs/poster/plan.json":
            found[f"{key}: plan"] = content["plan"]
    return found


def _events(store: Path, job: str) -> list[str]:
    (path,) = (store / "jobs" / job / "events").iterdir()
    return [json.loads(line)["event"] for line in path.read_text("utf-8").splitlines()]


def _work(shell: Shell, store: Path) -> set[str]:
    """Let `work` render what is there; returns the names of all metrics that it had meanwhile."""
    port, log = free_port(), shell.folder / "work.log"
    options = (
        *("--store", store, "--until-idle", "--poll", "0.1", "--checkpoint", "3600"),
        *("--allow", shell.folder / "photos", "--metrics", port),
    )
    said: set[str] = set()
    deadline = time.monotonic() + _PATIENCE
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "work", *map(str, options)],
            cwd=shell.folder,
            env=shell.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            while process.poll() is None:
                assert time.monotonic() < deadline, log.read_text()
                said |= _scraped(port)
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0, log.read_text()
    return said


def _scraped(port: int) -> set[str]:
    """The metrics' names with their labels, and their types."""
    address = f"http://127.0.0.1:{port}/metrics"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), opener.open(address, timeout=5) as answer:
        text = answer.read().decode()
        samples = {_named(name, labels) for name, labels in _SAMPLE.findall(text)}
        said = samples | {f"{name}: {kind}" for name, kind in _TYPE.findall(text)}
        # When counters began is Prometheus' own affair.
        return {one for one in said if "_created" not in one}
    return set()


def _named(name: str, labels: str) -> str:
    told = ", ".join(
        f"{label}={'*' if label == 'job_id' else value}" for label, value in _LABEL.findall(labels)
    )
    return f"{name}{{{told}}}"


def free_port() -> int:
    """One on loopback that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
