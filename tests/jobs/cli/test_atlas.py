"""Atlases from the command line: pictures, sheet, and everything that datasets can do."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from jobs.dataset.contact_sheet import Cell, draw_contact_sheet, sheet_thumbnail
from jobs.services.kinds import kind_of
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from render.pictures.write import output_digest
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.shell import CommandResult, Shell
from tests.support.small_dataset import expand_atlas, read_finished_dataset

CHANNELS = (3, 40, 41)
LABELS = [f"mixed3a.cat-{channel:03}" for channel in CHANNELS]


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    """A spec file of three channels, 64 pixels a side."""
    file = tmp_path / "atlas.yaml"
    document = {
        "kind": "atlas",
        "name": "low",
        "of": {"layer": "mixed3a.cat", "channels": [*CHANNELS]},
        "size": 64,
        "fourier": {"steps": 3},
        "start": {"noise": {"seed": 5}},
        "crew": {"workers": 1},
    }
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell that runs commands in this process."""
    return Shell(monkeypatch, capsys)


def last_json(ended: CommandResult) -> dict[str, object]:
    """The last JSON object that a command printed."""
    assert ended.code == 0, ended.err
    found: dict[str, object] = json.loads(ended.out.splitlines()[-1])
    return found


def test_pictures_and_their_sheet(shell: Shell, spec_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = shell("render", spec_file, "--in-process", "--out", out)

    assert (ended.code, ended.out) == (0, f"{out}\n"), ended.err
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == {
        *(f"{label}.png" for label in LABELS),
        *("contact-sheet.jpg", "ledger.parquet", "manifest.json"),
    }
    pictures = [Image.open(out / f"{label}.png") for label in LABELS]
    assert {picture.size for picture in pictures} == {(64, 64)}
    assert len({picture.tobytes() for picture in pictures}) == 3
    description = json.loads(pictures[0].text["Description"])["spec"]  # type: ignore[attr-defined]
    assert (description["fourier"]["steps"], description["seed"]) == (3, 5)
    assert description["objectives"][0]["channels"] == [CHANNELS[0]]
    rows = pq.read_table(out / "ledger.parquet").to_pylist()
    assert [(row["name"], row["input"], row["seed"]) for row in rows] == [
        (label, "noise:5", 5) for label in LABELS
    ]
    assert [row["input_sha256"] for row in rows] == [None] * 3
    cells = [Cell(None, sheet_thumbnail(out / f"{label}.png"), label) for label in LABELS]
    sheet = draw_contact_sheet(cells, "low: 3 of 3 done")
    assert (out / "contact-sheet.jpg").read_bytes() == sheet


def test_rerunning_does_nothing(shell: Shell, spec_file: Path, tmp_path: Path) -> None:
    first = last_json(
        shell("render", spec_file, "--in-process", "--out", tmp_path / "out", "--json")
    )
    again = last_json(
        shell("render", spec_file, "--in-process", "--out", tmp_path / "out", "--json")
    )

    assert again == first


def test_an_atlas_is_submitted_and_rendered_like_a_dataset(
    shell: Shell, spec_file: Path, tmp_path: Path
) -> None:
    store = FolderStore(tmp_path / "store")
    command = ("submit", spec_file, "--create", "--store", tmp_path / "store", "--json")
    job = str(last_json(shell(*command))["job"])
    assert claim_job(store, job, tmp_path / "scratch").run() == DONE

    seen = read_finished_dataset(store, job)
    assert [*seen.files] == [f"{label}.png" for label in LABELS]
    assert last_json(shell(*command))["state"] == "succeeded"
    fetched = tmp_path / "fetched"
    assert shell("fetch", job, "--store", tmp_path / "store", "--out", fetched).code == 0
    here = tmp_path / "here"
    assert shell("render", spec_file, "--in-process", "--out", here).code == 0
    for label in LABELS:
        assert output_digest(fetched / f"{label}.png") == output_digest(here / f"{label}.png")


def test_a_bucket_needs_no_file_for_noise(tmp_path: Path) -> None:
    store = MemoryStore()
    spec = expand_atlas({"classes": ["eye", 9]}, size=32, fourier={"steps": 1}, crew={"workers": 1})
    job = kind_of(spec).submit(store, spec).job

    assert not list(store.list_objects("blobs/"))
    assert claim_job(store, job, tmp_path).run() == DONE
    rows = read_finished_dataset(store, job).rows.values()
    assert [(row.name, row.state) for row in rows] == [("00-eye", "done"), ("09-daisy", "done")]


def test_the_plan_counts_pictures(shell: Shell, spec_file: Path) -> None:
    plan = last_json(shell("plan", spec_file, "--json"))

    assert (plan["pictures"], plan["variants"], plan["items"]) == (1, 3, 3)
    assert plan["resize"] == "64x64"


def test_noise_and_pictures_have_octaves(shell: Shell, spec_file: Path, tmp_path: Path) -> None:
    octaves = ("--set", "basis=pixels", "--set", "fourier=null", "--set", "dream={steps: 1}")
    noise = tmp_path / "noise"
    assert shell("render", spec_file, *octaves, "--in-process", "--out", noise).code == 0
    start = ("--set", "fourier=null", "--set", f"start={noise / LABELS[0]}.png")
    layers = ("--set", "of={layers: [stem.0, mixed3a]}", "--set", "size=48")
    again = shell("render", spec_file, *start, *layers, "--in-process", "--out", tmp_path / "again")

    assert again.code == 0, again.err
    made = {path.name for path in (tmp_path / "again").glob("*.png")}
    assert made == {f"{LABELS[0]}-stem.0.png", f"{LABELS[0]}-mixed3a.png"}
    for name in made:
        with Image.open(tmp_path / "again" / name) as picture:
            assert picture.size == (48, 48)


def test_an_unknown_layer_is_one_line(shell: Shell, spec_file: Path, tmp_path: Path) -> None:
    ended = shell("render", spec_file, "--set", "of={layer: mixed9}", "--out", tmp_path / "out")

    assert ended.code == 2
    assert "of.layer: mixed9 of pareidolia: no such layer; nearest: " in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
