"""Atlas specs: invalid documents give one-line errors."""

from typing import Any

import pytest

from jobs.spec.kinds import parse_spec
from jobs.text.errors import RequestError

LAYER = {"layer": "mixed4a"}
ONE_OF = "of: must be one of {layer: NAME}, {layers: all}, {classes: all}"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"of": {}}, ONE_OF),
        ({"of": {"layer": "a", "layers": "all"}}, ONE_OF),
        ({"of": {"layers": "all", "classes": "all"}}, ONE_OF),
        ({"of": {"layres": "all"}}, "of.layres: no such key; nearest: layers, layer, classes"),
        ({"of": {"layer": ""}}, "of.layer: must be text, not ''"),
        ({"of": {"layers": "some"}}, "of.layers: must be 'all' or a list, not 'some'"),
        ({"of": {"layers": []}}, "of.layers: must be 'all' or a list of at least 1, not []"),
        ({"of": {"classes": 3}}, "of.classes: must be 'all' or a list, not 3"),
        (
            {"of": {"layers": "all", "channels": [1]}},
            "of: channels need a layer; write {layer: NAME, channels: [0, 1]}",
        ),
        (
            {"of": {"layer": "a", "channels": []}},
            "of.channels: must be a list of at least 1, not []",
        ),
        ({"of": {"layer": "a", "channels": [-1]}}, "of.channels.0: must be at least 0, not -1"),
        (
            {"of": {"layer": "a", "channels": [1, 1]}},
            "of: channels must not contain an entry twice",
        ),
        ({"of": {"layers": ["a", "a"]}}, "of: layers must not contain an entry twice"),
        ({"of": 3}, "of: must be a mapping, not 3"),
        ({"start": {"noise": {}, "path": "x"}}, "start: must be a path, or {noise: {seed: 0}}"),
        ({"start": 3}, "start.path: must be text, not 3"),
        (
            {"start": "sky.jpg", "basis": "fourier"},
            "basis: fourier starts from noise; leave start out, or choose pixels",
        ),
        (
            {"start": "sky.jpg", "fourier": {}},
            "fourier: belongs to the other basis; write basis: fourier, or leave fourier out",
        ),
        (
            {"dream": {}, "basis": "fourier"},
            "dream: belongs to the other basis; write basis: pixels, or leave dream out",
        ),
        (
            {"dream": {}, "fourier": {}},
            "fourier: belongs to the other basis; write basis: fourier, or leave fourier out",
        ),
        ({"basis": "wavelets"}, "basis: must be 'pixels' or 'fourier', not 'wavelets'"),
        ({"fourier": {"step": 3}}, "fourier.step: no such key; nearest: steps"),
        ({"fourier": {"steps": -1}}, "fourier: steps must be from 0 to 100000; not -1"),
        (
            {"size": "none"},
            "size: noise has no size of its own; write both sides, such as 512x384",
        ),
        (
            {"size": 2049},
            "size: 2049 x 2049 pixels are too many for a Fourier picture, which may have "
            "4.2 megapixels; make it smaller, or dream it in octaves",
        ),
        (
            {"size": 100000, "basis": "pixels"},
            "size: 100000x100000 is 10000 megapixels, but at most 2000 are allowed; "
            "choose a smaller size, or raise limits.max_pixels",
        ),
        ({"resize": 64}, "resize: no such key; nearest: size"),
        ({"objectives": [LAYER]}, "objectives: no such key; known: "),
        ({"sheet": -1}, "sheet: must be at least 0, not -1"),
        ({"output": {"name": "{stme}"}}, "output.name: {stme}: nearest: stem"),
        ({"name": "!!"}, "name: must be 1 to 60 letters a-z, digits, '.', '_' or '-'"),
    ],
)
def test_invalid_documents_give_one_line_errors(fields: dict[str, Any], line: str) -> None:
    with pytest.raises(RequestError) as error:
        parse_spec({"kind": "atlas", "of": LAYER} | fields)
    message = str(error.value)
    assert message.startswith(line) if line.endswith(": ") else message == line


def test_missing_subject_is_one_error() -> None:
    with pytest.raises(RequestError) as error:
        parse_spec({"kind": "atlas"})
    assert str(error.value) == "of: is missing"
