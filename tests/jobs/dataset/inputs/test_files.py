"""Listing the pictures of a folder, with constant memory."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jobs.text.errors import RequestError
from tests.support.listed_inputs import (
    list_inputs,
    list_keys,
    peak_memory,
    unprivileged,
    write_files,
)


def test_pictures_are_found_by_suffix_at_any_depth(tmp_path: Path) -> None:
    pictures = ["a.jpg", "b.JPEG", "c/d.png", "c/e/f.webp", "c/g h.TIF", "i ä.tiff", "j.gif"]
    write_files(tmp_path, *pictures, "k.heic", "l.txt", "m", "n.jpg.json", "o.mp4")
    assert list_keys(tmp_path) == sorted([*pictures, "k.heic"])
    assert [one.place.address for one in list_inputs(f"{tmp_path}/c/")] == [
        f"{tmp_path}/c/{name}" for name in ("d.png", "e/f.webp", "g h.TIF")
    ]
    assert not any(one.error or one.settings or one.extras for one in list_inputs(tmp_path))


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    write_files(tmp_path / ".top", "._a.jpg", ".hidden/b.jpg", "c/.d/e.jpg", "c/f.jpg")
    # The name of the inputs folder itself may begin with a dot.
    assert list_keys(tmp_path / ".top") == ["c/f.jpg"]


def test_links_to_files_are_listed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    write_files(tmp_path, "else/where.png", "in/folder.jpg/a.png")
    for name, target in (
        ("link.png", tmp_path / "else" / "where.png"),
        ("broken.png", tmp_path / "nowhere"),
        ("loop", tmp_path / "in"),
        ("folder.png", tmp_path / "else"),
        ("self.png", tmp_path / "in" / "self.png"),
    ):
        (tmp_path / "in" / name).symlink_to(target)
    assert list_keys(tmp_path / "in") == ["broken.png", "folder.jpg/a.png", "link.png", "self.png"]


def test_a_name_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    write_files(folder, "b.jpg")
    write_files(tmp_path, "a.jpg")
    good, bad = list_inputs(tmp_path)
    assert (good.key, good.error) == ("a.jpg", None)
    assert bad.key == r"caf\udce9/b.jpg"
    assert bad.error == "its name is not UTF-8; rename it"
    assert bad.model_dump_json()


def test_an_unreadable_folder_is_an_error() -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        write_files(root, "a.jpg", "shut/b.jpg")
        root.chmod(0o755)
        (root / "shut").chmod(0)
        try:
            with unprivileged():
                good, bad = list_inputs(root)
                with pytest.raises(RequestError, match=r"shut: .*\(Permission denied\)"):
                    list_inputs(root / "shut")
        finally:
            (root / "shut").chmod(0o755)
    assert (good.key, bad.key) == ("a.jpg", "shut")
    assert bad.error is not None
    assert "Permission denied" in bad.error


def test_folders_nested_too_deeply_are_an_error(tmp_path: Path) -> None:
    write_files(tmp_path, "a.jpg")
    (tmp_path / "/".join("d" * 310)).mkdir(parents=True)
    good, bad = list_inputs(tmp_path)
    assert good.key == "a.jpg"
    assert bad.error == "the folder is nested too deeply; move it up"


def test_a_glob_lists_matching_files_with_any_suffix(tmp_path: Path) -> None:
    write_files(tmp_path, "p/a.jpg", "p/b.jpg", "p/c/d.jpg", "p/c/e.raw", "q/f.jpg")
    assert list_keys(f"{tmp_path}/p/*.jpg") == ["a.jpg", "b.jpg"]
    assert list_keys(f"{tmp_path}/**/*.jpg") == ["p/a.jpg", "p/b.jpg", "p/c/d.jpg", "q/f.jpg"]
    assert list_keys(f"{tmp_path}/p/c/*") == ["d.jpg", "e.raw"]


def test_an_existing_path_is_not_a_glob(tmp_path: Path) -> None:
    write_files(tmp_path, "photos [2019]/a.jpg", "photos 2/b.jpg", "what?.jpg")
    assert list_keys(tmp_path / "photos [2019]") == ["a.jpg"]
    assert list_keys(tmp_path / "what?.jpg") == ["what?.jpg"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere", "nowhere: no such file or folder"),
        ("nowhere/*.jpg", "nowhere: cannot be listed (No such file or directory)"),
        ("a.txt/b.jpg", "a.txt/b.jpg: no such file or folder"),
        ("", "no pictures there; their names must end in .jpg"),
        ("*.png", "*.png: no pictures there"),
        ("nowhere.csv", "nowhere.csv: cannot be read (No such file or directory)"),
        ("nowhere.tar", "nowhere.tar: cannot be read (No such file or directory)"),
        ("a.tar.gz", "a.tar.gz: is compressed"),
        ("*.jsonl", "*.jsonl: an input table must be one file"),
        ("{a.tar", "invalid braces"),
        ("x" * 300, ": no such file or folder"),
        ("nul\0", ": no such file or folder"),
    ],
)
def test_a_missing_path_is_a_one_line_error(tmp_path: Path, path: str, words: str) -> None:
    write_files(tmp_path, "a.txt", "b/c.txt")
    with pytest.raises(RequestError) as caught:
        list_inputs(f"{tmp_path}/{path}")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_memory_does_not_grow_with_the_folder(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    for folder, count in ((few, 200), (many, 2000)):
        folder.mkdir()
        for number in range(count):
            os.close(os.open(folder / f"a picture with a name {number}.jpg", os.O_CREAT))
    assert peak_memory(many, 2000) < peak_memory(few, 200) + (48 << 10)
