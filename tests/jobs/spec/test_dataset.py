"""Dataset specs: fields, shorthands and defaults; invalid documents give one-line errors."""

from pathlib import Path
from typing import Any

import pytest

from jobs.spec.dataset import DatasetOutput, DatasetSpec
from jobs.spec.document import read_document
from jobs.spec.kinds import parse_spec
from jobs.spec.poster import PosterSpec
from jobs.spec.resize import Resize
from jobs.text.errors import RequestError


def spec(**fields: Any) -> DatasetSpec:
    made = parse_spec({"kind": "dataset", "inputs": "/pictures"} | fields)
    assert isinstance(made, DatasetSpec)
    return made


FULL: dict[str, Any] = {
    "name": "holidays",
    "inputs": {"path": "/pictures/all.csv", "column": "file"},
    "resize": "fit 800x600",
    "network": {"name": "squeezenet1_1", "weights": "/weights/w.pth"},
    "objectives": [{"layer": "features.4"}],
    "dream": {"octaves": 2, "steps": 3, "step_size": 0.05, "jitter": 8, "seed": 9},
    "tiles": {"size": 256},
    "precision": "float32",
    "output": {"format": "tiff", "depth": 16, "name": "{stem}-{variant}", "pack": "webdataset"},
    "sweep": {"dream.step_size": [0.01, 0.02], "resize": ["64", "none"]},
    "batch": 4,
    "sheet": 12,
    "crew": {"workers": 3},
    "priority": 70,
    "limits": {"max_pixels": 1000, "max_failures": 5},
}


def test_fields_are_parsed() -> None:
    made = spec(**FULL)

    assert (made.name, made.batch, made.sheet, made.priority) == ("holidays", 4, 12, 70)
    assert (made.inputs.path, made.inputs.column) == ("/pictures/all.csv", "file")
    assert made.resize == Resize("fit", 800, 600)
    assert (made.network.name, made.network.weights) == ("squeezenet1_1", Path("/weights/w.pth"))
    assert made.objectives is not None
    assert made.objectives[0].layer == "features.4"
    assert (made.dream.steps, made.dream.step_size, made.dream.seed) == (3, 0.05, 9)
    assert (made.tiles.size, made.precision, made.crew.workers) == (256, "float32", 3)
    assert made.output == DatasetOutput(
        format="tiff", depth=16, name="{stem}-{variant}", pack="webdataset"
    )
    assert made.sweep == {"dream.step_size": (0.01, 0.02), "resize": ("64", "none")}
    assert (made.limits.max_pixels, made.limits.max_failures) == (1000, 5)


def test_document_parses_back_to_an_equal_spec() -> None:
    for made in (spec(), spec(**FULL)):
        assert parse_spec(made.document()) == made


def test_only_inputs_are_required() -> None:
    made, poster = spec(), parse_spec({"input": "/sky.jpg"})
    assert isinstance(poster, PosterSpec)

    assert (made.inputs.path, made.inputs.column) == ("/pictures", "picture")
    assert (made.resize, made.output.format, made.output.pack) == (Resize(), "png", "files")
    assert (made.batch, made.limits.max_failures, made.sweep) == ("auto", None, {})
    for field in ("network", "objectives", "dream", "tiles", "precision", "crew", "priority"):
        assert getattr(made, field) == getattr(poster, field)


def test_shorthands_equal_their_long_forms() -> None:
    assert spec(inputs="/p", output="jpeg", network="vgg16", tiles=64) == spec(
        inputs={"path": "/p"},
        output={"format": "jpeg"},
        network={"name": "vgg16"},
        tiles={"size": 64},
    )
    assert spec(resize=512) == spec(resize="512")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/My Pictures", "my-pictures"),
        ("/data/My Pictures/", "my-pictures"),
        ("/data/2019/*.jpg", "2019"),
        ("/data/all.csv", "all"),
        ("/data/train-{000..012}.tar", "data"),
        ("/data/train-0001.tar", "train-0001"),
        ("s3://bucket/photos/", "photos"),
        ("s3://bucket", "bucket"),
        ("/**/*.jpg", "dataset"),
        ("/", "dataset"),
        ("/data/" + "x" * 99, "x" * 60),
    ],
)
def test_default_name_comes_from_inputs(path: str, name: str) -> None:
    assert spec(inputs=path).name == name


