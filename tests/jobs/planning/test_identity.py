"""Identities: they depend on everything that affects pixels or files, and on nothing else."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.planning import identity as module
from jobs.planning.identity import Identity, canonical_json, file_digest, poster_identity
from jobs.spec.document import parse_poster_spec
from jobs.text.errors import RequestError

PICTURE, WEIGHTS = "sha256:01", "sha256:02"


def identified(changes: dict[str, Any]) -> Identity:
    document = {"name": "sky", "input": "sky.jpg"} | changes
    return poster_identity(parse_poster_spec(document), picture=PICTURE, weights=WEIGHTS)


BASE = identified({})


def test_a_job_id_is_the_name_and_twelve_hex_digits() -> None:
    name, digits = BASE.job_id.split("-")

    assert name == "sky"
    assert len(digits) == 12
    assert hashlib.sha256(canonical_json(BASE.document).encode()).hexdigest().startswith(digits)


@pytest.mark.parametrize(
    "changes",
    [
        {"input": "elsewhere/copy.jpg"},
        {"input": {"path": "sky.jpg", "page": None}},
        {"network": {"name": "pareidolia", "weights": "elsewhere.safetensors"}},
        {"network": {"name": "pareidolia", "weights": "pretrained"}},
        {"crew": {"workers": 3, "memory_per_worker": "2GiB"}},
        {"priority": 90},
        {"limits": {"max_pixels": 1e12}},
        {"size": "1x", "dream": {"steps": 10, "octave_scale": 1.40}, "tiles": "auto"},
        {"outputs": [{"format": "png", "depth": 8}]},
    ],
)
def test_fields_without_effect_on_pixels_keep_the_job(changes: dict[str, Any]) -> None:
    assert identified(changes) == BASE


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "x2"},
        {"input": {"path": "sky.jpg", "page": 1}},
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
def test_fields_with_effect_on_pixels_or_files_change_the_job(changes: dict[str, Any]) -> None:
    assert identified(changes).job_id != BASE.job_id


def test_file_contents_change_the_job() -> None:
    spec = parse_poster_spec({"name": "sky", "input": "sky.jpg"})
    ids = {
        BASE.job_id,
        poster_identity(spec, picture="sha256:03", weights=WEIGHTS).job_id,
        poster_identity(spec, picture=PICTURE, weights="sha256:03").job_id,
    }
    assert len(ids) == 3


def test_the_pixel_version_changes_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIXEL_VERSION", 10**6)
    assert identified({}).job_id != BASE.job_id


def test_the_order_of_outputs_does_not_count() -> None:
    assert identified({"outputs": ["png", "tiff"]}) == identified({"outputs": ["tiff", "png"]})


def test_noise_and_colours_change_the_job() -> None:
    ids = set()
    for source in ({"noise": {"seed": 1}}, {"noise": {"seed": 2}}, {"colour": "red"}):
        spec = parse_poster_spec({"name": "sky", "input": source, "size": "9x9"})
        ids.add(poster_identity(spec, weights=WEIGHTS).job_id)
    assert len(ids) == 3


def test_a_picture_needs_its_digest() -> None:
    with pytest.raises(ValueError, match="needs a digest"):
        poster_identity(parse_poster_spec({"input": "sky.jpg"}), weights=WEIGHTS)


def test_the_document_has_no_local_path(tmp_path: Path) -> None:
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
def test_canonical_json_depends_only_on_the_value(value: Any) -> None:
    text = canonical_json(value)

    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_equal_numbers_have_one_text() -> None:
    assert canonical_json({"b": 2.0, "a": [1e3, -0.0, 0.1]}) == '{"a":[1000,0,0.1],"b":2}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_file_digest_is_the_sha256(tmp_path: Path) -> None:
    path = tmp_path / "sky.jpg"
    path.write_bytes(b"abc")

    assert file_digest(path) == f"sha256:{hashlib.sha256(b'abc').hexdigest()}"
    with pytest.raises(RequestError) as error:
        file_digest(tmp_path / "gone.jpg")
    assert str(error.value) == (
        f"{tmp_path / 'gone.jpg'}: cannot be read (No such file or directory); "
        "check the path and its permissions"
    )
