"""What was recorded, in JSON files beside the tests."""

import json
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


def recorded(name: str) -> Any:
    """What was seen when it was recorded."""
    return json.loads((_DATA / f"{name}.json").read_text("utf-8"))


def record(name: str, seen: object) -> None:
    """Make it what is wanted from now on."""
    text = json.dumps(seen, indent=1, sort_keys=True, ensure_ascii=False)
    (_DATA / f"{name}.json").write_text(f"{text}\n", "utf-8")
