"""A stranger's job is refused with one line, nothing is opened, and it does not come back."""

import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

from jobs.records.keys import blob
from jobs.records.stored_spec import Terms
from jobs.spec.base import Crew, Limits
from render.pictures import source
from tests.jobs.strangers.farm import Farm, sent_along, stranger, written
from tests.render.hostile import GIGABYTE, Trap, claimed_png, looping_tiff


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
def test_a_poster_names_no_file_but_what_was_sent_along(
    farm: Farm, secret: Path, path: str, with_digest: bool
) -> None:
    blobs = {"input": farm.send(secret)} if with_digest else {}
    line = farm.refused(farm.put(stranger({"input": {"path": path}}, **blobs)))
    assert f"input.path: '{path}' is no file that was sent along" in line


@pytest.mark.parametrize("weights", ["/etc/passwd", "../w.safetensors", "http://169.254.169.254/w"])
def test_nor_do_its_weights_and_masks(farm: Farm, weights: str) -> None:
    noise = {"input": {"noise": {"seed": 1}}, "size": "64x64"}
    network = {"name": "squeezenet1_1", "weights": weights}
    line = farm.refused(farm.put(stranger({**noise, "network": network})))
    assert f"network.weights: '{weights}' is no file that was sent along" in line


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
def test_no_companion_lies_elsewhere(farm: Farm, spec: dict[str, Any], kind: str) -> None:
    noise = {"input": {"noise": {"seed": 1}}, "size": "64x64"}
    inputs = {"kind": "dataset", "inputs": {"noise": {"seed": 1}}, "resize": "64x64"}
    job = farm.put(stranger({**(noise if kind == "poster" else inputs), **spec}))
    assert "is no picture that was sent along" in farm.refused(job)


def test_a_symbolic_link_in_the_store_is_not_followed(
    farm: Farm, secret: Path, weights: Path
) -> None:
    stored = sent_along(farm, secret, weights)
    assert stored.blobs.input is not None
    lies = farm.store.local(blob(stored.blobs.input))
    lies.unlink()
    # Whoever knows what lies there still must not have it opened.
    lies.symlink_to(secret)
    assert "is a link that leads out of" in farm.refused(farm.put(stored))


@pytest.mark.usefixtures("undecoded")
def test_a_tiny_picture_that_claims_to_be_huge_is_not_decoded(
    farm: Farm, weights: Path, tmp_path: Path
) -> None:
    bomb = written(tmp_path / "bomb.png", claimed_png(100_000, 100_000))
    assert bomb.stat().st_size < 1000
    stored = sent_along(farm, bomb, weights)
    line = farm.refused(farm.put(stored))
    assert "100000 x 100000 pixels are more than the limit of 2000000000" in line

    other = Farm(tmp_path / "other")
    for path in (bomb, weights):
        other.send(path)
    generous = Terms(priority=50, crew=Crew(), limits=Limits(max_pixels=10**11))
    line = other.refused(other.put(stored, terms=generous))
    assert line.startswith("limits.max_pixels: 100000000000 is more than this `work` allows, 2000")


def test_a_tiff_that_leads_in_a_circle_is_not_decoded(
    farm: Farm, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr(source, "_decoder", opened)
    loop = written(tmp_path / "loop.tif", looping_tiff())
    line = farm.refused(farm.put(sent_along(farm, loop, weights)))
    assert "its directories lead in a circle" in line


@pytest.mark.parametrize("name", ["trap.pth", "trap.safetensors", "trap.pkl", "trap"])
def test_a_pickle_is_never_opened(
    farm: Farm, picture: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sprung = tmp_path / "sprung"
    trap = written(tmp_path / name, pickle.dumps({"features.0.weight": Trap(sprung)}))

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("an unpickler was asked")

    with monkeypatch.context() as patch:
        patch.setattr("torch.load", opened)
        line = farm.refused(farm.put(sent_along(farm, picture, trap)))
    if name == "trap.safetensors":
        assert "cannot be read (its header claims" in line
    else:
        assert f"weights {name}: are no .safetensors file" in line
    assert not sprung.exists()
    pickle.loads(trap.read_bytes())
    assert sprung.exists(), "the trap would have worked"


@pytest.mark.parametrize("length", [GIGABYTE, 2**63, 2**64 - 1])
def test_a_header_of_a_gigabyte_is_not_parsed(
    farm: Farm, picture: Path, tmp_path: Path, length: int
) -> None:
    file = written(tmp_path / "w.safetensors", struct.pack("<Q", length) + b'{"a":' * 100)
    line = farm.refused(farm.put(sent_along(farm, picture, file)))
    assert f"its header claims {length} bytes" in line


def test_an_atlas_is_no_spec_of_a_store(farm: Farm, tmp_path: Path) -> None:
    """As one, whoever looks at it would read the classes out of its weights."""
    network = {"name": "squeezenet1_1", "weights": str(tmp_path / "w.safetensors")}
    atlas = {"kind": "atlas", "network": network, "of": {"classes": "all"}}
    assert "network.weights" in farm.refused(farm.put(stranger(atlas)))
    other = Farm(tmp_path / "other")
    atlas = {"kind": "atlas", "network": {"name": "pareidolia"}, "of": {"classes": "all"}}
    assert "kind: must be 'poster'" in other.refused(other.put(stranger(atlas)))
