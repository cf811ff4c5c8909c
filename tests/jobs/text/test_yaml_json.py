"""YAML and JSON of spec files: values, and errors with line numbers."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobs.text.errors import RequestError
from jobs.text.yaml_json import (
    compose_yaml,
    format_yaml,
    parse_json,
    parse_yaml,
    read_mapping_file,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc_-.", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_json_parses_equally_in_both_parsers(value: Any) -> None:
    text = json.dumps(value)

    assert parse_json(text) == value
    assert parse_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("1e-2", 0.01),
        ("2e9", 2e9),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-3", -3),
        ("007", "007"),
        ("0x10", "0x10"),
        ("true", True),
        ("~", None),
        ("", None),
        ("x4", "x4"),
        ("1.5GiB", "1.5GiB"),
        ("{1: a, true: b}", {"1": "a", "true": "b"}),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
    ],
)
def test_yaml_core_schema(text: str, value: Any) -> None:
    read = parse_yaml(text)

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.yaml", "input: a.jpg\nsize: x2\ninput: b.jpg", "line 3, column 1: duplicate key input"),
        ("a.yaml", "dream: {steps: 1, steps: 2}", "line 1, column 19: duplicate key steps"),
        (
            "a.yaml",
            "input: a.jpg\ndream: [1\nsize: x2",
            "line 3, column 5: expected ',' or ']', but got ':'",
        ),
        ("a.yaml", "a: &x 1\nb: *x", "line 2, column 4: aliases are not allowed"),
        (
            "a.yaml",
            "a: !!python/name:os.system",
            "line 1, column 4: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/name:os.system'",
        ),
        ("a.yaml", "- input: a.jpg", "not a mapping of keys such as `input: sky.jpg`"),
        ("a.yaml", "", "not a mapping of keys such as `input: sky.jpg`"),
        ("a.yaml", "? [a]\n: 1", "line 1, column 3: found unhashable key"),
        ("a.json", '{"input": "a.jpg",\n "size": }', "line 2, column 10: Expecting value"),
        ("a.json", '{"input": "a", "input": "b"}', "duplicate key input"),
        ("a.json", '{"priority": NaN}', "NaN is not a number"),
        ("a.json", "[]", "not a mapping of keys such as `input: sky.jpg`"),
    ],
)
def test_invalid_files_give_one_line_errors(
    tmp_path: Path, name: str, text: str, line: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(RequestError) as error:
        read_mapping_file(path)
    separator = ", " if line.startswith("line ") else ": "
    assert str(error.value) == f"{path}{separator}{line}"


def test_unreadable_files(tmp_path: Path) -> None:
    picture = tmp_path / "sky.yaml"
    picture.write_bytes(b"\xff\xd8\xff\xe0 not text")
    pipe, huge = tmp_path / "pipe.yaml", tmp_path / "huge.yaml"
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate((32 << 20) + 1)
    advice = "; check the path and its permissions"
    for path, line in (
        (picture, "not text; a spec is YAML or JSON in UTF-8"),
        (tmp_path / "gone.yaml", f"cannot be read (No such file or directory){advice}"),
        (tmp_path, f"cannot be read (Is a directory){advice}"),
        (pipe, "is a pipe, not a file; save it to a file first, and give the path of that file"),
        (huge, "has 33554433 bytes, and a spec at most 33554432; is it another file?"),
    ):
        with pytest.raises(RequestError) as error:
            read_mapping_file(path)
        assert str(error.value) == f"{path}: {line}"


@given(st.text())
def test_any_text_parses_or_gives_a_one_line_error(text: str) -> None:
    for read in (parse_yaml, parse_json):
        try:
            read(text)
        except RequestError as error:
            assert len(str(error).splitlines()) == 1


def test_a_character_that_is_none_is_one_line() -> None:
    for text in (r'"\UFFFFFFFF"', r'"\U00110000"'):
        with pytest.raises(RequestError, match=r"^not YAML: "):
            parse_yaml(text)
        assert compose_yaml(text) is None


def test_a_duplicate_key_is_found_among_many() -> None:
    keys = ",".join(f'"{number}":1' for number in [*range(300_000), 299_999])
    with pytest.raises(RequestError, match=r"^duplicate key 299999$"):
        parse_json(f"{{{keys}}}")


def test_parser_does_not_change_pyyaml() -> None:
    parse_yaml("a: 1")
    assert yaml.safe_load("[no, 2026-11-22]")[0] is False


def test_a_document_that_would_take_seconds_is_refused_as_yaml_and_read_as_json() -> None:
    text = "[" + "1," * 200_000 + "1]"
    with pytest.raises(RequestError, match=r"^has 400003 characters, .*write it as a \.json file$"):
        parse_yaml(text)
    assert len(parse_json(text)) == 200_001


_HOSTILE = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "no",
        "1e-2",
        "12:30",
        "0x1f",
        "~",
        "true",
        "#204060",
        "- a",
        "a: b",
        "1_0",
        "`x`",
        "\x85",
        "\u2028",
    ]
)


@given(values, _HOSTILE)
def test_plain_values_are_written_as_yaml_that_reads_back(value: Any, text: str) -> None:
    document = {"value": value, "texts": [text, {text: text}]}
    written = format_yaml(document)
    assert parse_yaml(written) == document
    assert all(line.isprintable() for line in written.split("\n"))
