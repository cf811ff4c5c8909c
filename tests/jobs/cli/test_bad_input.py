"""Bad input: one line that says what, where and what to do; exit code 2; no files."""

import os
import pickle
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.support.rendered_poster import write_poster_spec
from tests.support.shell import COMMAND, CommandResult, Shell, check_refused, json_output
from tests.support.small_poster import HEIGHT, LAYER, NETWORK, WIDTH

FITS = ("--network", NETWORK, "--layer", LAYER, "--set", "dream.steps=1")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("--set", "dream.setps=3"), ("dream.setps", "no such key", "nearest: steps")),
        (("--set", "seed=3"), ("seed: no such key; nearest: dream.seed",)),
        (("--size", "60 bananas"), ("size: '60 bananas' is not a size", "60cm x 34cm @ 300dpi")),
        (("--size", "0x9"), ("size: ", "must be above 0")),
        (("--size", "9x9 @ 0.5dpi"), ("size 9 x 9 @ 0.5dpi", "a resolution is 1 to 100000 dpi")),
        (("--size", "x999"), ("size x999", "megapixels", "raise limits.max_pixels")),
        (("--network", "squeeznet1_1"), ("network squeeznet1_1", "nearest: squeezenet1_1")),
        (("--layer", "feature.4"), ("layer feature.4", "nearest: features.4")),
        (
            ("--layer", "classifier.3"),
            (
                "layer classifier.3 of squeezenet1_1: has no exact tiles",
                "classifier.3 averages over the whole picture",
                "the deepest that has is classifier.2",
            ),
        ),
        (
            ("--set", "objectives=[{layer: features.4, channels: [999]}]"),
            ("channel 999 of layer features.4", "it has 128, from 0 to 127"),
        ),
        (("--set", "dream.strength=gone.png"), ("gone.png: cannot be read", "check the path")),
        (
            ("--set", "objectives=[{layer: features.4, guide: gone.png}]"),
            ("gone.png: cannot be read", "check the path"),
        ),
        (
            ("--set", "objectives=[{classes: [labrador]}]"),
            ("class labrador of squeezenet1_1: no such class",),
        ),
        (
            ("--set", "objectives=[{layer: features.4, at: [[0.5, 2]]}]"),
            ("objectives.0: at must be [x, y] from 0 to 1; not [0.5, 2]",),
        ),
        (
            ("--set", "objectives=[{layer: features.4, guide: a.png, channels: [1]}]"),
            ("objectives.0: guide goes with a whole layer",),
        ),
        (("--set", "dream.smooth={gaussian: [0]}"), ("dream.smooth: gaussian must be from 0.3",)),
        (("--set", "dream.smooth={blur: 3}"), ("dream.smooth.blur", "no such key")),
        (("--set", "dream.keep=light"), ("dream.keep: must be 'colours'",)),
        (("--set", "dream.schedule.octaves=[]"), ("octaves needs at least one value",)),
        (("--look", "eyse"), ("dreamfarm: look eyse: no such look", "nearest: ")),
        (("--set", "crew.gpus_per_worker=1"), ("crew.gpus_per_worker", "0 GPUs, not 1", "auto")),
        (("--workers", "0"), ("crew.workers: must be at least 1",)),
        (
            ("--set", "crew.memory_per_worker=10MiB"),
            ("crew.memory_per_worker", "GiB for tiles of", "may use 0.01 GiB", "tiles.size"),
        ),
        (("--set", "limits.max_pixels=99"), ("100 x 68", "limit of 99", "raise the limit")),
        (
            ("--size", "65501x8", "--set", "outputs=[png,jpeg]"),
            ("output jpeg: 65501 x 8 pixels", "a side has 1 to 65500", "use png, tiff, deepzoom"),
        ),
        (
            (
                *("--size", "900000x900000", "--fit", "stretch", "--set", "limits.max_pixels=1e12"),
                *("--workers", "1"),
            ),
            ("the disk is too small", "GB are free", "give `render` another --out"),
        ),
        (("--workers", "two"), ("--workers", "integer")),
        (("--stpes", "3"), ("No such option: --stpes", "see `dreamfarm render --help`")),
    ],
)
def test_bad_requests_fail_before_rendering(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    settings: tuple[str, ...],
    expected: tuple[str, ...],
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    out = tmp_path / "out"
    options = (*FITS, "--weights", weights, *settings)

    check_refused(shell("render", picture, *options, "--in-process", "--out", out), out, *expected)


def test_a_network_without_weights_names_places_to_look(
    shell: Shell, picture: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    check_refused(
        shell("render", picture, *FITS, "--in-process", "--out", out),
        out,
        f"network {NETWORK}: no weights named",
        "a .safetensors or .pth file, or `pretrained`",
    )


@pytest.mark.parametrize("weights", [(), ("--weights", "pretrained")])
def test_an_unknown_network_fails_before_its_weights(
    shell: Shell, picture: Path, tmp_path: Path, weights: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    check_refused(
        shell("render", picture, "--network", "squeezenet", *weights, "--in-process", "--out", out),
        out,
        "dreamfarm: network squeezenet: no such network",
        "nearest: squeezenet1_1",
    )


@pytest.mark.usefixtures("no_network")
def test_pretrained_without_internet_fails_at_once(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, picture: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    out = tmp_path / "out"
    check_refused(
        shell("render", picture, *FITS, "--weights", "pretrained", "--in-process", "--out", out),
        out,
        f"weights of {NETWORK}: torchvision's file could not be downloaded",
        "name a local .safetensors or .pth file",
    )
    assert [path for path in (tmp_path / "torch").rglob("*") if path.is_file()] == []


def _png(width: int, height: int) -> bytes:
    """A PNG that ends before its samples."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(header))
    samples = struct.pack(">I", 999) + b"IDAT"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + checksum + samples


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, ("cannot be read (No such file or directory)", "check the path")),
        (b"", ("the file is empty",)),
        (b"GIF89a is not for us", ("a GIF is not a picture that can be read", "export it as PNG")),
        (
            b"%!PS is not for us",
            ("not a picture that can be read", "JPEG, PNG, WebP, TIFF, HEIC or AVIF"),
        ),
        (_png(0, 0), ("damaged",)),
        (_png(90_000, 90_000), ("90000 x 90000 pixels are more than the limit of 2000000000",)),
        (_png(50, 50), ("truncated or damaged", "copy or export the picture again")),
    ],
    ids=["missing", "empty", "GIF", "other", "no pixels", "absurd", "cut after its header"],
)
def test_bad_pictures(
    shell: Shell, weights: Path, tmp_path: Path, content: bytes | None, expected: tuple[str, ...]
) -> None:
    source, out = tmp_path / "bad.png", tmp_path / "out"
    if content is not None:
        source.write_bytes(content)
    options = (source, *FITS, "--weights", weights, "--in-process", "--out", out)

    check_refused(shell("render", *options), out, str(source), *expected)


@pytest.mark.parametrize("deep", [False, True])
def test_a_truncated_picture_leaves_nothing(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path, deep: bool
) -> None:
    """Only decoding finds it, after the working folder is created."""
    cut = tmp_path / "cut.png"
    whole = picture.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "new" / "out" if deep else tmp_path / "out"
    options = (cut, *FITS, "--weights", weights, "--in-process", "--out", out)

    check_refused(shell("render", *options), out, str(cut), "truncated or damaged, found at row")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.png"]


class _Touch:
    """An object that runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.path), 0o700)


def test_an_unsafe_pickle_is_not_run(shell: Shell, picture: Path, tmp_path: Path) -> None:
    trap, file, out = tmp_path / "sprung", tmp_path / "weights.pth", tmp_path / "out"
    torch.save({"features.0.weight": _Touch(trap)}, file)
    options = (picture, *FITS, "--weights", file, "--in-process", "--out", out)

    check_refused(
        shell("render", *options), out, str(file), "not safe", "convert it to .safetensors"
    )
    assert not trap.exists()


def test_an_old_pickle_is_not_run_either(shell: Shell, picture: Path, tmp_path: Path) -> None:
    trap, file, out = tmp_path / "sprung", tmp_path / "weights.pth", tmp_path / "out"
    file.write_bytes(pickle.dumps({"features.0.weight": _Touch(trap)}))
    options = (picture, *FITS, "--weights", file, "--in-process", "--out", out)

    check_refused(shell("render", *options), out, str(file), "not safe")
    assert not trap.exists()


def test_weights_that_do_not_fit_are_named(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path
) -> None:
    tensors = load_file(weights)
    del tensors["features.3.squeeze.bias"]
    tensors["features.0.weight"] = torch.zeros(64, 3, 7, 7)
    file, out = tmp_path / "other.safetensors", tmp_path / "out"
    save_file(tensors, file)
    options = (picture, *FITS, "--weights", file, "--in-process", "--out", out)

    check_refused(
        shell("render", *options),
        out,
        f"weights {file}: do not fit {NETWORK}",
        "features.3.squeeze.bias is missing",
        "features.0.weight is 64x3x7x7, not 64x3x3x3",
    )


@pytest.mark.parametrize("content", [None, b"", b"no weights at all"])
def test_files_that_are_not_weights(
    shell: Shell, picture: Path, tmp_path: Path, content: bytes | None
) -> None:
    file, out = tmp_path / "none.safetensors", tmp_path / "out"
    if content is not None:
        file.write_bytes(content)
    options = (picture, *FITS, "--weights", file, "--in-process", "--out", out)

    check_refused(shell("render", *options), out, f"weights {file}: ")


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_unwritable_output_folders(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("mine")
    out = tmp_path / place
    ended = shell("render", picture, *FITS, "--weights", weights, "--in-process", "--out", out)

    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert f"{out}: cannot be written (" in ended.err
    assert "choose another --out" in ended.err
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "No such file or directory"),
        ("input: [", "line 1, column "),
        ("input: sky.jpg\ninput: sea.jpg", "line 2, column 1: duplicate key input"),
        ("sky.jpg", "not a mapping of keys"),
    ],
)
def test_bad_spec_files(shell: Shell, tmp_path: Path, text: str | None, expected: str) -> None:
    spec, out = tmp_path / "spec.yaml", tmp_path / "out"
    if text is not None:
        spec.write_text(text)
    check_refused(shell("render", spec, "--out", out), out, str(spec), expected)


