"""A sweep: every picture in every manner, each result by its name, and all of them on one sheet."""

from io import BytesIO
from itertools import product
from pathlib import Path

from PIL import Image

from jobs.dataset.contact_sheet import Cell, contact_sheet, shrunk
from jobs.dataset.keys import DatasetKeys
from jobs.services.scheduler.coordinator import DONE
from tests.jobs.dataset.poison import inputs
from tests.jobs.dataset.small import finished, submitted
from tests.jobs.holders import claimed
from tests.jobs.lifecycle.memory_store import MemoryStore

LAYERS = ("features.1", "features.3", "features.4")
STEP_SIZES = (0.01, 0.02, 0.05, 0.1)


def test_three_layers_by_four_step_sizes(weights: Path, tmp_path: Path) -> None:
    five = inputs(5, spoilt=0)
    folder = five.written(tmp_path / "in")
    sweep = f"objectives.0.layer: [{', '.join(LAYERS)}], dream.step_size: {list(STEP_SIZES)}"
    store = MemoryStore()
    job = submitted(store, folder, weights, f"sweep={{{sweep}}}")
    assert claimed(store, job, tmp_path).run() == DONE

    found = finished(store, job)
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
        # One seed, so that all that differs is what is swept.
        assert len({row.seed for row in rows}) == 1
        assert len({row.output_sha256 for row in rows}) == 12

    sheet = store.get(DatasetKeys(job).sheet)
    cells = [
        Cell(shrunk(five.content[row.key]), shrunk(found.files[str(row.output)]), row.name)
        for row in found.rows.values()
    ]
    assert sheet == contact_sheet(cells, "set: 60 of 60 done", columns=12)
    with Image.open(BytesIO(sheet)) as image:
        assert image.width > 12 * 2 * 200
