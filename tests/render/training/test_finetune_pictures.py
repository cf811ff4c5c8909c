"""The motifs of a folder, and their pictures as squares and batches."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from render.errors import OutputError, PictureError, TrainingError
from render.training.dataset import CROP
from render.training.finetune.batches import MixedBatches, draw_own_motifs, random_views
from render.training.finetune.image_folder import MAX_PICTURES, MIN_PICTURES, Motif, list_motifs
from render.training.finetune.picture_pool import SIDE, PicturePool, read_pool, read_square
from render.training.finetune.settings import Stage
from render.training.motifs import MOTIFS


def make_motif(folder: Path, count: int = MIN_PICTURES) -> Path:
    """A folder of files that nobody opens."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.jpg").touch()
    return folder


def test_motifs_are_the_folders_sorted_by_name(tmp_path: Path) -> None:
    for name in ("key", "anchor", "Żaba"):
        make_motif(tmp_path / name)
    (tmp_path / "key" / ".DS_Store").touch()
    (tmp_path / "Thumbs.db").touch()
    (tmp_path / ".hidden").mkdir()
    motifs = list_motifs(tmp_path)
    assert [motif.name for motif in motifs] == ["anchor", "key", "Żaba"]
    names = [path.name for path in motifs[1].files]
    assert names == sorted(names)
    assert len(names) == MIN_PICTURES


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({}, "has nothing in it; make a folder for each motif in it"),
        ({"key": MIN_PICTURES}, "has one motif, key; a network needs two or more"),
        ({"key": MIN_PICTURES, "bow": MIN_PICTURES - 1}, "bow: has 49 pictures; a motif needs 50"),
        ({"key": MIN_PICTURES, "bow": 0}, "bow: has no pictures; a motif needs 50"),
        ({"key": MIN_PICTURES, "bow": MAX_PICTURES + 1}, "to 5000, so take a part of them"),
        ({"key": MIN_PICTURES, "bow/long": MIN_PICTURES}, "bow/long: is a folder in the folder of"),
        ({"key": MIN_PICTURES, "bow": MIN_PICTURES, ".": 2}, "0.jpg and 1 more beside the folders"),
        ({".": 3}, "has 3 pictures and no folders; make a folder for each motif"),
        ({"key": MIN_PICTURES, "Fox": MIN_PICTURES}, "Fox: pareidolia has a class of that name"),
    ],
)
def test_a_folder_without_motifs_is_refused(
    tmp_path: Path, sizes: dict[str, int], said: str
) -> None:
    root = tmp_path / "motifs"
    root.mkdir()
    for name, count in sizes.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (folder / f"{number}.jpg").touch()
    with pytest.raises(TrainingError) as refused:
        list_motifs(root, reserved=("fox",))
    assert str(refused.value).startswith(str(root))
    assert said in str(refused.value)


