"""The samples of tars, as webdataset reads them."""

import io
import tarfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import webdataset
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.dataset.inputs.item import ListedImage
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.inputs.s3 import s3_client
from jobs.spec.inputs import Inputs
from jobs.text.errors import RequestError
from tests.support.faulty_proxy import faulty_proxy
from tests.support.listed_inputs import S3Prefix, list_inputs, list_keys, peak_memory
from tests.support.s3_servers import Server
from tests.support.s3_servers import s3_environment as environment

File = tuple[str, bytes]


def make_tar(files: Iterable[File], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def sample_contents(one: ListedImage, tar: bytes) -> dict[str, bytes]:
    """The contents of a sample's files by suffix. The picture has an empty one."""
    places = {"": one.place} | {extra.suffix: extra.place for extra in one.extras}
    return {
        suffix: tar[place.start : place.start + (place.length or 0)]
        for suffix, place in places.items()
    }


def test_a_sample_has_a_picture_and_extras(tmp_path: Path) -> None:
    path = tmp_path / "train-000001.tar"
    with webdataset.TarWriter(str(path)) as writer:
        for number in range(3):
            writer.write(
                {
                    "__key__": f"a/{number:03}",
                    "cls": number,
                    "gif": b"gif",
                    "jpg": b"jpeg %d" % number,
                    "json": {"n": number},
                }
            )
    samples = list_inputs(path)
    assert [one.key for one in samples] == [f"train-000001/a/{number:03}" for number in range(3)]
    assert [sample_contents(one, path.read_bytes()) for one in samples] == [
        {
            "": b"jpeg %d" % number,
            "cls": b"%d" % number,
            "gif": b"gif",
            "json": b'{"n": %d}' % number,
        }
        for number in range(3)
    ]
    assert all(one.place.address == str(path) and one.error is None for one in samples)


NAMES = st.lists(
    st.text(st.sampled_from("ab./_"), min_size=1, max_size=6).map(
        lambda name: "/".join(part for part in name.split("/") if part) or "a"
    ),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(max_examples=50)
@given(NAMES)
def test_samples_are_the_same_as_in_webdataset(names: list[str]) -> None:
    """All members are pictures, so each sample has one. Hidden files have none here."""
    names = [name for name in names if not name.rpartition("/")[2].startswith(".")]
    files = [(f"{name}.jpg", name.encode()) for name in names]
    content = make_tar(files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        members = webdataset.tariterators.tar_file_expander(
            [{"url": "x", "stream": io.BytesIO(content)}]
        )
        try:
            wanted = [
                (sample["__key__"], set(sample.values()) - {sample["__key__"], "x"})
                for sample in webdataset.tariterators.group_by_keys(members)
            ]
        except ValueError:
            # webdataset rejects a repeated suffix; here it is an error of the sample.
            return
    got = [
        (one.key.removeprefix("t/"), set(sample_contents(one, content).values()))
        for one in list_content(content)
    ]
    assert got == wanted


def list_content(content: bytes) -> list[ListedImage]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "t.tar")
        path.write_bytes(content)
        try:
            return list(list_images(Inputs(path=str(path))))
        except RequestError as error:
            assert "no pictures there" in str(error)
            return []


def test_long_names_links_and_special_members_are_handled(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    long = "d/" * 80 + "x" * 120
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tarfile.open(path, "w", format=form) as tar:
            for name, kind in (
                ("folder.jpg", tarfile.DIRTYPE),
                (f"{long}.jpg", tarfile.REGTYPE),
                ("__meta__/a.jpg", tarfile.REGTYPE),
                ("noending", tarfile.REGTYPE),
                ("link.jpg", tarfile.SYMTYPE),
                ("caf\udce9.jpg", tarfile.REGTYPE),
            ):
                info = tarfile.TarInfo(name)
                info.type = kind
                tar.addfile(info)
        assert list_keys(path) == [r"t/caf\udce9", f"t/{long}", "t/link"]


def test_a_sample_with_a_link_is_an_error(tmp_path: Path) -> None:
    """GNU tar stores the second name of a file as a link, which has no content of its own."""
    (tmp_path / "0.jpg").write_bytes(b"picture")
    (tmp_path / "0.txt").write_bytes(b"label")
    (tmp_path / "1.jpg").hardlink_to(tmp_path / "0.jpg")
    (tmp_path / "1.txt").symlink_to("0.txt")
    (tmp_path / "2.jpg").write_bytes(b"other")
    (tmp_path / "2.txt").hardlink_to(tmp_path / "0.txt")
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        for name in ("0.jpg", "0.txt", "1.jpg", "1.txt", "2.jpg", "2.txt"):
            tar.add(tmp_path / name, name)
    advice = "is a link; make the tar again, with --dereference --hard-dereference"
    assert [(one.key, one.error) for one in list_inputs(tmp_path / "t.tar")] == [
        ("t/0", None),
        ("t/1", f"1.jpg {advice}"),
        ("t/2", f"2.txt {advice}"),
    ]


def test_a_sample_without_a_picture_or_with_a_repeated_suffix_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    path.write_bytes(
        make_tar(
            [("a.txt", b""), ("b.png", b"1"), ("b.PNG", b"2"), ("c.seg.png", b""), ("d.gif", b"")]
        )
    )
    assert [(one.key, one.error) for one in list_inputs(path)] == [
        ("t/a", "no picture in this sample; add one, or leave the sample out"),
        ("t/b", "two files of this sample end in .png; rename one"),
        ("t/c", None),
        ("t/d", None),
    ]


def test_wildcards_and_braces_name_several_tars(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name in ("x/a-00.tar", "x/a-01.tar", "b.tar"):
        (tmp_path / name).write_bytes(make_tar([("s.jpg", b"x")]))
    assert list_keys(f"{tmp_path}/x/a-*.tar") == ["a-00/s", "a-01/s"]
    assert list_keys(f"{tmp_path}/**/*.tar") == ["b/s", "x/a-00/s", "x/a-01/s"]
    braces = Inputs(path=f"{tmp_path}/{{x/a-{{01..00}},b}}.tar")
    assert [one.key for one in list_images(braces)] == ["x/a-01/s", "x/a-00/s", "b/s"]
    with pytest.raises(RequestError, match=r"a-02\.tar: cannot be read"):
        list_inputs(f"{tmp_path}/x/a-{{00..02}}.tar")


MEMBERS = [("a.jpg", b"1" * 700), ("a.cls", b"2"), ("b.jpg", b"3" * 700), ("b.cls", b"4")]
WHOLE = make_tar(MEMBERS)
STARTS = [0, 1536, 2560, 4096]
END = 5120


@pytest.mark.parametrize(
    "size", [1, 511, 512, 700, 1212, 1535, 1536, 1600, 2560, 2561, 3500, 4096, 4609, 5119, END]
)
def test_a_truncated_tar_is_one_error_and_its_whole_members_are_listed(
    tmp_path: Path, size: int
) -> None:
    """At any byte, even between two members."""
    path = tmp_path / "t.tar"
    path.write_bytes(WHOLE[:size])
    samples = list_inputs(path)
    whole = [
        name
        for (name, content), start in zip(MEMBERS, STARTS, strict=True)
        if start + 512 + len(content) <= size
    ]
    pictures = [f"t/{name[0]}" for name in whole if name.endswith("jpg")]
    assert [one.key for one in samples] == ["t", *pictures]
    assert str(path) in str(samples[0].error)
    assert "copy or make it again" in str(samples[0].error)
    assert not any(one.error for one in samples[1:])
    extras = [f"t/{one.key[-1]}.{extra.suffix}" for one in samples for extra in one.extras]
    assert extras == [f"t/{name}" for name in whole if name.endswith("cls")]


def test_a_whole_tar_has_no_error(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    path.write_bytes(WHOLE)
    assert [(one.key, one.error) for one in list_inputs(path)] == [("t/a", None), ("t/b", None)]


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a" * 200, b"\x1f\x8b\x08" + bytes(range(256)) * 4, WHOLE[:512] * 2]
)
def test_a_file_that_is_not_a_tar_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.tar"
    path.write_bytes(content)
    assert list_inputs(path)[0].key == "t"
    assert list_inputs(path)[0].error is not None


@given(st.binary(min_size=1, max_size=40), st.integers(0, END - 1))
@settings(max_examples=100)
def test_random_bytes_in_a_tar_never_break_the_listing(garbage: bytes, at: int) -> None:
    content = bytearray(WHOLE)
    content[at : at + len(garbage)] = garbage
    for one in list_content(bytes(content)):
        assert one.model_dump_json()
        assert one.place.start + (one.place.length or 0) <= len(content)


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    info = tarfile.TarInfo("a.jpg")
    info.type = tarfile.GNUTYPE_SPARSE
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(RequestError, match=r"t\.tar: a\.jpg is sparse"):
        list_inputs(path)


@pytest.mark.parametrize("name", ["t.tar.gz", "t.TGZ", "shards-{00..99}.tar.zst"])
def test_a_compressed_tar_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="is compressed, so its samples cannot be read"):
        list_inputs(tmp_path / name)


def test_a_tar_in_a_bucket_is_listed_with_few_requests(prefix: S3Prefix, moto: Server) -> None:
    """Listing members of 6 MiB reads one buffer of 2 MiB for each."""
    content = make_tar((f"{name}.jpg", name.encode() * (6 << 20)) for name in "abcd")
    address = prefix.put("x/t.tar", content)
    prefix.put("x/u.tar", WHOLE)
    assert list_keys(f"{prefix.address}/x/*.tar") == ["t/a", "t/b", "t/c", "t/d", "u/a", "u/b"]
    assert list_keys(f"{prefix.address}/x/{{u,t}}.tar") == [
        "t/a",
        "t/b",
        "t/c",
        "t/d",
        "u/a",
        "u/b",
    ]
    with faulty_proxy(moto.endpoint) as proxy, environment(moto.behind(proxy.endpoint)):
        s3_client.cache_clear()
        samples = list_inputs(address)
        requests = proxy.counts()
    assert [sample_contents(one, content)[""][:1] for one in samples] == [b"a", b"b", b"c", b"d"]
    assert requests["GET", "object"] <= 6


def test_memory_does_not_grow_with_a_tar(tmp_path: Path) -> None:
    few, many = tmp_path / "few.tar", tmp_path / "many.tar"
    for path, count in ((few, 300), (many, 2000)):
        path.write_bytes(make_tar((f"{number}.jpg", b"") for number in range(count)))
    assert peak_memory(many, 2000) < peak_memory(few, 300) + (64 << 10)
