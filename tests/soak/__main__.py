"""`python -m tests.soak`: a soak of any length; `make soak` runs one of 1,000 faults."""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.soak import Settings, soak
from tests.support.s3_servers import BUCKET, moto_server


def main() -> int:
    """Run a soak, and print its summary. Returns 1 if it found anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="stop making faults after this time")
    parser.add_argument("--gap", type=float, default=1.5, help="mean seconds between two faults")
    parser.add_argument("--limit", type=float, default=1200, help="seconds for one job")
    parser.add_argument("--logs", type=Path, help="a folder to keep the logs in")
    chosen = parser.parse_args()
    # Stopped, it still kills its processes and unmounts its disk.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: sys.exit(f"stopped by signal {received}"))
    folder = chosen.logs or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    longest = None if chosen.minutes is None else chosen.minutes * 60
    settings = Settings(
        chosen.seed, chosen.faults, chosen.gap, chosen.limit, longest=longest, with_ray=True
    )
    _say(f"logs: {folder}")
    with moto_server() as server:
        server.create_bucket(BUCKET)
        report = soak(settings, folder, server, _say)
    _say(report.summary())
    return 1 if report.problems() else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
