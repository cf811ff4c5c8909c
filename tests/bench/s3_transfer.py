"""Compares transfers of a large file by `S3Store` with plain boto3.

    python -m tests.bench.s3_transfer [--megabytes 256] [--rounds 3]

Starts its own radosgw. Both use the same server in turns, so that other load on the machine affects
both alike. The ratios are reliable, the rates are not.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3

from jobs.store.s3 import S3Store
from tests.support.s3_servers import radosgw, radosgw_tool

BUCKET, KEY = "bench", "file"

Transfer = Callable[[Path], None]


def by_store() -> dict[str, Transfer]:
    """Transfers by `S3Store`."""
    store = S3Store(BUCKET)
    return {
        "upload": lambda path: store.upload(path, KEY),
        "download": lambda path: store.download(KEY, path),
    }


def by_boto3() -> dict[str, Transfer]:
    """Transfers by boto3 with its defaults."""
    client = boto3.client("s3")
    return {
        "upload": lambda path: client.upload_file(str(path), BUCKET, KEY),
        "download": lambda path: client.download_file(BUCKET, KEY, str(path)),
    }


def seconds(transfer: Transfer, path: Path) -> float:
    """The wall time of one transfer."""
    started = time.perf_counter()
    transfer(path)
    return time.perf_counter() - started


def compare(folder: Path, megabytes: int, rounds: int) -> None:
    """Print the rates and their ratios, as medians over the rounds."""
    source, target = folder / "source", folder / "target"
    source.write_bytes(os.urandom(megabytes << 20))
    ways = {"store": by_store(), "boto3": by_boto3()}
    print("| | store, MB/s | boto3, MB/s | store / boto3 |\n|---|---|---|---|")
    for direction, path in (("upload", source), ("download", target)):
        ways["boto3"][direction](path)  # once to warm up
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                took[name].append(seconds(way[direction], path))
        rate = {name: megabytes / statistics.median(each) for name, each in took.items()}
        ratio = rate["store"] / rate["boto3"]
        print(f"| {direction} | {rate['store']:.0f} | {rate['boto3']:.0f} | {ratio:.2f} |")
    if target.read_bytes() != source.read_bytes():
        sys.exit("the downloaded file differs from the uploaded one")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    tool = radosgw_tool()
    if tool is None:
        sys.exit("no radosgw: install it, and provide DREAMFARM_SHARED/tools/rgw")
    with radosgw(tool) as server, tempfile.TemporaryDirectory() as folder:
        os.environ.update(server.environment())
        server.create_bucket(BUCKET)
        compare(Path(folder), options.megabytes, options.rounds)


if __name__ == "__main__":
    main()
