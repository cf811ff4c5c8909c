"""Fuzzes specs and input tables: what `submit` does before it writes anything.

`python -m tests.fuzz.specs --count 100000 --seed 0`
"""

import csv
import importlib
import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jobs.cli.arguments import JobFlags, read_spec
from jobs.dataset.inputs.item import ListedImage
from jobs.dataset.inputs.listing import list_images
from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.planning.poster import make_plan
from jobs.planning.weights import find_safetensors
from jobs.runtime.upload import unlimited_machine
from jobs.spec.kinds import SPEC_KINDS
from jobs.spec.looks import look_names
from jobs.spec.poster import PosterSpec
from jobs.text.errors import JobsError
from render.errors import RenderError
from tests.fuzz.campaign import check_message, in_time, main
from tests.fuzz.documents import Mutator

NOISE = {"noise": {"seed": 1}}

POSTERS: tuple[dict[str, Any], ...] = (
    {"input": "sky.png"},
    {"kind": "poster", "input": {"path": "scan.tif", "page": 2}, "name": "a", "size": "x2"},
    {"input": {"colour": "#204060"}, "size": "60cm x 34cm @ 30dpi", "tiles": 512},
    {
        "kind": "poster",
        "input": NOISE,
        "size": "640x480 @ 300dpi",
        "network": {"name": "pareidolia"},
        "objectives": [
            {"layer": "mixed4a.near.1.relu", "channels": [3, 17], "weight": -0.5},
            {"layer": "classes.relu", "at": [[0.5, 0.25]], "schedule": {"octaves": [1, 0]}},
            {"layer": "mixed4a.near.1.relu", "guide": "sky.png", "mask": "mask.png"},
            {"classes": [3], "weight": 2},
        ],
        "dream": {
            "octaves": 3,
            "octave_scale": 1.4,
            "steps": 10,
            "step_size": 0.04,
            "jitter": 32,
            "seed": 7,
            "schedule": {"octaves": [1.3, 0.7], "steps": [0, 1]},
            "smooth": {"gaussian": [0.5, 1, 2]},
            "keep": "colours",
            "palette": "free",
            "limit": "hard",
            "strength": "mask.png",
        },
        "tiles": {"size": "auto", "halo": "exact"},
        "precision": "float32",
        "outputs": ["png", {"format": "tiff", "depth": 16}, "jpeg", "deepzoom"],
        "crew": {
            "workers": 2,
            "gpus_per_worker": 0,
            "cpus_per_worker": 1,
            "memory_per_worker": "1.5GiB",
            "any_device": True,
        },
        "priority": 60,
        "limits": {"max_pixels": 2e9},
    },
    {"input": "sky.png", "dream": {"smooth": {"laplacian": [1, 1, 1]}}, "precision": "bfloat16"},
)

DATASETS: tuple[dict[str, Any], ...] = (
    {"kind": "dataset", "inputs": "photos", "resize": 128},
    {
        "kind": "dataset",
        "name": "set",
        "inputs": {"path": "photos/*.png"},
        "resize": "fit 80x60",
        "sweep": {
            "objectives.0.layer": ["mixed4a.near.1.relu", "classes.relu"],
            "dream.step_size": [0.01, 0.02],
        },
        "output": {
            "format": "jpeg",
            "depth": 8,
            "name": "{dir}/{stem}-{objectives.0.layer}-{dream.step_size}",
            "pack": "webdataset",
        },
        "batch": 4,
        "sheet": 60,
        "limits": {"max_failures": 100, "max_pixels": 1000000},
    },
    {
        "kind": "dataset",
        "inputs": NOISE,
        "resize": "64x48",
        "fourier": {"steps": 12, "rate": 0.05, "decay": 1, "turn": 10},
        "objectives": [{"layer": "classes.relu"}],
        "sweep": {"objectives": [[{"layer": "classes.relu", "channels": [1]}]]},
        "labels": ["one"],
        "output": {"name": "{label}"},
    },
    {
        "kind": "dataset",
        "inputs": {"path": "list.csv", "column": "picture"},
        "network": "pareidolia",
    },
)

