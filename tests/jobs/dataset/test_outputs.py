"""The published paths of results, and the names in tars."""

from pathlib import PurePosixPath

import pytest

from jobs.dataset.inputs.item import InputPlace, SampleFile
from jobs.dataset.outputs import names_of_extras
from jobs.dataset.published import published_path
from jobs.dataset.tasks import TarSample
from jobs.text.errors import InvalidRecord
from tests.support.ledger_rows import ledger_row


@pytest.mark.parametrize(
    ("name", "output", "member", "path"),
    [
        ("a/b/sky", "a/b/sky.png", None, "a/b/sky.png"),
        # The store key escapes or shortens the name.
        ("a b/ö", "a=20b/=C3=B6.jpg", None, "a b/ö.jpg"),
        ("x" * 200, f"{'x' * 90}=-0123.png", None, "x" * 200 + ".png"),
        ("sky.v2", "sky.v2.tif", None, "sky.v2.tif"),
        ("a/sky", "shard-000003@1.tar", "sky.png", "shard-000003@1.tar"),
        # The lease of the holder that has packed it.
        ("a/sky", "shard-000003@1.lease12.tar", "sky.png", "shard-000003@1.tar"),
        ("a/sky", "shard-000003.lease2.tar", "sky.png", "shard-000003.tar"),
        ("shard-000003.lease2", "shard-000003.lease2.png", None, "shard-000003.lease2.png"),
    ],
)
def test_the_published_path_of_a_result_and_of_a_tar(
    name: str, output: str, member: str | None, path: str
) -> None:
    found = published_path(ledger_row(0, name=name, output=output, member=member))
    assert found == PurePosixPath(path)


@pytest.mark.parametrize(
    ("name", "output", "member"),
    [
        ("../sky", "sky.png", None),
        ("a/../../sky", "sky.png", None),
        ("/etc/sky", "sky.png", None),
        ("a\0b", "sky.png", None),
        ("sky", "../shard-000001.tar", "sky.png"),
        ("sky", "/shard-000001.tar", "sky.png"),
        ("sky", None, None),
        ("sky", "", None),
    ],
)
def test_a_path_outside_the_folder_is_refused(
    name: str, output: str | None, member: str | None
) -> None:
    with pytest.raises(InvalidRecord, match=r"^item 7: .* is not a valid result name") as error:
        published_path(ledger_row(7, name=name, output=output, member=member))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("result", "suffixes", "names"),
    [
        ("a/sky.dream.png", ("png", "cls"), ["a/sky.png", "a/sky.cls"]),
        ("a/sky.png", ("json", "png"), ["a/sky.json", "a/sky.input.png"]),
        ("a/sky.png", ("input.png", "png"), ["a/sky.input.png", "a/sky.input.input.png"]),
    ],
)
def test_an_extra_never_has_the_name_of_a_result_of_an_earlier_version(
    result: str, suffixes: tuple[str, ...], names: list[str]
) -> None:
    place = InputPlace(address="/in.tar")
    extras = tuple(SampleFile(suffix=suffix, place=place) for suffix in suffixes)
    assert names_of_extras(TarSample(0, "a/sky", result, extras)) == names
