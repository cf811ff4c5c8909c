"""The dtypes of a precision, and the same bits every time."""

import pytest
import torch

from render.determinism import dtypes, make_deterministic, use_threads
from tests.support.seeded_networks import noise_picture, seeded_network
from tests.support.tiled_step import mean_step


def test_the_canvas_is_never_narrower_than_float32() -> None:
    assert dtypes("bfloat16").canvas == dtypes("float32").canvas == torch.float32
    assert dtypes("float64").canvas == dtypes("float64").network == torch.float64


def test_a_worker_computes_in_one_thread_with_deterministic_kernels() -> None:
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True
    make_deterministic()
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.allow_tf32


def test_the_plan_decides_the_threads_of_deterministic_processes_only() -> None:
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(3)
    use_threads(8)
    assert torch.get_num_threads() == 3
    make_deterministic()
    use_threads(8)
    assert torch.get_num_threads() == 8
    make_deterministic()
    assert torch.get_num_threads() == 1


def test_the_same_window_gives_the_same_bits_every_time() -> None:
    """At any memory address: in a new tensor, and in a slice with an odd offset."""
    make_deterministic()
    step = mean_step(seeded_network("squeezenet1_0", ("features.4",)), ("features.4",)).in_float32()
    canvas = noise_picture((90, 70), dtype=torch.float32)
    (wanted,) = step.picture_gradients(canvas, (0, 0))
    shelf = torch.zeros(canvas.numel() + 3)
    for start in range(4):
        place = shelf[start : start + canvas.numel()].view_as(canvas)
        place.copy_(canvas)
        assert torch.equal(step.picture_gradients(place, (0, 0))[0], wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_have_the_dtype_of_the_canvas(dtype: torch.dtype) -> None:
    step = mean_step(seeded_network("squeezenet1_0", ("features.3",)), ("features.3",)).in_float32()
    assert step.picture_gradients(noise_picture((40, 40), dtype=dtype), (0, 0))[0].dtype == dtype