ATLASES: tuple[dict[str, Any], ...] = (
    {"kind": "atlas", "of": {"layer": "classes.relu", "channels": [0, 1]}, "size": 64},
    {"kind": "atlas", "of": {"layers": ["classes.relu"]}, "size": "64x48", "basis": "pixels"},
    {
        "kind": "atlas",
        "network": "pareidolia",
        "of": {"classes": [0, 1]},
        "start": "sky.png",
        "dream": {"steps": 4},
        "name": "atlas",
        "output": {"name": "{stem}-{label}"},
    },
)

ROWS: tuple[dict[str, Any], ...] = (
    {"picture": "photos/a.png", "key": "one", "dream.steps": 3, "resize": "64x48", "name": "n"},
    {"picture": "photos/b.png", "key": "two", "dream.steps": 0, "resize": "none", "name": "m"},
    {"picture": "s3://bucket/c.png", "key": "3", "dream.steps": 5, "resize": "40", "name": "o"},
)


@cache
def _known() -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """The names and the values of the schemas of all specs."""
    names: set[str] = {"look", "a", "dream.steps", "objectives.0.layer"}
    values: list[Any] = [*look_names(), "mixed4a.near.1.relu", "classes", "classes.relu"]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            properties = node.get("properties")
            names.update(properties if isinstance(properties, dict) else ())
            values.extend(node.get("enum", ()))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for kind in SPEC_KINDS.values():
        walk(kind.model.model_json_schema())
    return tuple(sorted(names)), tuple(values)


def make_case(number: int, seed: int) -> tuple[str, bytes]:
    """One case: the name of a file, and its content."""
    mutator = Mutator(f"{seed}/{number}", *_known())
    kind = number % 10
    if kind < 7:
        seeds = (POSTERS, POSTERS, POSTERS, DATASETS, DATASETS, DATASETS, ATLASES)[kind]
        document = mutator.document(mutator.random.choice(seeds), (*POSTERS, *DATASETS, *ATLASES))
        if mutator.random.random() < 0.1 and isinstance(document, dict):
            document["look"] = mutator.random.choice(look_names())
        content = mutator.encode(document)
        # YAML takes seconds to parse a megabyte.
        is_long = len(content) > _MAX_YAML
        return "a.json" if is_long else mutator.random.choice(("a.yaml", "a.json")), content
    rows = mutator.document(list(ROWS), (*POSTERS, *DATASETS))
    make = (_csv, _jsonl, _parquet)[kind - 7]
    content = make(rows if isinstance(rows, list) else [rows])
    if mutator.random.random() < 0.4:
        content = mutator.content(content)
    return f"list{('.csv', '.jsonl', '.parquet')[kind - 7]}", content