def test_a_file_or_nothing_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="is not a folder; give a folder that has a folder"):
        list_motifs(tmp_path / "file")
    with pytest.raises(TrainingError, match="no such folder; check the path"):
        list_motifs(tmp_path / "nothing")


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 1000), (97, 96), (40, 30)])
def test_a_square_is_the_middle_of_a_picture(tmp_path: Path, width: int, height: int) -> None:
    side = min(width, height)
    pixels = np.full((height, width, 3), (0, 0, 255), np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    pixels[top : top + side, left : left + side] = (255, 0, 0)
    pixels[top : top + side // 2, left : left + side] = (0, 255, 0)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    square = read_square(tmp_path / "one.png")
    assert square.shape == (SIDE, SIDE, 3)
    assert (square[: SIDE // 2 - 12] == (0, 255, 0)).all()
    assert (square[SIDE // 2 + 12 :] == (255, 0, 0)).all()


def test_a_square_of_16_bits_has_the_same_colours(tmp_path: Path) -> None:
    grey = np.full((400, 400), 0x8040, np.uint16)
    Image.fromarray(grey).save(tmp_path / "one.png")
    assert np.unique(read_square(tmp_path / "one.png")).tolist() == [0x80]


def write_motif(folder: Path, colour: tuple[int, int, int]) -> Motif:
    """Sixty pictures of a colour, of which two are not pictures."""
    folder.mkdir(parents=True)
    for number in range(58):
        Image.new("RGB", (100, 100), colour).save(folder / f"{number:02d}.png")
    (folder / "58.txt").write_text("not a picture")
    (folder / "59.jpg").write_bytes(b"\xff\xd8\xff\xe0 nor this")
    return Motif(folder.name, tuple(sorted(folder.iterdir())))


@pytest.fixture(scope="module")
def two_motifs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Motif, Motif]:
    root = tmp_path_factory.mktemp("motifs")
    return write_motif(root / "blue", (0, 0, 250)), write_motif(root / "red", (250, 0, 0))


@pytest.fixture
def pool(two_motifs: tuple[Motif, Motif], tmp_path: Path) -> PicturePool:
    return read_pool(two_motifs, tmp_path / "pictures", 0, lambda _: None)


def test_files_that_are_no_pictures_are_left_out_and_named(pool: PicturePool) -> None:
    assert [len(one.squares) for one in pool.motifs] == [58, 58]
    assert pool.count == 116
    left_out = [Path(one.path).name for one in pool.left_out]
    assert left_out == ["58.txt", "59.jpg"] * 2
    assert all(one.path in one.reason for one in pool.left_out)


def test_a_tenth_is_held_out_and_never_trained_on(
    pool: PicturePool, two_motifs: tuple[Motif, Motif], tmp_path: Path
) -> None:
    for one in pool.motifs:
        assert len(one.held_out) == 6
        both = np.concatenate([one.chosen, one.held_out])
        assert np.array_equal(np.sort(both), np.arange(58))
    other = read_pool(two_motifs, tmp_path / "others", 1, lambda _: None)
    assert not np.array_equal(other.motifs[0].held_out, pool.motifs[0].held_out)


def test_pictures_that_were_read_are_not_read_again(
    two_motifs: tuple[Motif, Motif], tmp_path: Path
) -> None:
    stages: list[Stage] = []
    first = read_pool(two_motifs, tmp_path, 0, stages.append)
    assert stages[-1] == Stage("read", 120, 120)
    assert [stage.done for stage in stages] == sorted(stage.done for stage in stages)
    gone = [
        Motif(one.name, tuple(Path("/gone") / path.name for path in one.files))
        for one in two_motifs
    ]
    again = read_pool(gone, tmp_path, 0, lambda _: None)
    for one, other in zip(first.motifs, again.motifs, strict=True):
        assert np.array_equal(one.squares, other.squares)
    assert again.left_out == first.left_out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_a_full_disk_for_the_squares_is_said(
    two_motifs: tuple[Motif, Motif], tmp_path: Path
) -> None:
    (tmp_path / "motif-0000.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"motif-0000.npy: cannot be written"):
        read_pool(two_motifs, tmp_path, 0, lambda _: None)


def test_a_motif_with_too_few_readable_pictures_is_refused(
    two_motifs: tuple[Motif, Motif], tmp_path: Path
) -> None:
    blue = two_motifs[0]
    short = Motif(blue.name, blue.files[9:])
    with pytest.raises(
        TrainingError, match=r"blue: only 49 of 51 pictures can be read, and .*58\.txt"
    ):
        read_pool([short, two_motifs[1]], tmp_path, 0, lambda _: None)


def test_a_pipe_among_the_pictures_is_refused_at_once(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PictureError, match="is a pipe"):
        read_square(tmp_path / "pipe.jpg")


def test_half_a_batch_is_of_the_pool_and_half_of_own_motifs(pool: PicturePool) -> None:
    drawn = draw_own_motifs(1, lambda _: None)
    batches = MixedBatches(pool, drawn, 16)
    pictures, labels = batches(torch.Generator().manual_seed(3))
    assert pictures.shape == (16, 3, CROP, CROP)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert set(labels[:8].tolist()) == {len(MOTIFS), len(MOTIFS) + 1}
    assert labels[8:].max() < len(MOTIFS)
    is_red = pictures[:8, 0].mean((1, 2)) > pictures[:8, 2].mean((1, 2))
    assert torch.equal(is_red, labels[:8] == len(MOTIFS) + 1)
    again, _ = batches(torch.Generator().manual_seed(3))
    assert torch.equal(again, pictures)
    other, _ = batches(torch.Generator().manual_seed(4))
    assert not torch.equal(other, pictures)


def test_views_keep_the_middle_and_differ() -> None:
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[SIDE // 2 - 30 : SIDE // 2 + 30, SIDE // 2 - 30 : SIDE // 2 + 30] = 255
    views = random_views(
        torch.from_numpy(np.stack([square] * 12)), torch.Generator().manual_seed(0)
    )
    middle = CROP // 2
    assert views[:, :, middle - 6 : middle + 6, middle - 6 : middle + 6].min() > 0.6
    assert len({round(float(view.mean()), 4) for view in views}) == 12
