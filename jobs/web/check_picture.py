"""`python -m jobs.web.check_picture FILE`: check the header of an uploaded picture.

Its own process, because the file comes from a stranger. Prints JSON, or an error like a command.
"""

import json
import resource
import sys
from pathlib import Path

from render.errors import PictureError

_MEMORY, _SECONDS = 4 << 30, 30
"""Limits of this process: bytes of addresses, and seconds of a core."""


def main() -> None:
    """Print the size and the format of the picture."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    from render.pictures.decode import open_picture

    path = Path(sys.argv[1])
    try:
        picture = open_picture(path)
    except PictureError as error:
        sys.stderr.write(f"dreamfarm: {str(error).replace(str(path), path.name)}\n")
        raise SystemExit(2) from None
    document = {
        "width": picture.width,
        "height": picture.height,
        "depth": picture.depth,
        "format": picture.selection.loader.removesuffix("load"),
        "notes": list(picture.notes),
    }
    sys.stdout.write(f"{json.dumps(document)}\n")


if __name__ == "__main__":
    main()
