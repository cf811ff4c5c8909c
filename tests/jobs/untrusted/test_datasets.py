"""An untrusted dataset or item reads nothing that is not allowed; its other items are rendered."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.inputs.item import InputPlace, Item, SampleFile
from jobs.planning.identity import file_digest
from jobs.records.keys import JobKeys, blob_key
from jobs.records.stored_spec import StoredSpec, UploadedFile
from tests.support.malicious_files import looping_tiff, oversized_png
from tests.support.small_dataset import (
    DatasetResult,
    read_dataset,
    read_finished_dataset,
    submit_small_dataset,
)
from tests.support.untrusted_store import UntrustedStore


def test_a_dataset_in_a_folder_needs_an_allowed_folder(
    untrusted: UntrustedStore, photos: Path, weights: Path, tmp_path: Path
) -> None:
    for number in range(2, 24):
        (photos / f"{number:02}.png").unlink()
    job = submit_small_dataset(untrusted.store, photos, weights)
    line = untrusted.refused(job)
    assert line.startswith(f"{photos}: `work` may not read this path; ")
    assert "start `work` with --allow FOLDER" in line

    other = UntrustedStore(tmp_path / "other")
    job = submit_small_dataset(other.store, photos, weights)
    other.work(str(photos))
    assert read_finished_dataset(other.store, job).items["done"] == 2


Change = Callable[[Item], Item]


def rewrite_items(untrusted: UntrustedStore, job: str, changes: dict[int, Change]) -> None:
    """Change items of an item list in the store, by their numbers."""
    keys = DatasetKeys(job)
    (file,) = [entry.key for entry in untrusted.store.list_objects(keys.items_prefix)]
    items = [Item.decode(line, file) for line in untrusted.store.get(file).splitlines()]
    changed = [changes[one.number](one) if one.number in changes else one for one in items]
    untrusted.store.put(file, b"".join(one.encode() for one in changed))


def change_image(**changes: Any) -> Change:
    return lambda item: item.model_copy(update={"found": item.found.model_copy(update=changes)})


def at_address(address: str) -> Change:
    return change_image(place=InputPlace(address=address))


def test_an_item_reads_nothing_that_is_not_allowed(
    untrusted: UntrustedStore, photos: Path, weights: Path, secret: Path, tmp_path: Path
) -> None:
    """One dataset whose items are nearly all malicious."""
    (photos / "link.png").symlink_to(secret)
    (photos / "bomb.png").write_bytes(oversized_png(100_000, 100_000))
    (photos / "loop.tif").write_bytes(looping_tiff())
    digest = f"sha256:{hashlib.sha256(b'linked').hexdigest()}"
    untrusted.store.put(blob_key(digest), b"x")
    untrusted.store.local_path(blob_key(digest)).unlink()
    untrusted.store.local_path(blob_key(digest)).symlink_to(secret)
    layer = {"layer": "features.4"}
    extra = SampleFile(suffix="json", place=InputPlace(address="/etc/passwd"))
    cases: list[tuple[Change, str]] = [
        (at_address("file:///etc/passwd"), "file:// is not opened by workers"),
        (at_address("/etc/passwd"), "`work` may not read this path"),
        (at_address(str(secret)), "`work` may not read this path"),
        (at_address(f"{photos}/../secret.png"), "must be an absolute path without `..`"),
        (at_address("../secret.png"), "must be an absolute path without `..`"),
        (at_address(f"{photos}/link.png"), "a link leads to a path that `work` may not read"),
        (
            at_address("http://169.254.169.254/latest/meta-data/"),
            "http:// is not opened by workers",
        ),
        (at_address("https://example.org/a.png"), "https:// is not opened by workers"),
        (at_address("s3://169.254.169.254/latest"), "`work` may not read this path"),
        (at_address("s3://elsewhere/a.png"), "`work` may not read this path"),
        (at_address(f"blob:{digest}"), "is a link that leads out of"),
        (at_address("blob:sha256:../../../secret.png"), "is not the digest of a file"),
        (at_address(f"{photos}/bomb.png"), "are more than the limit"),
        (at_address(f"{photos}/loop.tif"), "form a loop"),
        (
            change_image(settings={"objectives": [{**layer, "mask": str(secret)}]}),
            "only the job's spec may name masks and guides",
        ),
        (
            change_image(settings={"objectives.0.guide": "/etc/passwd"}),
            "only the job's spec may name masks and guides",
        ),
        (
            change_image(settings={"dream.strength": str(secret)}),
            "only the job's spec may name masks and guides",
        ),
        (change_image(settings={"network.weights": "/etc/passwd"}), "set it in the spec"),
        (change_image(settings={"limits.max_pixels": 10**11}), "set it in the spec"),
        (change_image(settings={"inputs.path": "/etc"}), "set it in the spec"),
        (change_image(extras=(extra,)), "`work` may not read this path"),
    ]
    job = submit_small_dataset(untrusted.store, str(photos / "[0-9]*.png"), weights)
    rewrite_items(untrusted, job, {number: change for number, (change, _) in enumerate(cases)})
    untrusted.work(str(photos))

    ended: DatasetResult = read_finished_dataset(untrusted.store, job)
    rows = {row.number: row for row in ended.rows.values()}
    for number, (_, words) in enumerate(cases):
        row = rows[number]
        assert (row.state, row.failure) == ("failed", "input"), (words, row)
        assert words in (row.message or "")
        assert "\n" not in (row.message or "")
    assert ended.items["done"] == 24 - len(cases)
    assert all(row.attempts == 1 for row in rows.values())


def changed_dataset(untrusted: UntrustedStore, path: Path, **changes: Any) -> str:
    """A dataset of noise with a changed spec in the store; returns the job's id."""
    job = submit_small_dataset(
        untrusted.store, "noise", path, "inputs={noise: {seed: 1}}", "resize=64x64"
    )
    keys = DatasetKeys(job)
    stored = StoredSpec.read(untrusted.store, keys.spec)
    untrusted.store.put(keys.spec, stored.model_copy(update=changes).encode())
    return job


