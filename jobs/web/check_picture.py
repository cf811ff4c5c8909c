"""`python -m jobs.web.check_picture USE FILE`: check an uploaded picture or ICC profile.

Its own process, because the file comes from a stranger. Prints JSON, or an error like a command.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

from render.errors import RenderError

_MEMORY, _SECONDS = 4 << 30, 30
"""Limits of this process: bytes of addresses, and seconds of a core."""


def main() -> None:
    """Print what the file is."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    use, path = sys.argv[1], Path(sys.argv[2])
    try:
        document = _profile(path) if use == "profile" else _picture(path)
    except RenderError as error:
        sys.stderr.write(f"dreamfarm: {str(error).replace(str(path), path.name)}\n")
        raise SystemExit(2) from None
    sys.stdout.write(f"{json.dumps(document)}\n")


def _picture(path: Path) -> dict[str, Any]:
    """Check the header of a picture. Raises PictureError."""
    from render.pictures.decode import open_picture

    picture = open_picture(path)
    return {
        "width": picture.width,
        "height": picture.height,
        "depth": picture.depth,
        "format": picture.selection.loader.removesuffix("load"),
        "notes": list(picture.notes),
    }


def _profile(path: Path) -> dict[str, Any]:
    """Check the profile of a press. Raises OutputError."""
    from render.pictures.ink import check_profile

    check_profile(path)
    return {"format": "icc"}


if __name__ == "__main__":
    main()
