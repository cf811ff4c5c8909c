"""Weights on their way to machines that open no pickles."""

import tempfile
from pathlib import Path

from safetensors.torch import save_file

from render.errors import WeightsError
from render.networks.weights import read_weights


def convert(source: Path, target: Path) -> None:
    """Write a file's tensors as a .safetensors file, whose folder is made.

    The same tensors give the same bytes. WeightsError where the source cannot be read, or the
    target not written.
    """
    # Tensors may share memory in a pickle, and may not here.
    tensors = {name: one.clone().contiguous() for name, one in read_weights(source).items()}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Others may convert the same file at the same time.
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=target.parent) as folder:
            made = Path(folder) / target.name
            save_file(tensors, made)
            made.replace(target)
    except OSError as why:
        raise WeightsError(
            f"weights {source}: cannot be written as {target} ({why.strerror}); "
            "set XDG_CACHE_HOME to a folder with room"
        ) from why
