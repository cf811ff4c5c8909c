"""Identity: the same for whatever decides no pixel, another for whatever does."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.planning import identity as module
from jobs.planning.identity import Identity, canonical, file_digest, identity
from jobs.spec.document import spec_of
from jobs.text.errors import RequestError

PICTURE, WEIGHTS = "sha256:01", "sha256:02"


def identified(changes: dict[str, Any]) -> Identity:
    document = {"name": "sky", "input": "sky.jpg"} | changes
    return identity(spec_of(document), picture=PICTURE, weights=WEIGHTS)


BASE = identified({})


def test_a_job_id_is_the_name_and_twelve_hex_digits() -> None:
    name, digits = BASE.job_id.split("-")

    assert name == "sky"
    assert len(digits) == 12
    assert hashlib.sha256(canonical(BASE.document).encode()).hexdigest().startswith(digits)


@pytest.mark.parametrize(
    "changes",
    [
        {"input": "elsewhere/copy.jpg"},
        {"network": {"name": "pareidolia", "weights": "elsewhere.safetensors"}},
        {"network": {"name": "pareidolia", "weights": "pretrained"}},
        {"crew": {"workers": 3, "memory_per_worker": "2GiB"}},
        {"priority": 90},
        {"limits": {"max_pixels": 1e12}},
        {"size": "1x", "dream": {"steps": 10, "octave_scale": 1.40}, "tiles": "auto"},
        {"outputs": [{"format": "png", "depth": 8}]},
    ],
)
def test_what_decides_no_pixel_is_the_same_job(changes: dict[str, Any]) -> None:
    assert identified(changes) == BASE


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "x2"},
        {"size": "x1 @ 300dpi"},
        {"network": "squeezenet1_0"},
        {"objectives": [{"layer": "a"}]},
        {"dream": {"seed": 1}},
        {"dream": {"octaves": 4}},
        {"tiles": 512},
        {"precision": "float64"},
        {"outputs": ["tiff"]},
        {"outputs": [{"format": "png", "depth": 16}]},
    ],
)
def test_what_decides_pixels_or_files_is_another_job(changes: dict[str, Any]) -> None:
    assert identified(changes).job_id != BASE.job_id


def test_the_content_of_files_counts() -> None:
    spec = spec_of({"name": "sky", "input": "sky.jpg"})
    ids = {
        BASE.job_id,
        identity(spec, picture="sha256:03", weights=WEIGHTS).job_id,
        identity(spec, picture=PICTURE, weights="sha256:03").job_id,
    }
    assert len(ids) == 3


def test_the_pixel_version_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIXEL_VERSION", 10**6)
    assert identified({}).job_id != BASE.job_id


def test_the_order_of_outputs_does_not_count() -> None:
    assert identified({"outputs": ["png", "tiff"]}) == identified({"outputs": ["tiff", "png"]})


def test_noise_and_colours_are_their_own_identity() -> None:
    ids = set()
    for source in ({"noise": {"seed": 1}}, {"noise": {"seed": 2}}, {"colour": "red"}):
        spec = spec_of({"name": "sky", "input": source, "size": "9x9"})
        ids.add(identity(spec, weights=WEIGHTS).job_id)
    assert len(ids) == 3


def test_a_picture_needs_its_digest() -> None:
    with pytest.raises(ValueError, match="needs its digest"):
        identity(spec_of({"input": "sky.jpg"}), weights=WEIGHTS)


def test_nothing_of_this_machine_is_in_it(tmp_path: Path) -> None:
    weights = str(tmp_path / "w.pth")
    document = identified(
        {"input": str(tmp_path / "a.jpg"), "network": {"name": "vgg16", "weights": weights}}
    ).document
    assert str(tmp_path) not in json.dumps(document)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_the_canonical_text_is_of_the_value_and_of_nothing_else(value: Any) -> None:
    text = canonical(value)

    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


def test_equal_numbers_have_one_text() -> None:
    assert canonical({"b": 2.0, "a": [1e3, -0.0, 0.1]}) == '{"a":[1000,0,0.1],"b":2}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


def test_a_file_s_digest(tmp_path: Path) -> None:
    path = tmp_path / "sky.jpg"
    path.write_bytes(b"abc")

    assert file_digest(path) == f"sha256:{hashlib.sha256(b'abc').hexdigest()}"
    with pytest.raises(RequestError) as error:
        file_digest(tmp_path / "gone.jpg")
    assert str(error.value) == f"{tmp_path / 'gone.jpg'}: No such file or directory"
