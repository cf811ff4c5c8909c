"""The expansion of an atlas: a dataset with one input, and a labelled objective per picture."""

from pathlib import Path

import pytest

from jobs.spec.document import apply_overrides, read_document
from jobs.spec.kinds import parse_spec
from render.dream.config import Dream
from render.engine.network_profile import list_layers
from render.errors import LayerError, NetworkError
from render.fourier.setup import Fourier
from render.networks.pareidolia import CLASS_COUNT
from tests.support.small_dataset import expand_atlas, objectives_by_label

LAYER = "mixed4a.near.1.relu"


def test_every_channel_of_a_layer() -> None:
    made = expand_atlas({"layer": LAYER})
    found = objectives_by_label(made)

    assert len(found) == 128
    assert [*found][17] == f"{LAYER}-017"
    assert found[f"{LAYER}-127"] == {"layer": LAYER, "channels": [127]}
    assert made.name == f"pareidolia-{LAYER}"
    assert made.output.name == "{label}"


def test_block_has_channels_of_its_last_layer() -> None:
    assert len(objectives_by_label(expand_atlas({"layer": "mixed3a"}))) == 192
    assert next(iter(objectives_by_label(expand_atlas({"layer": "mixed3a"})))) == "mixed3a-000"


def test_chosen_channels_keep_their_order() -> None:
    found = objectives_by_label(expand_atlas({"layer": LAYER, "channels": [9, 2]}))
    assert [*found] == [f"{LAYER}-009", f"{LAYER}-002"]


def test_all_exact_layers_in_order() -> None:
    found = objectives_by_label(expand_atlas({"layers": "all"}))
    known = [one["name"] for one in list_layers("pareidolia") if not one["reason"]]

    assert [*found] == known
    assert known.index("stem.0.conv") < known.index("mixed3a.cat") < known.index("classes.relu")
    assert found["mixed3a.cat"] == {"layer": "mixed3a.cat"}


def test_chosen_layers_keep_their_order() -> None:
    made = expand_atlas({"layers": ["mixed4a", "mixed3a"]})

    assert objectives_by_label(made) == {
        "mixed4a": {"layer": "mixed4a"},
        "mixed3a": {"layer": "mixed3a"},
    }
    assert made.name == "pareidolia-layers"


def test_class_labels_contain_number_and_name() -> None:
    found = objectives_by_label(expand_atlas({"classes": "all"}))

    assert len(found) == CLASS_COUNT
    assert [label[:2] for label in found] == [f"{number:02}" for number in range(CLASS_COUNT)]
    assert [*found.values()] == [{"classes": [number]} for number in range(CLASS_COUNT)]
    assert all(len(label) > 3 for label in found)


def test_classes_by_number_and_by_name() -> None:
    names = {label[3:]: label for label in objectives_by_label(expand_atlas({"classes": "all"}))}
    name = next(name for name in names if name.isalpha())
    found = objectives_by_label(expand_atlas({"classes": [5, name]}))

    assert [label[:2] for label in found] == ["05", names[name][:2]]


def test_noise_uses_fourier_basis_by_default() -> None:
    made = expand_atlas({"layer": LAYER}, size=96)
    assert (made.fourier, str(made.resize)) == (Fourier(), "96x96")
    assert made.inputs.noise is not None
    assert made.inputs.noise.seed == 0

    finer = expand_atlas({"layer": LAYER}, fourier={"steps": 9}, start={"noise": {"seed": 4}})
    assert finer.fourier == Fourier(steps=9)
    assert finer.inputs.noise is not None
    assert finer.inputs.noise.seed == 4

    pixels = expand_atlas({"layer": LAYER}, dream={"steps": 3}, size="80x60")
    assert (pixels.fourier, pixels.dream, str(pixels.resize)) == (None, Dream(steps=3), "80x60")
    assert expand_atlas({"layer": LAYER}, basis="pixels").fourier is None


def test_picture_uses_octaves_by_default(tmp_path: Path) -> None:
    file = tmp_path / "atlas.yaml"
    file.write_text("kind: atlas\nof: {layers: all}\nstart: sky.jpg\n")
    made = parse_spec(apply_overrides(read_document(file), ["dream.steps=2"]))

    assert made == expand_atlas(
        {"layers": "all"}, start=str(tmp_path / "sky.jpg"), dream={"steps": 2}
    )
    assert made.kind == "dataset"
    assert (made.inputs.path, made.fourier) == (str(tmp_path / "sky.jpg"), None)
    # The size is that of the longest side: a picture keeps its aspect.
    assert str(made.resize) == "256"
    assert made.output.name is None


def test_other_fields_are_copied_to_the_dataset() -> None:
    made = expand_atlas(
        {"layer": LAYER},
        name="low",
        output={"format": "jpeg", "name": "plates/{variant}"},
        sheet=7,
        crew={"workers": 3},
        priority=9,
        precision="float64",
        tiles=512,
        limits={"max_failures": 2},
    )

    assert (made.name, made.output.format, made.output.name) == ("low", "jpeg", "plates/{variant}")
    assert (made.sheet, made.crew.workers, made.priority, made.tiles.size) == (7, 3, 9, 512)
    assert (made.precision, made.limits.max_failures) == ("float64", 2)


@pytest.mark.parametrize(
    ("of", "network", "error", "message"),
    [
        (
            {"layer": "mixed4x"},
            "pareidolia",
            LayerError,
            "of.layer: mixed4x of pareidolia: no such",
        ),
        ({"classes": [83]}, "pareidolia", LayerError, "class 83 of pareidolia: no such class; it"),
        (
            {"classes": ["eyse"]},
            "pareidolia",
            LayerError,
            "class eyse of pareidolia: no such class",
        ),
        (
            {"layers": "all"},
            "paredolia",
            NetworkError,
            "network paredolia: no such network; nearest",
        ),
        ({"layer": "x"}, "paredolia", NetworkError, "network paredolia: no such network; nearest"),
        ({"classes": "all"}, "paredolia", NetworkError, "network paredolia: no such network; near"),
    ],
)
def test_unknown_layers_and_classes_give_one_line_errors(
    of: dict[str, object], network: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        expand_atlas(of, network=network)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
