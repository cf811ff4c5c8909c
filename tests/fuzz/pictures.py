"""Mutated picture files: each gives pixels, or an error of one line that names the file.

`python -m tests.fuzz.pictures --count 50000 --seed 1` judges so many files of each format, prints
a line for each, and saves what it finds into `--save` (default: tests/fuzz/found).
"""

import argparse
import re
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import numpy as np

from render.errors import PictureError
from render.pictures.decode import open_picture
from tests.fuzz.mutate import mutate
from tests.fuzz.picture_corpus import FORMATS, corpus
from tests.fuzz.sandbox import FINDING, Limits, Sandbox

TARGET = "tests.fuzz.pictures:judge"

LIMITS = Limits(seconds=5, address_bytes=3 * 2**29, resident_bytes=2**28)
"""libvips reserves a WebP's canvas when it opens the file, at most 16383 x 16383 x 4 bytes."""

MAX_PIXELS = 2**20
"""The limit of the request, as of a spec's `limits.max_pixels`."""

_OUT_OF_MEMORY = re.compile(
    r"(?!.*Security limit exceeded)"
    r".*(out of memory(?! reading of)|\balloc\w*+(?! memory for to read TIFF directory \(0 ))",
    re.IGNORECASE,
)
"""Not where libtiff and libheif call their checks of counts so."""

FOUND = Path(__file__).parent / "found"

DECODED, REFUSED = "decoded", "refused"


@dataclass
class Tally:
    """What came out of the files of one format. findings: the files and what is wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[bytes, str]] = field(default_factory=list)
    unrepeated: int = 0

    def __str__(self) -> str:
        count = self.outcomes.total()
        words = [f"{self.outcomes[word]} {word}" for word in (DECODED, REFUSED)]
        text = f"{count} files: {', '.join(words)}, {len(self.findings)} findings"
        return text + (f", {self.unrepeated} unrepeated" if self.unrepeated else "")


def judge(content: bytes) -> str:
    """Open and decode a file as a request would. Raises what a request must not."""
    path = _folder() / "picture.file"
    path.unlink(missing_ok=True)  # a new file is faster: file systems flush one that is truncated
    path.write_bytes(content)
    try:
        open_picture(path)  # as with the default limits: nothing is decoded
        picture = open_picture(path, MAX_PIXELS)
        first = _decode(picture.bands(64))
        if zlib.crc32(content) % 4 == 0 and _decode(picture.bands(5)) != first:
            raise AssertionError("two readings gave different pixels")
    except PictureError as error:
        message = str(error)
        if not message.startswith(f"{path}: ") or len(message.splitlines()) != 1:
            raise AssertionError(f"a message that names no file: {message!r}") from error
        if len(message) > 500 or not message.isprintable():
            raise AssertionError(f"a message that nobody can read: {message!r}") from error
        if _OUT_OF_MEMORY.match(message):
            raise AssertionError(f"memory: {message}") from error
        return REFUSED
    return DECODED


def fuzz_format(name: str, count: int, seed: int) -> Tally:
    """Judge mutated files of a format of FORMATS."""
    files, draw, tally = corpus(name), Random(f"{name} {seed}"), Tally()
    with Sandbox(TARGET, LIMITS) as sandbox:
        for content in files:
            _add(tally, sandbox, content)
        while tally.outcomes.total() < count:
            _add(tally, sandbox, mutate(draw.choice(files), draw.choice(files), draw))
        tally.unrepeated = sandbox.unrepeated
    return tally


def _add(tally: Tally, sandbox: Sandbox, content: bytes) -> None:
    verdict = sandbox.judge(content)
    tally.outcomes[verdict.outcome] += 1
    if verdict.outcome == FINDING:
        tally.findings.append((content, verdict.detail))


def _decode(bands: Iterable[np.ndarray]) -> int:
    digest = 0
    for band in bands:
        digest = zlib.crc32(band.data, digest)
    return digest


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def _save(folder: Path, name: str, content: bytes, detail: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{zlib.crc32(content):08x}.{name}"
    path.write_bytes(content)
    path.with_suffix(path.suffix + ".txt").write_text(detail, "utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge files of the formats asked for; returns 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.pictures")
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=FORMATS, action="append")
    parser.add_argument("--save", type=Path, default=FOUND)
    options = parser.parse_args(arguments)
    found = 0
    for name in options.format or FORMATS:
        tally = fuzz_format(name, options.count, options.seed)
        print(f"{name}: {tally}", flush=True)
        for content, detail in tally.findings:
            path = _save(options.save, name, content, detail)
            print(f"  {path}: {detail.strip().splitlines()[-1]}", flush=True)
        found += len(tally.findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
