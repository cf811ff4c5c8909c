"""Patterns match the same files as Python's `glob`."""

from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.dataset.inputs.files import Pattern, list_folder
from tests.support.listed_inputs import write_files

NAMES = st.sampled_from(["a", "b", "ab", ".a", "a.jpg", "b.png"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(["**", "*", "a", "?", "a*", "*.jpg", "[ab]", ".*", ".a", "[!a]*"])
GLOBS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@settings(max_examples=80)
@given(st.lists(PATHS, max_size=8), GLOBS)
def test_a_glob_matches_what_python_finds(paths: list[str], pattern: str) -> None:
    with TemporaryDirectory() as folder:
        for path in paths:
            try:
                write_files(Path(folder), path)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                continue
        whole = f"{folder}/{pattern}"
        found = set(glob(whole, recursive=True))  # noqa: PTH207
        # For `a/**` and a file `a`, Python also finds `a/`.
        expected = {path for path in found if not path.endswith("/") and Path(path).is_file()}
        if Path(Pattern.parse(whole).base).is_dir():
            listed = [file.address for file in list_folder(Pattern.parse(whole))]
            assert sorted(listed) == sorted(expected)
        else:
            assert not expected


@given(PATHS, GLOBS)
def test_folders_of_a_matching_file_may_contain_it(path: str, glob: str) -> None:
    pattern = Pattern("/base", tuple(glob.split("/")))
    if pattern.matches(path):
        assert path.startswith(pattern.literal_prefix)
        parts = path.split("/")
        for end in range(1, len(parts)):
            assert pattern.may_contain("/".join(parts[:end]))


@pytest.mark.parametrize(
    ("path", "base", "parts"),
    [
        ("/data/photos/**/*.jpg", "/data/photos", ("**", "*.jpg")),
        ("/data/2019-*/a.jpg", "/data", ("2019-*", "a.jpg")),
        ("s3://bucket/p/20*.png", "s3://bucket/p", ("20*.png",)),
        ("s3://bucket/*", "s3://bucket", ("*",)),
        ("/*.jpg", "", ("*.jpg",)),
    ],
)
def test_the_base_ends_before_the_first_wildcard(
    path: str, base: str, parts: tuple[str, ...]
) -> None:
    assert Pattern.parse(path) == Pattern(base, parts)


def test_folders_without_possible_matches_are_skipped() -> None:
    pattern = Pattern("/base", ("a*", "*.jpg"))
    assert pattern.may_contain("ab")
    assert not pattern.may_contain("b")
    assert not pattern.may_contain("ab/c")
    assert not Pattern.all_files("/base").may_contain("a/.git")
