"""What lies in a store that is a folder after each command."""

import json
import re
from pathlib import Path
from typing import Any

from tests.golden.ids import HERE
from tests.golden.shapes import shape, starred
from tests.golden.shell import Shell

POSTER = {
    "kind": "poster",
    "name": "poster",
    "input": "sky.png",
    "size": "60x44",
    "crew": {"workers": 2},
}
DATASET = {
    "kind": "dataset",
    "name": "dataset",
    "inputs": f"{HERE}/photos",
    "resize": 32,
    "sweep": {"dream.step_size": [0.01, 0.02]},
    "priority": 70,
}
ATLAS = {
    "kind": "atlas",
    "name": "atlas",
    "network": "lenet5",
    "of": {"classes": [1, 2]},
    "size": 32,
    "limits": {"max_failures": 1},
}

_NONCE = re.compile(r"(?<=/items/)[0-9a-f]+(?=/)")
_SPENDING = re.compile(r"^spending/[0-9-]+/[0-9a-f]+")


def keys(store: Path) -> list[str]:
    """All keys of a store, without what is drawn by chance."""
    found = (path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file())
    # Midnight may come between two writes of what was spent.
    return sorted({without_day(_NONCE.sub("NONCE", key)) for key in found})


def without_day(key: str) -> str:
    """A key without the day and the number of a `work` that wrote what it spent."""
    return _SPENDING.sub("spending/DAY/WORK", key)


def submitted(shell: Shell) -> dict[str, Any]:
    """The keys after a poster, a dataset and an atlas were submitted, and their records."""
    store = shell.folder / "submitted"
    into = ("--create", "--store", store)
    for kind, spec in (("poster", POSTER), ("dataset", DATASET), ("atlas", ATLAS)):
        told = shell("submit", shell.written(f"{kind}.json", spec), *into, "--json")
        assert told.told()["new"] is True
    records = {
        path.relative_to(store).as_posix(): starred(
            json.loads(path.read_text("utf-8")), "nonce", "submitter"
        )
        for path in store.rglob("*.json")
    }
    (listed,) = store.glob("jobs/dataset-*/items/*/*.jsonl")
    return {
        "keys": keys(store),
        "records": records,
        "active": {path.name: path.read_text("utf-8") for path in (store / "active").iterdir()},
        "items of a file": shape([json.loads(line) for line in listed.read_text().splitlines()]),
    }


def asked(shell: Shell) -> dict[str, Any]:
    """What each request makes of a job: its intent, its markers, and what programs are told."""
    store = shell.folder / "asked"
    spec = shell.written("poster.json", POSTER)
    shell("submit", spec, "--create", "--store", store)
    (intent,) = store.glob("jobs/*/intent.json")
    seen: dict[str, Any] = {}
    for command in ("pause", "resume", "cancel", "retry", "cancel"):
        told = shell(command, "poster", "--store", store, "--json").told()
        seen[f"{len(seen)} {command}"] = {
            "told": told,
            "intent": json.loads(intent.read_text("utf-8")),
            "active": sorted(path.name for path in (store / "active").iterdir()),
        }
    seen["5 submit"] = {"told": shell("submit", spec, "--store", store, "--json").told()}
    assert shell("delete", "poster", "--yes", "--store", store).code == 0
    seen["6 delete"] = {"keys": keys(store)}
    return seen
