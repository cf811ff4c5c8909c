"""`python -m tests.golden.record [NAME...]`: what is seen now is what is wanted from now on."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.golden import ids, rendered, service, store, words
from tests.golden.recorded import record
from tests.golden.shell import Shell, furnished

SEEN: dict[str, Callable[[Shell], dict[str, Any]]] = {
    "ids": ids.submitted,
    "help": words.help_of_all,
    "fields": words.fields,
    "catalogues": words.catalogues,
    "submitted": store.submitted,
    "asked": store.asked,
    "poster": rendered.poster,
    "atlas": rendered.atlas,
    "plans": rendered.plans,
    "worked": service.worked,
}


def main(names: list[str]) -> None:
    """Look at all, or at these, and write it down."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names or SEEN:
            record(name, SEEN[name](furnished(Path(folder, name), Path(folder, "cache"))))


if __name__ == "__main__":
    main(sys.argv[1:])
