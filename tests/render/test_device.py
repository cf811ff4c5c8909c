"""The meaning of `auto`, and precisions that need a GPU."""

import pytest

from render.device import resolve_precision
from render.errors import DeviceError


def test_auto_follows_the_device() -> None:
    assert resolve_precision("auto", has_gpu=False) == "float32"
    assert resolve_precision("auto", has_gpu=True) == "bfloat16"
    assert resolve_precision("float64", has_gpu=True) == "float64"


def test_bfloat16_needs_a_gpu() -> None:
    with pytest.raises(DeviceError, match=r"needs a CUDA GPU.*use float32, or auto"):
        resolve_precision("bfloat16", has_gpu=False)