def _csv(rows: list[Any]) -> bytes:
    file = io.StringIO()
    tables = [row for row in rows if isinstance(row, dict)]
    header = list(dict.fromkeys(name for row in tables for name in row))
    csv.writer(file).writerow(header)
    for row in tables:
        csv.writer(file).writerow([_cell(row.get(name)) for name in header])
    return file.getvalue().encode("utf-8", "surrogatepass")


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _jsonl(rows: list[Any]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _parquet(rows: list[Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    tables = [row for row in rows if isinstance(row, dict)]
    names = list(dict.fromkeys(str(name) for row in tables for name in row))
    columns: dict[str, Any] = {}
    for name in names:
        cells = [row.get(name) for row in tables]
        try:
            columns[name] = pa.array(cells)
            pq.write_table(pa.table({name: columns[name]}), io.BytesIO())
        except (pa.ArrowException, OverflowError, UnicodeError):
            columns.pop(name, None)
            columns["key"] = pa.array([str(cell)[:9].encode("utf-8", "replace") for cell in cells])
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


_PLANNED_ROWS = 40
"""Rows of a table that are planned. Others are only read: planning takes milliseconds."""


_MAX_YAML = 60_000


class SpecTarget:
    """Plans specs and reads rows in a folder of its own, as `submit` does.

    A call raises whatever is not one of the product's own errors.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        _fill(self._folder)
        self._plan = make_dataset_plan(
            _read(self._folder / "set.json", {"kind": "dataset", "inputs": "photos"}),
            unlimited_machine(SPEC_KINDS["poster"].model.model_fields["crew"].default),
            find=find_safetensors,
        )

    def __call__(self, name: str, content: bytes) -> str | None:
        """Plan a case. Returns the product's error message, or None."""
        path = self._folder / name
        path.write_bytes(content)
        if not name.startswith("list"):
            return _message(lambda: _plan_spec(path))
        return _message(lambda: self._plan_rows(path))

    def _plan_rows(self, path: Path) -> None:
        inputs = _read(path.with_name("rows.json"), {"kind": "dataset", "inputs": str(path)}).inputs
        images = list_images(inputs)
        for image in islice(images, _PLANNED_ROWS):
            said = _message(lambda image=image: _plan_image(self._plan, image))  # type: ignore[misc]
            for text in (said, image.error):
                if text is not None:
                    check_message(text)
        for image in images:
            check_message(image.error or "none")


def _message(act: Callable[[], object]) -> str | None:
    try:
        act()
    except (JobsError, RenderError) as error:
        return str(error)
    return None


def _plan_spec(path: Path) -> None:
    spec = read_spec(str(path), None, None, JobFlags())
    machine = unlimited_machine(spec.crew)
    if isinstance(spec, PosterSpec):
        make_plan(spec, machine, find_safetensors)
        return
    make_dataset_plan(spec, machine, find=find_safetensors)
    for _ in islice(list_images(spec.inputs), _PLANNED_ROWS):
        pass


def _plan_image(plan: DatasetPlan, image: ListedImage) -> None:
    image.model_dump_json()
    settings = plan.item_settings(0, image.settings)
    settings.grids(settings.spec.resize.size(48, 64), (48, 64))


def _read(path: Path, document: dict[str, Any]) -> Any:
    path.write_text(json.dumps(document))
    return read_spec(str(path), None, None, JobFlags())


def _fill(folder: Path) -> None:
    """Write the files that the valid specs name."""
    photos = folder / "photos"
    photos.mkdir()
    pixels = np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8)
    picture = Image.fromarray(pixels)
    for path in (folder / "sky.png", photos / "a.png", photos / "b.png"):
        picture.save(path)
    picture.convert("L").save(folder / "mask.png")
    picture.save(folder / "scan.tif", save_all=True, append_images=[picture])
    (folder / "list.csv").write_text("picture\nphotos/a.png\n")


_SEPARATOR = b"\0"


def make_content(number: int, seed: int) -> bytes:
    """A case as one text of bytes: the name of the file, a zero, and its content."""
    name, content = make_case(number, seed)
    return name.encode() + _SEPARATOR + content


@cache
def _target() -> SpecTarget:
    # All children of a campaign share what they know about networks.
    cache = Path(tempfile.gettempdir()) / f"fuzz-cache-{os.getppid()}"
    os.environ["XDG_CACHE_HOME"] = str(cache)
    # Torch loads now, and not within the limits.
    for module in ("render.engine.cost_model", "render.networks.catalogue", "sympy"):
        importlib.import_module(module)
    # A spec may name weights to download.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ[name] = "http://127.0.0.1:9"
    logging.disable(logging.WARNING)
    target = SpecTarget()
    for document in (*POSTERS, *DATASETS, *ATLASES):
        message = target("a.json", json.dumps(document).encode())
        assert message is None, f"the valid spec {document}: {message}"
    return target


def judge(content: bytes) -> str:
    """Plan a case. Raises what a request must not."""
    target = _target()
    name, _, content = content.partition(_SEPARATOR)
    if not name:
        return "started"
    with in_time():
        message = target(name.decode(), content)
    if message is None:
        return "planned"
    check_message(message)
    return "refused"


if __name__ == "__main__":
    sys.exit(main("specs", "tests.fuzz.specs:judge", make_content, 100_000))
