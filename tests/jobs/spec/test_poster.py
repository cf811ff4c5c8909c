"""Poster specs: valid documents and their values; invalid documents give one-line errors."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.spec.base import NAME_LENGTH, slug
from jobs.spec.document import apply_overrides, parse_poster_spec, read_document
from jobs.spec.inputs import Colour
from jobs.spec.length import ALLOWED_SIZES
from jobs.spec.poster import Output, PosterSpec
from jobs.spec.size import parse_size
from jobs.text.errors import RequestError
from render.dream.config import Dream
from render.dream.objective import Objective

DESIGN = """
kind: poster
name: sky
input: sky.jpg
size: 60cm x 34cm @ 300dpi
network:
  name: squeezenet1_0
  weights: weights/squeezenet.safetensors
objectives:
  - {layer: features.9}
  - {layer: features.12, channels: [3, 5], weight: -0.5}
dream: {octaves: auto, octave_scale: 1.4, steps: 10, step_size: 0.02, jitter: 32, seed: 0}
tiles: {size: auto, halo: exact}
precision: auto
outputs: [png, {format: tiff, depth: 16}, jpeg, deepzoom]
crew: {workers: auto, gpus_per_worker: auto, cpus_per_worker: auto, memory_per_worker: 1.5GiB}
priority: 50
limits: {max_pixels: 2e9}
"""

SIZES = ALLOWED_SIZES
KEYS = (
    "crew, dream, fit, focus, input, kind, limits, name, network, notify, objectives, outputs, "
    "precision, priority, redo, "
)


def error_line(document: dict[str, Any]) -> str:
    with pytest.raises(RequestError) as error:
        parse_poster_spec(document)
    return str(error.value)


def write_spec(folder: Path, text: str, name: str = "spec.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_full_spec_file(tmp_path: Path) -> None:
    spec = parse_poster_spec(read_document(write_spec(tmp_path, DESIGN)))

    assert (spec.kind, spec.name, spec.priority) == ("poster", "sky", 50)
    assert spec.input.path == tmp_path / "sky.jpg"
    assert spec.size == parse_size("60cm x 34cm @ 300dpi")
    assert spec.network.name == "squeezenet1_0"
    assert spec.network.weights == tmp_path / "weights" / "squeezenet.safetensors"
    assert spec.objectives == (
        Objective("features.9"),
        Objective("features.12", channels=(3, 5), weight=-0.5),
    )
    assert spec.dream == Dream(step_size=0.02)
    assert [output.format for output in spec.outputs] == ["png", "tiff", "jpeg", "deepzoom"]
    assert [output.depth for output in spec.outputs] == [8, 16, 8, 8]
    assert spec.crew.memory_per_worker == 3 * 2**29
    assert spec.limits.max_pixels == 2_000_000_000


def test_only_input_is_required(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    spec = parse_poster_spec({"input": "Blue Sky.jpg"})

    assert spec.input.path == tmp_path / "Blue Sky.jpg"
    assert spec.name == "blue-sky"
    assert spec.size == parse_size("x1")
    assert spec.network.name == "pareidolia"
    assert spec.network.weights is None
    assert spec.objectives is None
    assert spec.outputs == (Output(format="png"),)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ({"tiles": 512}, {"tiles": {"size": 512}}),
        ({"tiles": "auto"}, {"tiles": {"size": "auto"}}),
        ({"network": "vgg16"}, {"network": {"name": "vgg16"}}),
        ({"input": "a/b.png"}, {"input": {"path": "a/b.png"}}),
        ({"outputs": ["tiff"]}, {"outputs": [{"format": "tiff", "depth": 8}]}),
        ({"crew": {"memory_per_worker": "2GiB"}}, {"crew": {"memory_per_worker": 2**31}}),
        ({"size": "4x"}, {"size": "x4"}),
        ({"size": 1024}, {"size": "1024px"}),
        ({"size": "A2 seen from 3m"}, {"size": "A2 @ 30dpi"}),
        ({"fit": "crop", "focus": "30%, 40%"}, {"fit": "crop", "focus": [0.3, 0.4]}),
        ({}, {"kind": "poster", "objectives": None, "priority": 50}),
    ],
)
def test_shorthands_equal_their_long_forms(short: dict[str, Any], full: dict[str, Any]) -> None:
    assert parse_poster_spec({"input": "sky.jpg"} | short) == parse_poster_spec(
        {"input": "sky.jpg"} | full
    )


def test_a_page_is_in_the_document_only_if_it_is_given() -> None:
    chosen = parse_poster_spec({"input": {"path": "scan.tif", "page": 2}})
    assert chosen.document()["input"]["page"] == chosen.input.page == 2
    assert "page" not in parse_poster_spec({"input": "scan.tif"}).document()["input"]
    assert parse_poster_spec(chosen.document()) == chosen


def test_edges_are_in_the_document_only_if_there_are_others_than_zeros() -> None:
    """So ids of posters from before there was a choice stay the same."""
    for dream in ({}, {"edges": "zero"}):
        plain = parse_poster_spec({"input": "a.jpg", "dream": dream})
        assert "edges" not in plain.document()["dream"]
        assert plain.document()["dream"]["seed"] == 0
    closed = parse_poster_spec({"input": "a.jpg", "dream": {"edges": "wrap-x"}})
    assert closed.document()["dream"]["edges"] == "wrap-x"
    assert parse_poster_spec(closed.document()) == closed


def test_a_focus_is_in_the_document_only_if_it_is_given() -> None:
    chosen = parse_poster_spec({"input": "sky.jpg", "fit": "crop", "focus": "30%, 40%"})
    assert chosen.document()["focus"] == [0.3, 0.4]
    assert "focus" not in parse_poster_spec({"input": "sky.jpg"}).document()
    assert parse_poster_spec(chosen.document()) == chosen


def test_noise_and_colour_inputs() -> None:
    noise = parse_poster_spec({"input": {"noise": {"seed": 7}}, "size": "30cm x 20cm"})
    colour = parse_poster_spec({"input": {"colour": "#fF8000"}, "size": "640x480"})

    assert noise.input.noise is not None
    assert (noise.name, noise.input.noise.seed) == ("noise", 7)
    assert (colour.name, colour.input.colour) == ("colour", Colour(255, 128, 0))
    assert parse_poster_spec({"input": {"colour": "Teal"}, "size": "9x9"}).input.colour == Colour(
        0, 128, 128
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"kind": "dataset", "items": 3}, "kind: must be 'poster', not 'dataset'"),
        ({"dream": {"setps": 3}}, "dream.setps: no such key; nearest: steps"),
        ({"crew": {"wrokers": 3}}, "crew.wrokers: no such key; nearest: workers"),
        (
            {"objectives": [{"layer": "a", "chanels": [1]}]},
            "objectives.0.chanels: no such key; nearest: channels",
        ),
        ({"qqq": 1}, f"qqq: no such key; known: {KEYS}size, tiles"),
        ({"input": None}, "input: must be a mapping, not null"),
        ({"input": 3}, "input.path: must be the path of a file"),
        ({"input": "a\0b.jpg"}, "input.path: must be the path of a file"),
        (
            {"input": "s3://bucket/sky.jpg"},
            "input.path: s3://bucket/sky.jpg is not supported yet; "
            "download the file and give its path",
        ),
        ({"input": {"noise": {"sed": 1}}}, "input.noise.sed: no such key; nearest: seed"),
        ({"input": {"path": "a.tif", "page": 0}}, "input.page: must be at least 1, not 0"),
        (
            {"input": {"path": "a.tif", "page": 65536}},
            "input.page: must be at most 65535, not 65536",
        ),
        (
            {"input": {"colour": "#102030", "page": 2}},
            "input: page belongs to a path; leave it out",
        ),
        (
            {"input": {"noise": {}, "colour": "red"}},
            "input: must be one of a path, {noise: {seed: 0}}, {colour: '#rrggbb'} (quoted)",
        ),
        (
            {"input": {"colour": "rad"}, "size": "9x9"},
            "input.colour: 'rad' is not a colour; write '#rrggbb' or a name; nearest: red",
        ),
        (
            {"input": {"noise": {"seed": 1}}},
            "size: noise has no size of its own; "
            "write both sides, such as 60cm x 34cm @ 300dpi or 7087x4016",
        ),
        (
            {"input": {"colour": "red"}, "size": "9cm x auto"},
            "size: colour has no size of its own; "
            "write both sides, such as 60cm x 34cm @ 300dpi or 7087x4016",
        ),
        ({"name": "!!!"}, "name: must be 1 to 60 letters a-z, digits, '.', '_' or '-'"),
        ({"name": "a" * 61}, "name: must be 1 to 60 letters a-z, digits, '.', '_' or '-'"),
        ({"name": True}, "name: must be text, not true"),
        ({"size": "60 bananas"}, f"size: '60 bananas' is not a size; {SIZES}"),
        ({"size": True}, "size: must be text"),
        ({"focus": [0.2, 0.3]}, "focus: needs fit: crop; write --fit crop"),
        (
            {"fit": "crop", "focus": "30,40"},
            "focus: must be a point, such as 30%,40%: from the left and from the top",
        ),
        (
            {"fit": "crop", "focus": [0.2, 1.3]},
            "focus: must be a point, such as 30%,40%: from the left and from the top",
        ),
        ({"network": {}}, "network.name: is missing"),
        ({"network": ""}, "network.name: must be text, not ''"),
        ({"network": {"name": "a", "weights": 3}}, "network.weights: must be the path of a file"),
        ({"objectives": []}, "objectives: must be a list of at least 1, not []"),
        ({"objectives": "features.9"}, "objectives: must be a list, not 'features.9'"),
        ({"objectives": [{}]}, "objectives.0: needs a layer, or classes, and not both"),
        (
            {"objectives": [{"layer": "a"}, {"layer": "a", "weight": 0}]},
            "objectives.1: weight must be a finite number other than 0; not 0.0",
        ),
        (
            {"objectives": [{"layer": "a", "channels": [1, True]}]},
            "objectives.0.channels.1: must be a whole number, not true",
        ),
        ({"dream": 3}, "dream: must be a mapping, not 3"),
        (
            {"dream": {"octaves": "many"}},
            "dream.octaves: must be a whole number or 'auto', not 'many'",
        ),
        ({"dream": {"steps": "3"}}, "dream.steps: must be a whole number, not '3'"),
        ({"dream": {"steps": 3.5}}, "dream.steps: must be a whole number, not 3.5"),
        ({"dream": {"octave_scale": 9}}, "dream: octave_scale must be from 1.05 to 4; not 9.0"),
        ({"tiles": 0}, "tiles.size: must be at least 1 or 'auto', not 0"),
        ({"tiles": {"halo": "blend"}}, "tiles.halo: must be 'exact', not 'blend'"),
        (
            {"precision": "half"},
            "precision: must be 'auto', 'float32', 'float64' or 'bfloat16', not 'half'",
        ),
        ({"outputs": []}, "outputs: must be a list of at least 1, not []"),
        ({"outputs": "png"}, "outputs: must be a list, not 'png'"),
        ({"outputs": ["png", "png"]}, "outputs: must not contain a format twice"),
        (
            {"outputs": ["jpg"]},
            "outputs.0.format: must be 'png', 'tiff', 'jpeg', 'deepzoom', 'deepzoom-zip', 'iiif', "
            "'iiif-zip', 'webp', 'avif', 'jxl', 'pdf' or 'contract-proof', not 'jpg'",
        ),
        (
            {"outputs": [{"format": "jpeg", "depth": 16}]},
            "outputs.0: depth 16 is for png and tiff, not jpeg",
        ),
        ({"crew": {"workers": 0}}, "crew.workers: must be at least 1 or 'auto', not 0"),
        (
            {"crew": {"memory_per_worker": "lots"}},
            "crew.memory_per_worker: must be a number of bytes such as 1.5GiB or 'auto', "
            "not 'lots'",
        ),
        ({"priority": 101}, "priority: must be at most 100, not 101"),
        ({"priority": -1}, "priority: must be at least 0, not -1"),
        ({"limits": {"max_pixels": 0}}, "limits.max_pixels: must be at least 1, not 0"),
        (
            {"priority": 101, "dream": {"sede": 1}, "tiles": 0},
            "dream.sede: no such key; nearest: seed, schedule, edges; "
            "tiles.size: must be at least 1 or 'auto', not 0; "
            "priority: must be at most 100, not 101",
        ),
    ],
)
def test_invalid_documents_give_one_line_errors(changes: dict[str, Any], line: str) -> None:
    assert error_line({"input": "sky.jpg"} | changes) == line


def test_missing_input_is_one_error() -> None:
    assert error_line({}) == "input: is missing"


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def test_only_the_first_errors_are_shown() -> None:
    with pytest.raises(RequestError) as refused:
        parse_poster_spec({"input": "a.png", **{f"wrong_{n}": n for n in range(9)}})
    assert str(refused.value).count("no such key") == 4
    assert str(refused.value).endswith("; and 5 more errors")


@given(st.dictionaries(st.sampled_from(list(PosterSpec.model_fields)) | st.text(), values))
def test_any_document_gives_a_spec_or_a_one_line_error(document: dict[str, Any]) -> None:
    try:
        parse_poster_spec(document)
    except RequestError as error:
        assert len(str(error).splitlines()) == 1


@given(
    name=st.text(max_size=80),
    steps=st.integers(0, 99),
    step_size=st.floats(1e-9, 1e3),
    weight=st.floats(0.1, 9),
    tiles=st.just("auto") | st.integers(1, 9999),
    size=st.sampled_from(["x4", "60cm x auto", "30x40", "x1 @ 72.5dpi"]),
)
def test_document_parses_back_to_an_equal_spec(
    name: str, steps: int, step_size: float, weight: float, tiles: str | int, size: str
) -> None:
    spec = parse_poster_spec(
        {
            "input": "sky.jpg",
            "name": slug(name)[:NAME_LENGTH] or "x",
            "dream": {"steps": steps, "step_size": step_size},
            "objectives": [{"layer": "a", "weight": weight, "channels": [1]}],
            "network": {"name": "vgg16", "weights": "pretrained"},
            "tiles": tiles,
            "size": size,
        }
    )
    assert parse_poster_spec(spec.document()) == spec


@given(st.text())
def test_names_are_safe_file_names_and_keys(stem: str) -> None:
    name = slug(stem)

    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert name == slug(name) == name.strip("._-")


def test_default_name_comes_from_the_picture() -> None:
    assert parse_poster_spec({"input": "x/Été à Paris.tar.jpg"}).name == "ete-a-paris.tar"
    assert parse_poster_spec({"input": "夢.jpg"}).name == "picture"
    assert parse_poster_spec({"input": f"{'a' * 59}-b.jpg"}).name == "a" * 59


def test_settings_override_the_document(tmp_path: Path) -> None:
    document = read_document(write_spec(tmp_path, DESIGN))
    before = repr(document)
    changed = apply_overrides(
        document,
        [
            "dream.steps=4",
            "dream.steps=5",
            "dream.step_size=1e-2",
            "objectives.0.layer=features.7",
            "objectives.2.layer=features.3",
            "outputs=[png, tiff]",
            "outputs.1.depth=16",
            "tiles=512",
            "tiles.halo=exact",
            "name=",
            "name=night",
        ],
    )
    spec = parse_poster_spec(changed)

    assert repr(document) == before
    assert (spec.dream.steps, spec.dream.step_size, spec.tiles.size) == (5, 0.01, 512)
    assert spec.objectives is not None
    assert [objective.layer for objective in spec.objectives] == [
        "features.7",
        "features.12",
        "features.3",
    ]
    assert [output.depth for output in spec.outputs] == [8, 16]
    assert spec.name == "night"


def test_settings_create_missing_parts() -> None:
    settings = ["input.colour=#102030", "size=9x9", "objectives.0.layer=a", "network.name=vgg16"]
    spec = parse_poster_spec(apply_overrides({}, settings))

    assert spec.input.colour == Colour(16, 32, 48)
    assert spec.objectives == (Objective("a"),)


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("dream.steps", "write key=value, such as dream.steps=4"),
        ("=4", "write key=value, such as dream.steps=4"),
        ("dream..steps=4", "write key=value, such as dream.steps=4"),
        ("dream=[", "line 1, column 2: expected the node content, but found '<stream end>'"),
        ("objectives.1.layer=a", "1 is not an index in a list of 0; write 0 to 0"),
        ("outputs.x.depth=8", "x is not an index in a list of 1; write 0 to 1"),
        ("priority.high=1", "cannot set high in 50"),
    ],
)
def test_invalid_settings(setting: str, line: str) -> None:
    document = {"objectives": [], "outputs": ["png"], "priority": 50}
    with pytest.raises(RequestError) as error:
        apply_overrides(document, [setting])
    assert str(error.value) == f"--set {setting}: {line}"


def test_paths_are_relative_to_the_file_or_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    text = "input: sky.jpg\nnetwork: {name: vgg16, weights: pretrained}\n"
    document = read_document(write_spec(tmp_path / "specs", text))

    in_file, on_line = (
        parse_poster_spec(document),
        parse_poster_spec(apply_overrides(document, ["network.weights=w.pth"])),
    )

    assert in_file.input.path == tmp_path / "specs" / "sky.jpg" == on_line.input.path
    assert in_file.network.weights == "pretrained"
    assert on_line.network.weights == tmp_path / "here" / "w.pth"


def test_reading_a_spec_does_not_load_torch() -> None:
    code = "import sys, jobs.spec.document, jobs.planning.identity\n"
    code += "print({'torch', 'ray'} & {*sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"
