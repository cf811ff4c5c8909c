"""The result of a job, as far as it must be the same in every run."""

import hashlib
import json
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.store.store import Store
from tests.support.job_states import output_digests
from tests.support.small_dataset import read_finished_dataset

_NUMBERED = re.compile(r"\b(poster|set|atlas)-\d+(-[0-9a-f]{12})?\b")
_HOLDER = re.compile(r"\b(outputs/|ledger-)\d{6}\b")
_CHANGING = ("started", "seconds", "spent", "device")
"""Fields of a manifest that tell times, and the name of the device: a holder that only writes files
has no crew to ask, and names the kind of the device instead."""

_SAME_FIELDS = (
    *("number", "key", "variant", "name", "state", "failure", "output", "member"),
    *("output_sha256", "input_sha256", "bytes", "width", "height", "seed"),
)
"""Fields of a ledger's rows that are the same in every run."""

_KEPT_OUT = ("manifest.json", "ledger.parquet", "contact-sheet.jpg")
"""Files of a folder that are not compared byte by byte. A sheet may show an older state."""


@dataclass(frozen=True)
class Result:
    """files: digests by name. manifest: without times and numbers. rows: of the ledger."""

    files: dict[str, str]
    manifest: str
    rows: str

    def difference(self, expected: "Result") -> str:
        """What differs, in one line."""
        names = sorted(self.files.keys() | expected.files.keys())
        files = [name for name in names if self.files.get(name) != expected.files.get(name)]
        parts = [f"files {files}"] if files else []
        for part in ("manifest", "rows"):
            mine, theirs = getattr(self, part), getattr(expected, part)
            if mine != theirs:
                at = next(
                    (i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), 0
                )
                span = slice(max(0, at - 60), at + 60)
                parts.append(f"{part} …{mine[span]}… instead of …{theirs[span]}…")
        return f"differs: {'; '.join(parts)}"


def read_job(store: Store, job: str) -> Result:
    """The result of a job in a store. Raises AssertionError if it has none, or it is not whole."""
    found = load_job(store, job)
    assert found.state == "succeeded", f"{found.state}: {found.status}"
    assert found.manifest is not None
    if found.kind == "dataset":
        dataset = read_finished_dataset(store, job)
        files = {name: _digest(content) for name, content in dataset.files.items()}
        return Result(files, _plain(found.manifest), _rows(dataset.reproducible_rows))
    files = {}
    for output in found.manifest["outputs"]:
        content = store.get(f"{JobKeys(job).folder}{output['path']}")
        files[_name(output["path"])] = _digest(content)
    assert list(files.values()) == output_digests(found), "files and manifest differ"
    return Result(files, _plain(found.manifest), "")


def read_folder(out: Path) -> Result:
    """The result of a render into a folder."""
    paths = [path for path in sorted(out.rglob("*")) if path.is_file()]
    named = {str(path.relative_to(out)): path for path in paths}
    files = {
        _name(name): _digest(path.read_bytes())
        for name, path in named.items()
        if name not in _KEPT_OUT and not name.startswith(".rendering/")
    }
    manifest = json.loads((out / "manifest.json").read_text())
    ledger = named.get("ledger.parquet")
    rows = pq.read_table(BytesIO(ledger.read_bytes())).to_pylist() if ledger else []
    kept = [{name: row.get(name) for name in _SAME_FIELDS} for row in rows]
    return Result(files, _plain(manifest), _rows(kept))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _name(path: str) -> str:
    return _HOLDER.sub(r"\1N", _NUMBERED.sub(r"\1-N", path))


def _plain(manifest: dict[str, Any]) -> str:
    kept = {name: value for name, value in manifest.items() if name not in _CHANGING}
    kept["outputs"] = [
        {"path": output["path"]} if output["path"] in _KEPT_OUT else output
        for output in kept.get("outputs", [])
    ]
    return _name(json.dumps(kept, sort_keys=True))


def _rows(rows: list[dict[str, object]]) -> str:
    ordered = sorted(rows, key=lambda row: (str(row["number"]), str(row["variant"])))
    return json.dumps(ordered, sort_keys=True, default=str)
