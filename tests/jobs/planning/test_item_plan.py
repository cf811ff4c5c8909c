"""The setup and memory of an item, once its size is known."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.planning.dataset import make_dataset_plan
from jobs.planning.item_plan import check_fits, check_format, in_memory_setup, item_memory
from jobs.planning.item_settings import ItemSettings
from jobs.planning.memory import WORKER_BYTES
from jobs.spec.dataset import DatasetOutput, DatasetSpec
from jobs.spec.kinds import parse_spec
from render.engine.memory import WINDOW_BYTES
from render.errors import PictureError
from tests.support.small_dataset import dataset_document
from tests.support.small_poster import MACHINE

BATCH = 64


@pytest.fixture(scope="session")
def item_settings(weights: Path) -> ItemSettings:
    """The settings of the smallest dataset, with the largest tiles."""
    spec = parse_spec(dataset_document("/pictures", weights, "tiles=auto"))
    assert isinstance(spec, DatasetSpec)
    return make_dataset_plan(spec, MACHINE).item_settings(0, {})


def test_the_setup_follows_from_spec_and_size(item_settings: ItemSettings) -> None:
    setup = in_memory_setup(item_settings, (60, 84), (60, 84), "cuda", 4)

    assert (setup.mix, setup.dream, setup.precision) == (
        item_settings.mix,
        item_settings.spec.dream,
        item_settings.precision,
    )
    assert setup.sizes == ((43, 60), (60, 84))
    assert (setup.device, setup.batch, setup.windows_per_pass) == ("cuda", 4, 4)
    assert in_memory_setup(item_settings, (60, 84), (60, 84), "cpu", 4).windows_per_pass == 1


SIDES = st.integers(1, 3000)


@given(SIDES, SIDES, st.integers(1, BATCH))
def test_a_pass_needs_no_more_than_a_poster_tile(
    item_settings: ItemSettings, height: int, width: int, requested: int
) -> None:
    size = (height, width)
    setup = in_memory_setup(item_settings, size, size, "cuda", requested)
    batch, window = setup.batch, item_settings.profile.cost.bytes_per_pixel * setup.largest_window

    assert 1 <= batch <= requested
    assert batch == 1 or round(window) * batch <= WINDOW_BYTES
    assert batch == requested or round(window) * (batch + 1) > WINDOW_BYTES


def test_the_batch_shrinks_as_pictures_grow(item_settings: ItemSettings) -> None:
    batches = [
        in_memory_setup(item_settings, (side, side), (side, side), "cuda", BATCH).batch
        for side in (64, 256, 512, 1024)
    ]

    assert batches == sorted(batches, reverse=True)
    assert batches[0] == BATCH > batches[-1]


def test_memory_grows_with_size_depth_and_waiting_pictures(
    item_settings: ItemSettings,
) -> None:
    def need(size: tuple[int, int], depth: int = 8, at_once: int = 1) -> int:
        setup = in_memory_setup(item_settings, size, size, "cpu", 1)
        return item_memory(item_settings, setup, size, depth, at_once)

    usual = need((512, 512))
    assert usual > WORKER_BYTES
    assert need((1024, 512)) > usual
    assert need((512, 512), depth=16) > usual
    # Each waiting picture holds at least its canvas.
    assert need((512, 512), at_once=3) == usual + 2 * 512 * 512 * 3 * 4


def test_a_picture_too_large_for_a_worker_fails_with_alternatives(
    item_settings: ItemSettings,
) -> None:
    size = (4096, 8192)
    need = item_memory(
        item_settings, in_memory_setup(item_settings, size, size, "cpu", 1), size, 8, 3
    )

    check_fits(need, need, size)
    with pytest.raises(PictureError) as error:
        check_fits(need, need - 1, size)
    message = str(error.value)
    assert message.startswith("8192 x 4096 pixels need ")
    assert f"{need / 2**30:.1f} GiB of one worker" in message
    assert message.endswith("submit it as a poster, resize it, or raise crew.memory_per_worker")
    assert "\n" not in message


def test_a_size_beyond_the_format_is_a_picture_error() -> None:
    jpeg = DatasetOutput(format="jpeg")
    check_format(jpeg, (10, 65_500))
    check_format(DatasetOutput(format="png"), (10, 65_536))
    with pytest.raises(PictureError, match="65501 x 10"):
        check_format(jpeg, (10, 65_501))
