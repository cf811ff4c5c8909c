"""Inputs, masks and weights at `s3://` addresses: the job is that of files with their content."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.dataset.inputs.s3 import s3_client
from jobs.planning.dataset import make_dataset_plan
from jobs.planning.machine import this_machine
from jobs.planning.poster import make_plan
from jobs.services.input_files import fetch_object, localize
from jobs.services.spec_source import load_document, load_spec
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.spec.poster import PosterSpec
from jobs.store.errors import StoreError
from jobs.text.errors import RequestError
from tests.support.s3_servers import BUCKET, Server, free_ports, s3_environment
from tests.support.small_poster import poster_document


@pytest.fixture(scope="module")
def server(moto: Server, picture: Path, weights: Path, mask: Path) -> Iterator[Server]:
    """A server with a picture, weights and a mask."""
    with s3_environment(moto):
        s3_client.cache_clear()
        for path in (picture, weights, mask):
            s3_client().upload_file(str(path), BUCKET, f"in/{path.name}")
    yield moto
    s3_client.cache_clear()


@pytest.fixture
def bucket(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the objects; this machine's cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with s3_environment(server):
        s3_client.cache_clear()
        yield f"s3://{BUCKET}/in"
    s3_client.cache_clear()


def cached(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_a_poster_s_files_may_be_objects(
    bucket: str, tmp_path: Path, picture: Path, weights: Path, mask: Path
) -> None:
    here = poster_document(picture, weights, f"objectives.0.mask={mask}")
    there = {
        **here,
        "input": f"{bucket}/{picture.name}",
        "network": {**here["network"], "weights": f"{bucket}/{weights.name}"},
        "objectives": [{**here["objectives"][0], "mask": f"{bucket}/{mask.name}"}],
    }
    known, found = load_spec(here), load_spec(there)
    assert isinstance(known, PosterSpec) and isinstance(found, PosterSpec)
    machine = this_machine()
    assert make_plan(found, machine).identity == make_plan(known, machine).identity
    assert {picture.name, weights.name, mask.name} <= set(cached(tmp_path))


def test_a_dataset_s_masks_and_weights_may_be_objects(
    bucket: str, picture: Path, weights: Path, mask: Path
) -> None:
    def spec(weights_file: str, mask_file: str) -> DatasetSpec:
        document = poster_document(None, weights)
        found = load_spec(
            {
                **{key: document[key] for key in ("name", "dream", "tiles")},
                "kind": "dataset",
                "inputs": str(picture.parent),
                "network": {**document["network"], "weights": weights_file},
                "objectives": [{**document["objectives"][0], "mask": mask_file}],
                "sweep": {"dream.strength": [None, mask_file]},
            }
        )
        assert isinstance(found, DatasetSpec)
        return found

    known = spec(str(weights), str(mask))
    found = spec(f"{bucket}/{weights.name}", f"{bucket}/{mask.name}")
    machine = this_machine()
    assert make_dataset_plan(found, machine).identity == make_dataset_plan(known, machine).identity


def test_an_address_of_a_picture_is_a_poster(bucket: str, picture: Path) -> None:
    document = load_document(f"{bucket}/{picture.name}", size="64x48")
    assert document == {
        "kind": "poster",
        "input": {"path": f"{bucket}/{picture.name}"},
        "size": "64x48",
    }
    spec = load_spec(f"{bucket}/{picture.name}")
    assert isinstance(spec, PosterSpec)
    assert spec.name == "sky"
    assert spec.input.path is not None
    assert spec.input.path.read_bytes() == picture.read_bytes()


def test_paths_in_a_spec_file_may_be_addresses(
    bucket: str, tmp_path: Path, picture: Path, mask: Path
) -> None:
    path = tmp_path / "spec.yaml"
    text = f"input: {bucket}/{picture.name}\ndream:\n  strength: {bucket}/{mask.name}\n"
    path.write_text(text)
    spec = load_spec(path)
    assert isinstance(spec, PosterSpec)
    assert spec.dream.strength is not None
    assert spec.dream.strength.read_bytes() == mask.read_bytes()


def test_an_object_is_fetched_once_until_it_changes(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, name = f"{bucket}/changing.bin", "in/changing.bin"
    s3_client().put_object(Bucket=BUCKET, Key=name, Body=b"one")
    first = fetch_object(address)
    first_time = first.stat().st_mtime_ns
    assert fetch_object(address) == first
    assert first.stat().st_mtime_ns == first_time
    s3_client().put_object(Bucket=BUCKET, Key=name, Body=b"two")
    second = fetch_object(address)
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
    assert cached(tmp_path) == ["changing.bin", "changing.bin"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"s3://{BUCKET}/in/gone.jpg", f"s3://{BUCKET}/in/gone.jpg: no such object; check the"),
        (f"s3://{BUCKET}/in/..", f"s3://{BUCKET}/in/..: names no object of a bucket"),
        (f"s3://{BUCKET}", "names a bucket, but no object in it"),
        ("s3://B_/a.jpg", "a bucket name has 3 to 63 lower-case letters"),
        (f"s3://{BUCKET}/{'x' * 300}.jpg", "names no object of a bucket"),
    ],
)
def test_wrong_addresses_fail_in_one_line(
    bucket: str, tmp_path: Path, address: str, said: str
) -> None:
    with pytest.raises(RequestError) as caught:
        load_spec({"input": address})
    assert said in str(caught.value)
    assert cached(tmp_path) == []


def test_a_bucket_that_does_not_answer_is_an_outage(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREAMFARM_S3_TIMEOUT", "1")
    with s3_environment(server.behind(f"http://127.0.0.1:{free_ports(1)}")):
        s3_client.cache_clear()
        with pytest.raises(StoreError):
            load_spec({"input": f"s3://{BUCKET}/in/sky.png"})
    s3_client.cache_clear()


def test_a_full_cache_says_where_to_make_room(bucket: str, tmp_path: Path, picture: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(RequestError, match="set XDG_CACHE_HOME to a folder with room"):
        load_spec({"input": f"{bucket}/{picture.name}"})


def test_nothing_is_fetched_for_specs_out_of_a_store() -> None:
    """Only whoever submits fetches: parsing alone opens no address."""
    for fields in (
        {"input": "s3://bucket/sky.jpg"},
        {"input": "sky.jpg", "dream": {"strength": "s3://bucket/mask.png"}},
        {"input": "sky.jpg", "network": {"name": "lenet5", "weights": "s3://bucket/a.pth"}},
    ):
        with pytest.raises(RequestError, match="not supported"):
            parse_spec(fields)


def test_standard_input_is_for_the_command_line() -> None:
    with pytest.raises(RequestError, match="-: is standard input, which is no picture here"):
        load_spec({"input": "-"})
    read = localize({"kind": "atlas", "start": "-"}, lambda use: Path(f"/{use}"))
    assert read == {"kind": "atlas", "start": {"path": "/items"}}
