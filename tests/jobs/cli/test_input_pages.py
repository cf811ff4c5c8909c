"""Pages of input files, and files that `plan`, `submit` and `render` refuse alike."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
from PIL import Image

from jobs.store.folder import FolderStore
from tests.support.shell import Shell, check_error_line, json_output
from tests.support.small_poster import LAYER, NETWORK

NOTE = "scan.tif: holds 2 pictures, and number 1 is used; choose another with input.page"


@pytest.fixture
def options(weights: Path) -> tuple[object, ...]:
    """An untouched picture, as it was decoded."""
    network = ("--network", NETWORK, "--layer", LAYER, "--weights", weights)
    return (*network, "--set", "dream.steps=0", "--set", "dream.octaves=1")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.tif"
    first, second = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (50, 36), "blue")
    first.save(path, save_all=True, append_images=[second])
    return path


def changed_tiff(path: Path, tag: int, value: int) -> None:
    """Write a grey TIFF in which the value of a tag is replaced."""
    tifffile.imwrite(path, np.zeros((16, 16), np.uint8), byteorder="<", metadata=None)
    content = bytearray(path.read_bytes())
    at = next(
        at for at in range(10, len(content), 12) if content[at : at + 2] == struct.pack("<H", tag)
    )
    content[at + 8 : at + 10] = struct.pack("<H", value)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [
        (
            259,
            50000,
            "compressed with ZSTD, which cannot be read here: save it with LZW or Deflate",
        ),
        (
            259,
            34887,
            "compressed with LERC, which cannot be read here: save it with LZW or Deflate",
        ),
        (262, 10, "is ITULAB: export it as RGB"),
        (258, 12, "holds 12-bit samples: export it with 8 or 16 bits"),
        (277, 4, "holds 4 channels: export it as grey, RGB or CMYK"),
        (262, 32803, "a raw file of a camera: develop it, and export it as TIFF, PNG or JPEG"),
    ],
)
def test_plan_submit_and_render_refuse_alike(
    shell: Shell,
    store: FolderStore,
    options: tuple[object, ...],
    tmp_path: Path,
    tag: int,
    value: int,
    reason: str,
) -> None:
    path = tmp_path / "a.tif"
    changed_tiff(path, tag, value)
    Path(store.address).mkdir(exist_ok=True)
    for command in (
        ("plan", path, "--no-probe"),
        ("submit", path),
        ("render", path, "--in-process", "--out", tmp_path / "out"),
    ):
        ended = shell(*command, *options)
        check_error_line(ended, f"{path}: {reason}")
    assert not (tmp_path / "out").exists()
    assert list(store.list_objects("")) == []


def test_a_page_is_rendered(shell: Shell, weights: Path, scan: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"""
input: {{path: {scan.name}, page: 2}}
network: {{name: {NETWORK}, weights: {weights}}}
objectives: [{{layer: {LAYER}}}]
dream: {{steps: 0, octaves: 1}}
""")
    out = tmp_path / "out"
    ended = shell("render", spec, "--in-process", "--out", out)
    assert (ended.code, "holds 2 pictures" in ended.err) == (0, False)
    with Image.open(out / "scan.png") as seen:
        assert (seen.size, seen.getpixel((9, 9))) == ((50, 36), (0, 0, 255))
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    assert manifest["spec"]["input"]["page"] == 2
    assert "notes" not in manifest["input"]


def test_other_pages_are_told_of(
    shell: Shell,
    store: FolderStore,
    options: tuple[object, ...],
    scan: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    document = json_output(shell("plan", scan, *options, "--no-probe", "--json"))
    assert document["notes"] == [NOTE]
    out = tmp_path / "out"
    assert shell("render", scan, *options, "--in-process", "--out", out).code == 0
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    assert manifest["input"]["notes"] == [NOTE]
    Path(store.address).mkdir(exist_ok=True)
    caplog.clear()
    assert shell("submit", scan, *options).code == 0
    assert NOTE in caplog.messages


def test_a_page_that_is_not_there_is_refused(
    shell: Shell, options: tuple[object, ...], scan: Path
) -> None:
    ended = shell("plan", scan, *options, "--no-probe", "--set", "input.page=3")
    check_error_line(ended, f"{scan}: has no page 3, only 2: give another")


def test_the_ledger_of_a_dataset_tells_of_other_pages(
    shell: Shell, options: tuple[object, ...], scan: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "scans", tmp_path / "out"
    folder.mkdir()
    scan.rename(folder / scan.name)
    Image.new("RGB", (16, 16)).save(folder / "plain.png")
    assert shell("render", folder, *options, "--in-process", "--out", out).code == 0
    rows = pq.read_table(out / "ledger.parquet").to_pylist()
    assert {row["key"]: (row["state"], row["message"]) for row in rows} == {
        "plain.png": ("done", None),
        "scan.tif": ("done", "holds 2 pictures, and number 1 is used"),
    }
