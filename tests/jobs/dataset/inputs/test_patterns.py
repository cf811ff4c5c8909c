"""What globs mean is what Python's own glob finds."""

from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.dataset.inputs.files import list_folder
from jobs.dataset.inputs.patterns import Pattern
from tests.support.listed_inputs import write_files

NAMES = st.sampled_from(["a", "b", "ab", ".a", "a.jpg", "b.png"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(["**", "*", "a", "?", "a*", "*.jpg", "[ab]", ".*", ".a", "[!a]*"])
GLOBS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@settings(max_examples=80)
@given(st.lists(PATHS, max_size=8), GLOBS)
def test_a_glob_means_what_python_finds(paths: list[str], pattern: str) -> None:
    with TemporaryDirectory() as folder:
        for path in paths:
            try:
                write_files(Path(folder), path)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                continue
        whole = f"{folder}/{pattern}"
        found = set(glob(whole, recursive=True))  # noqa: PTH207
        # Of a file `a` it also finds `a/`, for `a/**`.
        requested = {path for path in found if not path.endswith("/") and Path(path).is_file()}
        if Path(Pattern.parse(whole).base).is_dir():
            got = [file.address for file in list_folder(Pattern.parse(whole))]
            assert sorted(got) == sorted(requested)
        else:
            assert not requested


@given(PATHS, GLOBS)
def test_a_file_that_fits_is_in_folders_that_may_hold_it(path: str, glob: str) -> None:
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
def test_the_base_is_what_comes_before_the_first_wildcard(
    path: str, base: str, parts: tuple[str, ...]
) -> None:
    assert Pattern.parse(path) == Pattern(base, parts)


def test_folders_that_cannot_hold_anything_are_not_looked_into() -> None:
    pattern = Pattern("/base", ("a*", "*.jpg"))
    assert pattern.may_contain("ab")
    assert not pattern.may_contain("b")
    assert not pattern.may_contain("ab/c")
    assert not Pattern.all_files("/base").may_contain("a/.git")
