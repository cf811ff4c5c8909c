"""Which settings of an encoder an output may have, and what its files are called."""

from pathlib import Path
from typing import Any, get_args

import pytest

from jobs.spec.base import Format
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import Output
from jobs.text.errors import RequestError


def _outputs(*outputs: Any) -> tuple[Output, ...]:
    document = {"input": {"noise": {"seed": 1}}, "size": "64x64", "outputs": list(outputs)}
    return parse_poster_spec(document).outputs


def test_an_output_without_settings_has_no_fields_of_them() -> None:
    for name in ("png", "tiff", "jpeg", "deepzoom", "iiif", "webp"):
        (output,) = _outputs(name)
        assert output.model_dump(mode="json") == {"format": name, "depth": 8}


GOOD: list[dict[str, Any]] = [
    {"format": "tiff", "compression": "lzw"},
    {"format": "jpeg", "quality": 80, "chroma": "4:2:0"},
    {"format": "avif", "quality": 1, "chroma": "4:4:4"},
    {"format": "deepzoom", "quality": 100, "page": True},
    {"format": "iiif", "address": "https://example.org/a/sky"},
    {"format": "tiff", "depth": 16, "profile": "cmyk", "intent": "perceptual"},
    {"format": "jpeg", "profile": "cmyk", "black_point_compensation": False},
    {"format": "png", "depth": 16, "profile": "cmyk", "proof": True},
    {"format": "webp", "profile": "cmyk", "proof": True, "quality": 70},
    {"format": "pdf", "profile": "cmyk", "quality": 90},
]


@pytest.mark.parametrize("given", GOOD, ids=str)
def test_fields_are_kept(given: dict[str, Any]) -> None:
    (output,) = _outputs(given)
    assert output.model_dump(mode="json") == {"depth": 8} | given
    assert _outputs(output.model_dump(mode="json")) == (output,)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"format": "png", "compression": "lzw"}, "compression is for tiff, not png"),
    ({"format": "tiff", "compression": "zip"}, "compression: "),
    ({"format": "tiff", "quality": 80}, "quality is for jpeg, deepzoom, deepzoom-zip, iiif"),
    ({"format": "jpeg", "quality": 0}, "quality: must be at least 1"),
    ({"format": "jpeg", "quality": 101}, "quality: must be at most 100"),
    ({"format": "jpeg", "chroma": "4:2:2"}, "chroma: "),
    ({"format": "webp", "chroma": "4:2:0"}, "chroma is for jpeg, avif, not webp"),
    ({"format": "png", "profile": "cmyk"}, "profile is for jpeg, tiff, not png"),
    ({"format": "jpeg", "profile": "cmyk", "chroma": "4:4:4"}, "CMYK keeps all samples"),
    ({"format": "tiff", "intent": "relative"}, "need a profile"),
    ({"format": "tiff", "proof": True}, "need a profile"),
    ({"format": "iiif", "profile": "cmyk", "proof": True}, "a proof is "),
    ({"format": "tiff", "profile": "cmyk", "intent": "best"}, "intent: "),
    ({"format": "iiif", "address": "ftp://example.org"}, "must be an address"),
    ({"format": "iiif", "address": "https://example.org/"}, "without a / at its end"),
    ({"format": "png", "address": "https://example.org"}, "address is for iiif, iiif-zip, not png"),
    ({"format": "iiif", "page": True}, "page is for deepzoom, not iiif"),
    ({"format": "webp", "depth": 16}, "depth 16 is for png and tiff"),
]


@pytest.mark.parametrize(("given", "reason"), BAD, ids=str)
def test_fields_of_other_formats_are_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestError, match=r"^outputs\.0") as caught:
        _outputs(given)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_profile_is_a_path_beside_the_spec_or_the_builtin_name() -> None:
    shop, general = _outputs(
        {"format": "tiff", "profile": "shop.icc"}, {"format": "jpeg", "profile": "cmyk"}
    )
    assert shop.profile_path == Path.cwd() / "shop.icc"
    assert general.profile_path is None
    assert general.profile == Path("cmyk")


def test_a_format_may_be_there_in_srgb_in_cmyk_and_as_a_proof() -> None:
    inks = {"format": "tiff", "profile": "cmyk"}
    outputs = _outputs("tiff", inks, {**inks, "proof": True})
    names = [one.file_name("sky", one.format) for one in outputs]
    assert names == ["sky.tif", "sky-cmyk.tif", "sky-proof.tif"]
    for twice in (["tiff", {"format": "tiff", "compression": "none"}], [inks, inks]):
        with pytest.raises(RequestError, match="must not contain a format twice"):
            _outputs(*twice)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("iiif", "sky-iiif.html"),
        ("iiif-zip", "sky-iiif.zip"),
        ("deepzoom-zip", "sky-deepzoom.zip"),
        ("webp", "sky.webp"),
    ],
)
def test_files_have_names_of_their_own(name: str, file: str) -> None:
    (output,) = _outputs(name)
    assert output.file_name("sky", name) == file


SAMPLES: dict[str, Any] = {
    "depth": 16,
    "compression": "lzw",
    "quality": 80,
    "chroma": "4:4:4",
    "profile": "cmyk",
    "proof": True,
    "page": True,
    "address": "https://example.org/sky",
    "bleed": "3mm",
    "marks": True,
    "panels": {"width": "2cm"},
}


@pytest.mark.parametrize("name", get_args(Format))
def test_a_format_takes_the_fields_that_it_offers_and_no_others(name: str) -> None:
    offered = set(Output.choices()[name])
    press = {"intent", "black_point_compensation"}
    assert (offered & press == press) == bool(offered & {"profile", "proof"})
    for field, value in SAMPLES.items():
        needed = {"profile": "cmyk"} if field == "proof" else {}
        given = {"format": name, field: value} | needed
        if field in offered:
            assert _outputs(given)
        else:
            with pytest.raises(RequestError):
                _outputs(given)
