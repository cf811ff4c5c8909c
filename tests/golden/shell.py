"""The command as its users run it, in processes of its own, and the place where they stand."""

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Case = TypeVar("Case")
Found = TypeVar("Found")

COMMAND = (sys.executable, "-m", "jobs.cli")

_PATIENCE = 240.0

_NOT_OURS = ("AWS_", "DREAMFARM_", "RAY_")
"""This machine's own settings begin so."""

_FIXED = {
    # Help is as wide, and as plain, everywhere.
    "COLUMNS": "200",
    "NO_COLOR": "1",
    "TERM": "dumb",
    # Devices decide precisions.
    "CUDA_VISIBLE_DEVICES": "",
    "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "DREAMFARM_S3_TIMEOUT": "1",
    "NO_PROXY": "127.0.0.1",
}


@dataclass(frozen=True)
class Ended:
    """What a command left with."""

    code: int
    out: str
    err: str

    def told(self) -> Any:
        """The only JSON value on standard output."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """A JSON value a line."""
        assert self.code == 0, self.err
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Shell:
    """Runs the command in a folder, with a cache that others may share."""

    folder: Path
    cache: Path

    def environment(self) -> dict[str, str]:
        """This process's own, without settings of this machine that the command reads."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
        return kept | _FIXED | {"XDG_CACHE_HOME": str(self.cache)}

    def __call__(self, *arguments: object, **settings: str) -> Ended:
        """Run `dreamfarm ARGUMENTS`, with more variables of the environment."""
        ran = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment() | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return Ended(ran.returncode, ran.stdout, ran.stderr)

    def begun(self, *arguments: object) -> "subprocess.Popen[str]":
        """The same command while it runs."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def made(self, name: str) -> Path:
        """An empty folder, for a store."""
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return path

    def written(self, name: str, document: object) -> Path:
        """A spec as a file."""
        path = self.folder / name
        path.write_text(json.dumps(document), "utf-8")
        return path


def side_by_side(find: Callable[[Case], Found], cases: Iterable[Case]) -> list[Found]:
    """What is found of each case, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(find, cases))


def furnished(folder: Path, cache: Path) -> Shell:
    """A shell in a folder with the pictures, and the lists of them, that specs here name."""
    (folder / "photos").mkdir(parents=True)
    (folder / "broken").mkdir()
    picture = png(64, 48)
    for name in ("sky.png", "photos/day.png", "photos/night.png"):
        (folder / name).write_bytes(picture)
    for name in ("photos/torn.png", "broken/torn.png"):
        (folder / name).write_bytes(b"no picture")
    (folder / "list.csv").write_text("picture,dream.seed\nsky.png,1\nphotos/day.png,2\n", "utf-8")
    return Shell(folder, cache)


def png(width: int, height: int) -> bytes:
    """A picture whose file has the same bytes by whatever zlib: it is stored, not compressed."""
    rows = b"".join(
        b"\0"
        + bytes(
            (x * 7 + y * 13 + (x * y) % 31 * band) % 256 for x in range(width) for band in range(3)
        )
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(rows), len(rows) ^ 0xFFFF) + rows
    data = stored + struct.pack(">I", zlib.adler32(rows))
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
