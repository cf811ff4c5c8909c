"""An untrusted job fails for good with one line, and none of its files is opened."""

import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

from jobs.records.keys import blob_key
from jobs.records.stored_spec import RunSettings
from jobs.spec.base import Crew, Limits
from render.pictures import decode
from tests.support.malicious_files import GIGABYTE, Trap, looping_tiff, oversized_png
from tests.support.untrusted_store import UntrustedStore, submitted_spec, untrusted_spec, write_file


@pytest.mark.parametrize("with_digest", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "../../../../etc/passwd",
        "..",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/farm",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "https://example.org/a.jpg",
        "s3://elsewhere/a.jpg",
    ],
)
def test_a_poster_reads_only_uploaded_inputs(
    untrusted: UntrustedStore, secret: Path, path: str, with_digest: bool
) -> None:
    blobs = {"input": untrusted.upload(secret)} if with_digest else {}
    line = untrusted.refused(untrusted.put(untrusted_spec({"input": {"path": path}}, **blobs)))
    assert f"input.path: '{path}' is not an uploaded file" in line


@pytest.mark.parametrize("weights", ["/etc/passwd", "../w.safetensors", "http://169.254.169.254/w"])
def test_a_poster_loads_only_uploaded_weights(untrusted: UntrustedStore, weights: str) -> None:
    noise = {"input": {"noise": {"seed": 1}}, "size": "64x64"}
    network = {"name": "squeezenet1_1", "weights": weights}
    line = untrusted.refused(untrusted.put(untrusted_spec({**noise, "network": network})))
    assert f"network.weights: '{weights}' is not an uploaded file" in line


@pytest.mark.parametrize(
    "spec",
    [
        {"dream": {"strength": "/etc/passwd"}},
        {"objectives": [{"layer": "classes.relu", "mask": "../mask.png"}]},
        {"objectives": [{"layer": "classes.relu", "guide": "http://169.254.169.254/g.png"}]},
        {"objectives": [{"layer": "classes.relu", "guide": f"sha256:{'0' * 64}/.."}]},
    ],
)
@pytest.mark.parametrize("kind", ["poster", "dataset"])
def test_masks_and_guides_must_be_uploaded(
    untrusted: UntrustedStore, spec: dict[str, Any], kind: str
) -> None:
    noise = {"input": {"noise": {"seed": 1}}, "size": "64x64"}
    inputs = {"kind": "dataset", "inputs": {"noise": {"seed": 1}}, "resize": "64x64"}
    job = untrusted.put(untrusted_spec({**(noise if kind == "poster" else inputs), **spec}))
    assert "is not an uploaded file" in untrusted.refused(job)


def test_a_symbolic_link_in_the_store_is_not_followed(
    untrusted: UntrustedStore, secret: Path, weights: Path
) -> None:
    stored = submitted_spec(untrusted, secret, weights)
    assert stored.blobs.input is not None
    blob = untrusted.store.local_path(blob_key(stored.blobs.input))
    blob.unlink()
    # The digest is right, but the target is outside the store.
    blob.symlink_to(secret)
    assert "is a link that leads out of" in untrusted.refused(untrusted.put(stored))


@pytest.mark.usefixtures("undecoded")
def test_a_tiny_picture_that_claims_to_be_huge_is_not_decoded(
    untrusted: UntrustedStore, weights: Path, tmp_path: Path
) -> None:
    bomb = write_file(tmp_path / "bomb.png", oversized_png(100_000, 100_000))
    assert bomb.stat().st_size < 1000
    stored = submitted_spec(untrusted, bomb, weights)
    line = untrusted.refused(untrusted.put(stored))
    assert "100000 x 100000 pixels are more than the limit of 2000000000" in line

    other = UntrustedStore(tmp_path / "other")
    for path in (bomb, weights):
        other.upload(path)
    generous = RunSettings(priority=50, crew=Crew(), limits=Limits(max_pixels=10**11))
    line = other.refused(other.put(stored, run_settings=generous))
    assert line.startswith("limits.max_pixels: 100000000000 is more than this `work` allows, 2000")


def test_a_looping_tiff_is_not_decoded(
    untrusted: UntrustedStore, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_decoder(*_: object) -> None:
        raise AssertionError("a decoder was called")

    monkeypatch.setattr(decode, "_decoder", open_decoder)
    loop = write_file(tmp_path / "loop.tif", looping_tiff())
    line = untrusted.refused(untrusted.put(submitted_spec(untrusted, loop, weights)))
    assert "its directories form a loop" in line


@pytest.mark.parametrize("name", ["trap.pth", "trap.safetensors", "trap.pkl", "trap"])
def test_a_pickle_is_never_opened(
    untrusted: UntrustedStore,
    picture: Path,
    tmp_path: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sprung = tmp_path / "sprung"
    trap = write_file(tmp_path / name, pickle.dumps({"features.0.weight": Trap(sprung)}))

    def load(*_: object, **__: object) -> None:
        raise AssertionError("an unpickler was called")

    with monkeypatch.context() as patch:
        patch.setattr("torch.load", load)
        line = untrusted.refused(untrusted.put(submitted_spec(untrusted, picture, trap)))
    assert f"weights {name}: only .safetensors is loaded from a store" in line
    assert not sprung.exists()
    pickle.loads(trap.read_bytes())
    assert sprung.exists(), "the trap does not work"


@pytest.mark.parametrize("length", [GIGABYTE, 2**63, 2**64 - 1])
def test_a_header_of_a_gigabyte_is_not_parsed(
    untrusted: UntrustedStore, picture: Path, tmp_path: Path, length: int
) -> None:
    file = write_file(tmp_path / "w.safetensors", struct.pack("<Q", length) + b'{"a":' * 100)
    line = untrusted.refused(untrusted.put(submitted_spec(untrusted, picture, file)))
    assert f"its header claims {length} bytes" in line


def test_a_stored_atlas_is_refused(untrusted: UntrustedStore, tmp_path: Path) -> None:
    """Otherwise, whatever loads the job would read the weights to find its classes."""
    network = {"name": "squeezenet1_1", "weights": str(tmp_path / "w.safetensors")}
    atlas = {"kind": "atlas", "network": network, "of": {"classes": "all"}}
    assert "network.weights" in untrusted.refused(untrusted.put(untrusted_spec(atlas)))
    other = UntrustedStore(tmp_path / "other")
    atlas = {"kind": "atlas", "network": {"name": "pareidolia"}, "of": {"classes": "all"}}
    assert "kind: must be 'poster'" in other.refused(other.put(untrusted_spec(atlas)))
