"""Imports torchvision without torch's compiler.

One of torchvision's modules imports `torch._dynamo`, which takes longer than all of torch, for a
function of detection networks (`roi_align`). Nothing here calls that function.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_COMPILER = "torch._dynamo.utils"


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Let imports of the compiler's module find a small one, which says "not supported"."""
    if _COMPILER in sys.modules:
        yield
        return
    substitute = ModuleType(_COMPILER)
    substitute.is_compile_supported = _is_compile_supported  # type: ignore[attr-defined]
    sys.modules[_COMPILER] = substitute
    try:
        yield
    finally:
        del sys.modules[_COMPILER]


def _is_compile_supported(device: str) -> bool:  # noqa: ARG001 - the compiler's own parameter
    return False


with _without_compiler():
    import torchvision
    from torchvision.models.feature_extraction import NodePathTracer

__all__ = ["NodePathTracer", "torchvision"]