@pytest.mark.parametrize(
    ("uploaded", "words"),
    [
        ((), "has 0 weights files for 1 variants"),
        ((None,), "no weights named"),
        (("trap.pth",), "weights trap.pth: only .safetensors is loaded from a store"),
        (("../../../../home/w.safetensors",), "is not the name of an uploaded file"),
        (("/etc/w.safetensors",), "is not the name of an uploaded file"),
    ],
)
def test_a_dataset_loads_only_uploaded_weights(
    untrusted: UntrustedStore, weights: Path, uploaded: tuple[str | None, ...], words: str
) -> None:
    digest = file_digest(weights)
    named = tuple(
        None if name is None else UploadedFile(name=name, digest=digest) for name in uploaded
    )
    assert words in untrusted.refused(changed_dataset(untrusted, weights, weights=named))


def test_a_pinned_plan_cannot_add_attachments(untrusted: UntrustedStore, weights: Path) -> None:
    """With `companions` of its choice, a plan could make items read any picture."""
    job = changed_dataset(untrusted, weights)
    plan = {"precision": "float32", "batch": 1, "companions": {"/etc/passwd": "sha256:0"}}
    fixed = {"version": 1, "plan": plan, "device": "cpu", "software": {}}
    untrusted.store.put(JobKeys(job).plan, str(fixed).replace("'", '"').encode())
    assert "companions: no such key" in untrusted.refused(job)


def test_an_unchanged_dataset_is_rendered(untrusted: UntrustedStore, weights: Path) -> None:
    job = changed_dataset(untrusted, weights)
    untrusted.work()
    assert [row.state for row in read_dataset(untrusted.store, job).rows.values()] == ["done"]
