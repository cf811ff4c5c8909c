"""render/README.md: its examples run as they are written, and it stays short."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render.determinism import deterministic_mode


def test_the_examples_run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (project / "render" / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    assert len(text.splitlines()) <= 200

    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with deterministic_mode():
        for block in blocks:
            exec(compile(block, "render/README.md", "exec"), names)

    saved = np.asarray(Image.open(tmp_path / "dreamed.png"))
    dreamed = names["dreamed"]
    assert saved.shape == (80, 120, 3)
    assert isinstance(dreamed, np.ndarray)
    assert dreamed.shape == (60, 90, 3)
