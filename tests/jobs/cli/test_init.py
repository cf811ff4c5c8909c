"""`dreamfarm init`, `schema` and `--version`: a spec to begin with, which editors check."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.spec.kinds import SPEC_KINDS
from jobs.spec.looks import look_names
from jobs.spec.schema import spec_schema
from render.version import PIXEL_VERSION
from tests.support.shell import Shell, check_error_line, json_output

CHECKER = Path(sys.executable).with_name("check-jsonschema")


def checked(*files: Path) -> subprocess.CompletedProcess[str]:
    """What an editor's checker says of specs, by the schema beside the first, without a network."""
    schema = files[0].with_name("dreamfarm.schema.json")
    return subprocess.run(
        [CHECKER, "--schemafile", schema, *files],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"},
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_kind_and_look_is_valid_for_an_editor(shell: Shell, folder: Path) -> None:
    files = []
    for kind in SPEC_KINDS:
        for look in (None, *look_names()):
            files.append(folder / f"{kind}-{look}.yaml")
            flags = () if look is None else ("--look", look)
            assert shell("init", kind, files[-1], *flags).code == 0
    found = checked(*files)
    assert found.returncode == 0, found.stdout
    assert len(files) > 30

    wrong = files[0]
    wrong.write_text(wrong.read_text().replace("#priority: 50", "priority: 500"))
    found = checked(wrong)
    assert found.returncode == 1
    assert "$.priority: 500 is greater than the maximum of 100" in found.stdout


def test_a_new_spec_says_what_to_do_next(shell: Shell, folder: Path) -> None:
    ended = shell("init")
    assert (ended.code, ended.out) == (0, "poster.yaml\n")
    assert ended.err == ("poster.yaml: name your picture in it; then plan, render or submit it\n")
    assert (folder / "poster.yaml").read_text().splitlines()[0] == (
        "# yaml-language-server: $schema=dreamfarm.schema.json"
    )
    assert json.loads((folder / "dreamfarm.schema.json").read_text()) == spec_schema()
    assert shell("init", "sky.yaml").out == "sky.yaml\n"
    assert sorted(one.name for one in folder.iterdir()) == [
        *("dreamfarm.schema.json", "poster.yaml", "sky.yaml")
    ]


def test_nothing_is_replaced(shell: Shell, folder: Path) -> None:
    (folder / "poster.yaml").write_text("mine")
    check_error_line(shell("init"), "poster.yaml: exists already; name another file")
    assert [one.name for one in folder.iterdir()] == ["poster.yaml"]
    (folder / "dreamfarm.schema.json").write_text("{}")
    ended = shell("init", "atlas")
    assert ended.code == 0
    assert "dreamfarm.schema.json: is of another version, and stays" in ended.err
    assert (folder / "dreamfarm.schema.json").read_text() == "{}"
    assert (folder / "poster.yaml").read_text() == "mine"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_in_place_of_the_schema_stays(
    shell: Shell, folder: Path, make: Callable[[Path], None]
) -> None:
    make(folder / "dreamfarm.schema.json")
    ended = shell("init")
    assert (ended.code, ended.out) == (0, "poster.yaml\n")
    assert "dreamfarm.schema.json: is of another version, and stays" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("postr",), "kind postr: no such kind; nearest: poster"),
        (("album.txt",), "album.txt: must end in .yaml"),
        (("poster", "x.json"), "x.json: must end in .yaml, because JSON has no comments"),
        (("poster", "--look", "gardn"), "look gardn: no such look; nearest: garden"),
        (("poster", "nowhere/x.yaml"), "nowhere/x.yaml: cannot be written (No such file"),
    ],
)
def test_a_wrong_word_writes_nothing(
    shell: Shell, folder: Path, words: tuple[str, ...], said: str
) -> None:
    check_error_line(shell("init", *words), said)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", [None, "dataset"])
def test_the_schema_is_printed(shell: Shell, kind: str | None) -> None:
    printed: Any = json_output(shell("schema", *([] if kind is None else [kind])))
    assert printed == spec_schema(kind)


def test_an_unknown_kind_has_no_schema(shell: Shell) -> None:
    check_error_line(shell("schema", "film"), "kind film: no such kind; known: atlas, dataset")


def test_the_version_is_printed(shell: Shell) -> None:
    ended = shell("--version")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("dreamfarm 0.")
    assert ended.out.endswith(f"(pixels: {PIXEL_VERSION})\n")
