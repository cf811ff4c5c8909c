"""A sweep: one result for each picture and variant, and a contact sheet of all."""

from io import BytesIO
from itertools import product
from pathlib import Path

from PIL import Image

from jobs.dataset.contact_sheet import Cell, draw_contact_sheet, sheet_thumbnail
from jobs.dataset.inputs.index import DatasetKeys
from jobs.services.scheduler.coordinator import DONE
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import read_finished_dataset, submit_small_dataset

LAYERS = ("features.1", "features.3", "features.4")
STEP_SIZES = (0.01, 0.02, 0.05, 0.1)


def test_three_layers_by_four_step_sizes(weights: Path, tmp_path: Path) -> None:
    five = mixed_pictures(5, bad=0)
    folder = five.write_to(tmp_path / "in")
    sweep = f"objectives.0.layer: [{', '.join(LAYERS)}], dream.step_size: {list(STEP_SIZES)}"
    store = MemoryStore()
    job = submit_small_dataset(store, folder, weights, f"sweep={{{sweep}}}")
    assert claim_job(store, job, tmp_path).run() == DONE

    found = read_finished_dataset(store, job)
    combinations = list(product(LAYERS, STEP_SIZES))
    assert found.items["items"] == found.items["done"] == len(found.files) == 60
    assert found.files.keys() == {
        f"{key.partition('.')[0]}-{layer}-{step_size}.png"
        for key in five.content
        for layer, step_size in combinations
    }
    for key in five.content:
        rows = [found.rows[key, variant] for variant in range(12)]
        assert [row.name.partition("-")[2] for row in rows] == [
            f"{layer}-{step_size}" for layer, step_size in combinations
        ]
        # Variants differ only in the swept fields, not in the seed.
        assert len({row.seed for row in rows}) == 1
        assert len({row.output_sha256 for row in rows}) == 12

    sheet = store.get(DatasetKeys(job).sheet)
    cells = [
        Cell(
            sheet_thumbnail(five.content[row.key]),
            sheet_thumbnail(found.files[str(row.output)]),
            row.name,
        )
        for row in found.rows.values()
    ]
    assert sheet == draw_contact_sheet(cells, "set: 60 of 60 done", columns=12)
    with Image.open(BytesIO(sheet)) as image:
        assert image.width > 12 * 2 * 200
