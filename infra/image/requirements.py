"""Print requirements of `pyproject.toml`, one per line, for image layers that rarely change.

`requirements.py NAME…` prints the named ones. `requirements.py --extra NAME` prints all, and those
of the extra.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path


def main() -> None:
    """Read pyproject.toml in the current folder, and print to standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--extra", action="append", default=[])
    options = parser.parse_args()
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    requirements = [
        one for one in project["dependencies"] if not options.names or _name(one) in options.names
    ]
    for extra in options.extra:
        requirements += project["optional-dependencies"][extra]
    sys.stdout.writelines(f"{one}\n" for one in requirements)


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0]


if __name__ == "__main__":
    main()
