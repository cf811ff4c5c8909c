"""What counts as a picture by its name, and what is said about all other files."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from jobs.dataset.inputs.files import is_picture, is_readable
from jobs.dataset.inputs.item import InputPlace, LeftOut, ListedImage, SampleFile
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.tar_shards import dream_suffix
from jobs.spec.inputs import Inputs
from jobs.text.errors import RequestError
from tests.support.bad_pictures import picture_bytes
from tests.support.listed_inputs import list_inputs, list_keys, write_files
from tests.support.shell import Shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell that runs commands in this process."""
    return Shell(monkeypatch, capsys)


@pytest.mark.parametrize(
    "name",
    [
        *("a.jpg", "a.JPG", "a.jpe", "a.jif", "a.JFIF", "a.jpeg", "a.mpo", "a.apng", "a.TiF"),
        *("a.heic", "a.hif", "a.HEIF", "a.avif"),
        *("a.jpg_large", "a.jpeg_orig", "a.png~", "a.jpg:large", "a.webp!web", "x/a.b.PNG"),
    ],
)
def test_readable_endings(name: str) -> None:
    assert is_picture(name)
    assert is_readable(name)


@pytest.mark.parametrize(
    "name",
    [
        *("a.ARW", "a.cr3", "a.NEF", "a.dng", "a.RAF", "a.rw2", "a.orf", "a.3fr", "a.x3f"),
        *("a.gif", "a.jxl", "a.jp2", "a.psd", "a.bmp", "a.svg", "a.exr"),
    ],
)
def test_other_pictures_get_a_row(name: str) -> None:
    assert is_picture(name)
    assert not is_readable(name)


@pytest.mark.parametrize("name", ["a", "a.txt", "jpg", "a.jpg.part", "a.json", "a.tar", "a.mov"])
def test_other_files(name: str) -> None:
    assert not is_picture(name)


def note(path: Path) -> str | None:
    left_out = LeftOut()
    for _ in list_images(Inputs(path=str(path)), left_out):
        pass
    return left_out.note()


def test_files_that_are_left_out_are_counted(tmp_path: Path) -> None:
    write_files(tmp_path, "a.jpg", "b/c.ARW", "b/notes.TXT", "b/more.txt", "README", "d.jpg.part")
    write_files(tmp_path, ".DS_Store", "b/._c.ARW", "__MACOSX/b/c.jpg")
    assert list_keys(tmp_path) == ["a.jpg", "b/c.ARW"]
    assert note(tmp_path) == (
        "left out 4 files not named like a picture: 2 .txt, 1 without an ending, 1 .part"
    )
    (tmp_path / "linked").symlink_to(tmp_path / "b")
    said = note(tmp_path)
    assert said is not None
    assert said.endswith("1 .part, links to folders: 1")


def test_nothing_is_said_where_nothing_is_left_out(tmp_path: Path) -> None:
    write_files(tmp_path, "a.jpg", ".hidden", "._a.jpg")
    assert note(tmp_path) is None


def test_a_folder_without_pictures_says_what_is_there(tmp_path: Path) -> None:
    write_files(tmp_path, "a.mov", "b.mov")
    with pytest.raises(RequestError, match=r"left out 2 files not named like a picture: 2 \.mov"):
        list_inputs(tmp_path)


def test_many_endings_take_little_memory_and_space() -> None:
    left_out = LeftOut()
    for number in range(5000):
        left_out.add(f"a.{number}")
    said = left_out.note()
    assert said is not None
    assert said.startswith("left out 5000 files")
    assert len(said) < 200


def test_metadata_of_macos_is_no_sample(tmp_path: Path) -> None:
    names = ["._a", "a/._0.jpg", "a/0.jpg", "a/._0.cls", "a/0.cls", "a/.DS_Store", "a/0.json"]
    names += ["__MACOSX/a/._0.jpg", "a/__MACOSX/1.jpg", "b/c/._1.png", "b/c/1.png", "b/README"]
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    first, second = list_inputs(path)
    assert (first.key, first.suffix, first.error) == ("t/a/0", "jpg", None)
    assert [extra.suffix for extra in first.extras] == ["cls", "json"]
    assert (second.key, second.error) == ("t/b/c/1", None)
    assert note(path) == "left out 1 file not named like a picture: 1 without an ending"


@pytest.mark.parametrize(
    ("suffix", "beside", "format_name", "expected"),
    [
        (None, (), "png", "png"),
        ("jpg", (), "png", "png"),
        ("jpg", ("cls", "json"), "jpeg", "jpg"),
        ("jpeg", (), "jpeg", "jpeg"),
        ("tiff", (), "tiff", "tiff"),
        ("input.jpg", ("outputs.txt",), "png", "input.png"),
        ("input.jpg", ("png",), "png", "input.png"),
        ("a.b.webp", (), "tiff", "a.b.tif"),
        ("jpg", ("png",), "png", "dream.png"),
        ("jpg", ("dream.png", "png"), "png", "dream2.png"),
        ("input.jpg", ("input.png",), "png", "input.dream.png"),
        ("png", ("jpg",), "jpeg", "dream.jpg"),
        ("jpeg", ("jpg",), "jpeg", "jpeg"),
    ],
)
def test_fields_of_samples_keep_their_names(
    suffix: str | None, beside: tuple[str, ...], format_name: str, expected: str
) -> None:
    place = InputPlace(address="/t.tar")
    extras = tuple(SampleFile(suffix=one, place=place) for one in beside)
    picture = ListedImage(key="t/0", place=place, input_tar="t", suffix=suffix, extras=extras)
    assert dream_suffix(picture, format_name) == expected


def test_submit_plan_and_render_say_what_they_leave_out(
    shell: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("DREAMFARM_STORE", str(tmp_path / "store"))
    photos = tmp_path / "photos"
    write_files(photos, "notes.txt", "film.mov", "raw.CR3")
    (photos / "sky.jpe").write_bytes(picture_bytes(np.random.default_rng(0), "jpeg"))
    steps = ("--set", "dream.steps=1", "--set", "dream.octaves=1")

    ended = shell("submit", photos, *steps)
    assert (ended.code, ended.out.count("\n")) == (0, 1)
    assert "left out 2 files not named like a picture: " in ended.err
    assert "left out 2 files" in shell("plan", photos, *steps).out

    ended = shell("render", photos, *steps, "--in-process", "--out", tmp_path / "out")
    assert ended.code == 0
    assert "left out 2 files not named like a picture: 1 .mov, 1 .txt" in caplog.text
    assert "1 of 2 done, 1 failed (1 input)" in ended.err
    assert (tmp_path / "out/sky.png").exists()
