"""Names of outputs: valid templates, and no name outside the results' folder."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.spec.output_names import check_template, default_template, output_name

SWEEP = ("dream.step_size", "objectives.0.layer")
TEMPLATES = (
    "{dir}/{stem}",
    "{key}",
    "/{key}/",
    "../{stem}.{ext}",
    "{variant}/{key}-{dream.step_size}",
    "./{stem}/{ext}",
)
SPECIAL = st.text(st.sampled_from("./\\ ab~:*\0\n{}#%ü"), max_size=12)


@given(
    st.text(max_size=20) | SPECIAL,
    st.sampled_from(TEMPLATES),
    st.dictionaries(st.just("dream.step_size"), st.text(max_size=9) | SPECIAL | st.floats()),
)
def test_names_never_leave_the_results_folder(
    key: str, template: str, settings: dict[str, Any]
) -> None:
    name = output_name(template, key, 0, settings)

    assert all(part not in ("", ".", "..") for part in name.split("/"))
    assert "\0" not in name
    assert not any(part.endswith((".png", ".jpg", ".tif")) for part in name.split("/")[:-1])


@given(st.text("aä/", min_size=200, max_size=600))
def test_parts_fit_file_systems(key: str) -> None:
    name = output_name("{key}", key, 0, {})
    reserved = 60  # a suffix, and twice the additions to the name of a partial file

    assert all(len(part.encode()) + reserved <= 255 for part in name.split("/"))


def test_long_names_with_equal_prefix_differ() -> None:
    names = {output_name("{key}", "ä" * 200 + end, 0, {}) for end in ("", "1", "2")}

    assert len(names) == 3
    assert {name[:80] for name in names} == {"ä" * 80}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a/b/sky.jpg", "a/b/sky"),
        ("sky.jpg", "sky"),
        ("sky", "sky"),
        ("sky.tar.jpg", "sky.tar"),
        ("/data/d.jpg", "data/d"),
        ("../../x.png", "__/__/x"),
        ("s3://b/k.jpg", "s3:/b/k"),
        ("..", "__"),
        ("/", "_"),
        (".", "_"),
        ("", "_"),
        ("a\0b.jpg", "a_b"),
        ("train-0001/0007", "train-0001/0007"),
        ("a.png/b.jpg", "a.png_/b"),
        ("a.png/b.gif/c.tif/d", "a.png_/b.gif/c.tif_/d"),
    ],
)
def test_default_name_is_that_of_the_input(key: str, name: str) -> None:
    assert output_name(default_template(()), key, 0, {}) == name


def test_template_fields() -> None:
    template = "{variant}/{dir}/{stem}_{ext}-{dream.step_size}"

    assert output_name(template, "a/b/c.jpg", 7, {"dream.step_size": 0.02}) == "7/a/b/c_jpg-0.02"
    assert output_name("all/{key}", "a/b/c.jpg", 0, {}) == "all/a/b/c.jpg"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.02, "0.02"),
        (True, "true"),
        (None, "null"),
        ("features.4", "features.4"),
        ("/weights/a.pth", "weights-a.pth"),
        ("a:b*c?", "a-b-c"),
        ({"layer": "features.4"}, "layer-features.4"),
        ([1, 2], "1,2"),
        ("", "none"),
        ("/", "none"),
        ("x" * 99, "x" * 60),
    ],
)
def test_swept_values_become_safe_text(value: object, text: str) -> None:
    assert output_name("{stem}-{dream.seed}", "s.jpg", 0, {"dream.seed": value}) == f"s-{text}"


def test_default_template_distinguishes_variants() -> None:
    template = default_template(SWEEP)

    assert template == "{dir}/{stem}-{dream.step_size}-{objectives.0.layer}"
    assert default_template((), with_suffix=True) == "{dir}/{stem}-{ext}"
    check_template(template, SWEEP)


@pytest.mark.parametrize(
    "template",
    ["{stem}-{variant}", "{key}/{dream.step_size}/{objectives.0.layer}", "{dir}/{stem}/{variant}"],
)
def test_valid_templates(template: str) -> None:
    check_template(template, SWEEP)


def test_labels_and_single_inputs_need_no_other_field() -> None:
    check_template("{stem}-{label}", SWEEP, has_labels=True)
    check_template("{label}", SWEEP, has_labels=True, has_single_input=True)
    check_template("all/{variant}", (), has_single_input=True)
    with pytest.raises(ValueError, match=r"needs \{stem\} or \{key\}"):
        check_template("{label}", SWEEP, has_labels=True)
    with pytest.raises(ValueError, match=r"\{label\}: "):
        check_template("{stem}-{label}", SWEEP)


def test_labels_are_not_shortened() -> None:
    label = f"{'x' * 99}/1"
    assert output_name("{label}", "noise", 0, {"label": label}) == f"{'x' * 99}-1"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{stme}", "output.name: {stme}: nearest: stem"),
        ("{stem}-{dream.steps}", "output.name: {dream.steps}: "),
        ("{stem", "is not a valid template; write {dir}/{stem}"),
        ("stem}", "is not a valid template"),
        ("{{stem}}", "is not a valid template"),
        ("", "is not a valid template"),
        ("//", "is not a valid template"),
        ("out", "needs {stem} or {key}, to give each input its own name"),
        ("{dir}/{variant}", "needs {stem} or {key}"),
        ("{stem}", "needs the swept {dream.step_size}, or {variant}"),
        ("{stem}-{dream.step_size}", "needs the swept {objectives.0.layer}, or {variant}"),
    ],
)
def test_invalid_templates(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^output\.name: ") as error:
        check_template(template, SWEEP)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
