"""Write the requirements of `pyproject.toml`, one a line, for layers that code does not change.

`requirements.py NAME…` writes those of these names, `requirements.py --extra NAME` all, and those
of that extra.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path


def main() -> None:
    """Read pyproject.toml in this folder; write to standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--extra", action="append", default=[])
    asked = parser.parse_args()
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        one for one in project["dependencies"] if not asked.names or _name(one) in asked.names
    ]
    for extra in asked.extra:
        wanted += project["optional-dependencies"][extra]
    sys.stdout.writelines(f"{one}\n" for one in wanted)


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0]


if __name__ == "__main__":
    main()
