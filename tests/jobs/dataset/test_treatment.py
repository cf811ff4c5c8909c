"""What a picture needs, once its size is known."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.planning.dataset import make_dataset_plan
from jobs.planning.item_plan import check_fits, check_format, needed_bytes, study_recipe
from jobs.planning.item_settings import Manner
from jobs.planning.memory import WORKER_BYTES
from jobs.spec.dataset import DatasetOutput, DatasetSpec
from jobs.spec.document import any_spec_of
from render.engine.tiling import WINDOW_BYTES
from render.errors import PictureError
from tests.jobs.dataset.small import document
from tests.jobs.small import MACHINE

BATCH = 64


@pytest.fixture(scope="session")
def manner(weights: Path) -> Manner:
    """As the smallest dataset, but for tiles as large as they can be."""
    spec = any_spec_of(document("/pictures", weights, "tiles=auto"))
    assert isinstance(spec, DatasetSpec)
    return make_dataset_plan(spec, MACHINE).manner(0, {})


def test_a_recipe_is_of_the_spec_and_the_size(manner: Manner) -> None:
    recipe = study_recipe(manner, (60, 84), "cuda", 4)

    assert (recipe.mix, recipe.dream, recipe.precision) == (
        manner.mix,
        manner.spec.dream,
        manner.precision,
    )
    assert recipe.sizes == ((43, 60), (60, 84))
    assert (recipe.device, recipe.batch, recipe.slots) == ("cuda", 4, 4)
    assert study_recipe(manner, (60, 84), "cpu", 4).slots == 1


SIDES = st.integers(1, 3000)


@given(SIDES, SIDES, st.integers(1, BATCH))
def test_a_pass_takes_no_more_than_a_poster_s_may(
    manner: Manner, height: int, width: int, asked: int
) -> None:
    size = (height, width)
    batch = study_recipe(manner, size, "cuda", asked).batch
    window = manner.survey.cost.pixel * manner.window(size)

    assert 1 <= batch <= asked
    assert batch == 1 or round(window) * batch <= WINDOW_BYTES
    assert batch == asked or round(window) * (batch + 1) > WINDOW_BYTES


def test_the_batch_shrinks_as_pictures_grow(manner: Manner) -> None:
    batches = [
        study_recipe(manner, (side, side), "cuda", BATCH).batch for side in (64, 256, 512, 1024)
    ]

    assert batches == sorted(batches, reverse=True)
    assert batches[0] == BATCH > batches[-1]


def test_the_need_grows_with_the_picture_its_depth_and_those_that_wait(manner: Manner) -> None:
    def need(size: tuple[int, int], depth: int = 8, at_once: int = 1) -> int:
        recipe = study_recipe(manner, size, "cpu", 1)
        return needed_bytes(manner, recipe, size, depth, at_once)

    usual = need((512, 512))
    assert usual > WORKER_BYTES
    assert need((1024, 512)) > usual
    assert need((512, 512), depth=16) > usual
    # Each that waits holds its canvas at least.
    assert need((512, 512), at_once=3) == usual + 2 * 512 * 512 * 3 * 4


def test_a_picture_too_large_for_a_worker_is_told_what_else_it_may_be(manner: Manner) -> None:
    size = (4096, 8192)
    need = needed_bytes(manner, study_recipe(manner, size, "cpu", 1), size, 8, 3)

    check_fits(need, need, size)
    with pytest.raises(PictureError) as error:
        check_fits(need, need - 1, size)
    said = str(error.value)
    assert said.startswith("8192 x 4096 pixels need ")
    assert f"{need / 2**30:.1f} GiB of one worker" in said
    assert said.endswith("send it as a poster, resize it, or raise crew.memory_per_worker")
    assert "\n" not in said


def test_a_size_that_a_format_cannot_hold_is_the_picture_s_fault() -> None:
    jpeg = DatasetOutput(format="jpeg")
    check_format(jpeg, (10, 65_500))
    check_format(DatasetOutput(format="png"), (10, 65_536))
    with pytest.raises(PictureError, match="65501 x 10"):
        check_format(jpeg, (10, 65_501))
