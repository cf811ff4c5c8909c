"""Which numbers a picture is computed with, as users name them."""

from typing import Literal

from render.errors import DeviceError

Precision = Literal["auto", "float32", "float64", "bfloat16"]
Resolved = Literal["float32", "float64", "bfloat16"]


def resolved(precision: Precision, *, has_gpu: bool) -> Resolved:
    """What `auto` means: bfloat16 on GPUs, float32 on CPUs.

    DeviceError for bfloat16 without a GPU: emulated, it is slower than float32 and no smaller.
    """
    if precision == "auto":
        return "bfloat16" if has_gpu else "float32"
    if precision == "bfloat16" and not has_gpu:
        raise DeviceError(
            "precision bfloat16: needs a CUDA GPU, and this crew has none; use float32, or auto"
        )
    return precision