def test_paths_are_relative_to_the_spec_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "kind: dataset\ninputs: photos/*.jpg\nnetwork: {name: vgg16, weights: w.pth}\n"
        "sweep: {network.weights: [a.pth, pretrained, /b.pth]}\n"
    )
    made = parse_spec(read_document(path))
    assert isinstance(made, DatasetSpec)

    assert made.inputs.path == f"{tmp_path}/photos/*.jpg"
    assert made.network.weights == tmp_path / "w.pth"
    assert made.sweep["network.weights"] == (f"{tmp_path}/a.pth", "pretrained", "/b.pth")
    assert spec(inputs="s3://bucket/p").inputs.path == "s3://bucket/p"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"kind": "film"}, "kind: must be poster, dataset or atlas, not 'film'"),
        ({"inputs": ""}, "inputs.path: must be text, not ''"),
        ({"inputs": 3}, "inputs.path: must be text, not 3"),
        ({"inputs": {"path": "x", "column": ""}}, "inputs.column: must be text, not ''"),
        ({"inputs": {"path": "x", "colum": "f"}}, "inputs.colum: no such key; nearest: column"),
        ({"size": "x2"}, "size: no such key; nearest: resize"),
        ({"name": "!!"}, "name: must be 1 to 60 letters a-z, digits, '.', '_' or '-'"),
        (
            {"resize": "12 apes"},
            "resize: '12 apes' is not a valid resize; "
            "write none, 1024 (the longest side), fit 800x600, or 512x384",
        ),
        ({"network": {"name": ""}}, "network.name: must be text, not ''"),
        ({"objectives": []}, "objectives: must be a list of at least 1, not []"),
        ({"dream": {"setps": 1}}, "dream.setps: no such key; nearest: steps"),
        ({"tiles": 0}, "tiles.size: must be at least 1 or 'auto', not 0"),
        ({"output": "webp"}, "output.format: must be 'png', 'jpeg' or 'tiff', not 'webp'"),
        (
            {"output": {"format": "jpeg", "depth": 16}},
            "output: depth 16 is for png and tiff, not jpeg",
        ),
        ({"output": {"pack": "zip"}}, "output.pack: must be 'files' or 'webdataset', not 'zip'"),
        ({"output": {"name": "{stme}"}}, "output.name: {stme}: nearest: stem"),
        (
            {"output": {"name": "{stem}"}, "sweep": {"dream.seed": [1, 2]}},
            "output.name: needs the swept {dream.seed}, or {variant}",
        ),
        ({"sweep": {"dream.steps": []}}, "sweep.dream.steps: must be a list of at least 1, not []"),
        ({"sweep": {"dream.steps": 3}}, "sweep.dream.steps: must be a list, not 3"),
        *(
            (
                {"sweep": {field: [1]}},
                f"sweep: cannot sweep {field}; try dream.step_size",
            )
            for field in ("name", "inputs.path", "crew.workers", "priority", "sweep", "color")
        ),
        (
            {"sweep": {"dream.seed": list(range(101)), "dream.steps": list(range(1, 101))}},
            "sweep: 10100 combinations are more than the limit of 10000; sweep less",
        ),
        ({"batch": 0}, "batch: must be at least 1 or 'auto', not 0"),
        ({"sheet": 801}, "sheet: must be at most 800, not 801"),
        ({"crew": {"workers": 0}}, "crew.workers: must be at least 1 or 'auto', not 0"),
        ({"inputs": {"column": "f"}}, "inputs: must be a path, or {noise: {seed: 0}}"),
        (
            {"inputs": {"path": "x", "noise": {}}},
            "inputs: must be a path, or {noise: {seed: 0}}",
        ),
        (
            {"inputs": {"noise": {}}},
            "resize: noise has no size of its own; write both sides, such as 512x384",
        ),
        (
            {"inputs": {"noise": {}}, "resize": "3000x2000", "limits": {"max_pixels": 4e6}},
            "resize: 3000x2000 is 6 megapixels, but at most 4 are allowed; "
            "choose a smaller size, or raise limits.max_pixels",
        ),
        (
            {"inputs": {"noise": {}}, "resize": "3000x2000", "fourier": {}},
            "resize: 3000 x 2000 pixels are too many for a Fourier picture, which may have "
            "4.2 megapixels; make it smaller, or dream it in octaves",
        ),
        ({"fourier": {}}, "fourier: starts from noise; write inputs: {noise: {seed: 0}}"),
        ({"fourier": {"step": 1}}, "fourier.step: no such key; nearest: steps"),
        ({"labels": ["a", "b"]}, "labels: must be 1, one per combination, not 2"),
        (
            {"sweep": {"dream.seed": [1, 2]}, "labels": ["a", "a"]},
            "labels: must not contain a label twice",
        ),
        ({"priority": 101}, "priority: must be at most 100, not 101"),
        ({"limits": {"max_failures": -1}}, "limits.max_failures: must be at least 0, not -1"),
    ],
)
def test_invalid_documents_give_one_line_errors(fields: dict[str, Any], line: str) -> None:
    with pytest.raises(RequestError) as error:
        spec(**fields)
    assert str(error.value) == line


def test_missing_inputs_are_one_error() -> None:
    with pytest.raises(RequestError) as error:
        parse_spec({"kind": "dataset"})
    assert str(error.value) == "inputs: is missing"


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/latest/", "https://me:secret@host/a/*.jpg", "file:///etc", "gs://b/p"],
)
def test_web_addresses_are_rejected_as_inputs(address: str) -> None:
    for inputs in (address, {"path": address, "column": "image"}):
        with pytest.raises(RequestError, match="is not supported; download the files") as refused:
            spec(inputs=inputs)
        assert "\n" not in str(refused.value)
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://169.254.169.254/mask.png", "s3://bucket/mask.png"])
def test_web_addresses_are_rejected_as_attachments(address: str) -> None:
    swept: dict[str, object] = {"sweep": {"dream.strength": [None, address]}}
    named = ({"dream": {"strength": address}}, {"objectives": [{"layer": "a", "guide": address}]})
    for given in (*named, swept):
        with pytest.raises(RequestError, match="is not supported; download the picture"):
            spec(**given)
