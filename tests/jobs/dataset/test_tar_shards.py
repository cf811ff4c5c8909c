"""Tar shards, read back by the webdataset package."""

import tarfile
import warnings
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.dataset.tar_shards import TarMember, tar_key, write_tar
from jobs.text.errors import InvalidRecord

with warnings.catch_warnings():
    # webdataset warns about its own imports.
    warnings.simplefilter("ignore")
    from webdataset.tariterators import group_by_keys, tar_file_expander


def samples(path: Path) -> list[dict[str, Any]]:
    """The samples that webdataset reads from a tar."""
    with path.open("rb") as file:
        return list(group_by_keys(tar_file_expander([{"url": str(path), "stream": file}])))


def write(path: Path, members: Iterable[TarMember]) -> Path:
    write_tar(members, path)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "cat",
        "a/b/cat",
        "a.b/c.d/cat",
        "train/n0123/" + "long" * 60 + "/" + "x" * 120,
        "Überfahrt/日本 の/猫 🐈",
        "__x__",
        "a/__meta__/b",
    ],
)
def test_most_names_are_unchanged(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.tar", [TarMember(f"{tar_key(name)}.png", b"1")])

    assert tar_key(name) == name
    assert [(one["__key__"], one["png"]) for one in samples(path)] == [(name, b"1")]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a/cat.v2", "a/cat=2Ev2"),
        (".hidden", "=2Ehidden"),
        ("a=b/c=d", "a=3Db/c=3Dd"),
        ("../a", "=2E=2E/a"),
        ("a/..", "a/=2E=2E"),
        ("/a//b", "=/a/=/b"),
        ("", "="),
        ("a\nb", "a=0Ab"),
        ("__meta__/a", "=5F_meta__/a"),
    ],
)
def test_names_that_webdataset_would_split_or_skip_are_escaped(name: str, key: str) -> None:
    assert tar_key(name) == key


characters = st.characters(codec="utf-8") | st.sampled_from("./=_\n")
names = st.text(characters, max_size=12)


@settings(max_examples=40)
@given(st.lists(names, unique=True, max_size=6))
def test_samples_of_any_names_are_read_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, some: list[str]
) -> None:
    keys = [tar_key(name) for name in some]
    members = [
        TarMember(f"{key}.{suffix}", f"{place} {suffix}".encode())
        for place, key in enumerate(keys)
        for suffix in ("png", "seg.png", "json")
    ]
    path = write(tmp_path_factory.mktemp("shard") / "a.tar", members)

    found = samples(path)

    assert [one["__key__"] for one in found] == keys
    for place, one in enumerate(found):
        contents = {suffix: value for suffix, value in one.items() if not suffix.startswith("__")}
        assert contents == {
            suffix: f"{place} {suffix}".encode() for suffix in ("png", "seg.png", "json")
        }


@given(names, names)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert (tar_key(one) == tar_key(other)) == (one == other)


def test_equal_members_from_memory_and_files_give_equal_bytes(tmp_path: Path) -> None:
    source = tmp_path / "picture.png"
    source.write_bytes(b"x" * 1000)
    source.chmod(0o600)
    from_file = write(tmp_path / "a.tar", [TarMember("é/b.png", source)])
    from_memory = write(tmp_path / "b.tar", [TarMember("é/b.png", b"x" * 1000)])

    assert from_file.read_bytes() == from_memory.read_bytes()


def test_members_have_no_owner_and_no_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar", [TarMember("a.png", b"1"), TarMember("a.cls", b"2")])

    with tarfile.open(path) as tar:
        about = tar.getmembers()
    assert [one.name for one in about] == ["a.png", "a.cls"]
    for one in about:
        assert (one.mtime, one.uid, one.gid, one.uname, one.gname) == (0, 0, 0, "", "")
        assert one.mode == 0o644


def test_members_are_written_one_by_one(tmp_path: Path) -> None:
    def members() -> Iterable[TarMember]:
        for number in range(3):
            source = tmp_path / "only.bin"
            source.write_bytes(bytes([number]))
            yield TarMember(f"{number}.bin", source)

    path = write(tmp_path / "a.tar", members())

    found = [(key, [one["bin"] for one in run]) for key, run in groupby(samples(path), _key)]
    assert found == [("0", [b"\0"]), ("1", [b"\1"]), ("2", [b"\2"])]


def _key(sample: dict[str, Any]) -> str:
    return str(sample["__key__"])


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        write_tar([TarMember("a.png", tmp_path / "gone.png")], tmp_path / "a.tar")


def test_a_tar_never_has_two_members_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord, match=r"a\.tar: would have two members 'a\.png'"):
        write_tar([TarMember("a.png", b"1"), TarMember("a.png", b"2")], tmp_path / "a.tar")