def test_flags_override_the_fields_of_a_spec(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path
) -> None:
    spec = write_poster_spec(tmp_path, picture, weights, "size=x3")
    planned = json_output(shell("plan", spec, "--size", "x2", "--no-probe", "--json"))
    assert [planned["width"], planned["height"]] == [2 * WIDTH, 2 * HEIGHT]


def test_a_size_is_refused_for_the_spec_of_a_dataset(shell: Shell, tmp_path: Path) -> None:
    spec, out = tmp_path / "spec.yaml", tmp_path / "out"
    spec.write_text("kind: dataset\ninputs: photos")
    ended = shell("render", spec, "--size", "x2", "--out", out)
    check_refused(ended, out, "size: no such key; nearest: resize")


@pytest.mark.parametrize(
    ("size", "squashed"),
    [
        ("600x200", True),
        ("60cm x 20cm", True),
        ("100x72", True),
        ("100x70", False),
        ("1x1", False),
        ("x2", False),
        ("600xauto", False),
    ],
)
def test_a_size_that_squashes_is_refused_unless_it_may_stretch(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path, size: str, squashed: bool
) -> None:
    spec = write_poster_spec(tmp_path, picture, weights)
    arguments = ("plan", spec, "--size", size, "--no-probe", "--out", tmp_path / "out")
    if squashed:
        said = f"would squash {picture}, {WIDTH} x {HEIGHT}, to "
        check_refused(shell(*arguments), tmp_path / "out", said, "--fit crop, pad or stretch")
    assert shell(*arguments, *(["--fit", "stretch"] if squashed else [])).code == 0
    check_refused(shell(*arguments, "--fit", "strech"), tmp_path / "out", "fit: ")


@pytest.mark.parametrize("arguments", [("render",), ("rendr", "sky.jpg"), ("layers", "alexnot")])
def test_bad_command_lines(shell: Shell, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    check_refused(shell(*arguments), tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--set", "dream.setps=3"), "dream.setps: no such key; nearest: steps"),
        (
            ("--layer", "feature.4"),
            f"layer feature.4 of {NETWORK}: no such layer; nearest: features.4",
        ),
    ],
)
def test_the_installed_command_prints_the_same_error(
    picture: Path, weights: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    out = tmp_path / "out"
    ran = subprocess.run(
        [COMMAND, "render", picture, *FITS, "--weights", weights, *arguments, "--out", out],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    check_refused(CommandResult(ran.returncode, ran.stdout, ran.stderr), out, expected)
