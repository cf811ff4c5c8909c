"""Runs a real Prometheus on loopback that scrapes one address."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.s3_servers import free_ports

PROGRAM = shutil.which("prometheus")

_TIMEOUT = 60.0


class Prometheus:
    """A running Prometheus."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def found(self, query: str) -> list[dict[str, Any]]:
        """The series of a query now, each `{"metric": labels, "value": [time, text]}`."""
        answer = self._request("query", query=query)
        assert answer["resultType"] == "vector", query
        found: list[dict[str, Any]] = answer["result"]
        return found

    def value(self, query: str) -> float | None:
        """The one value of a query now; None if there is none."""
        found = self.found(query)
        assert len(found) < 2, found
        return float(found[0]["value"][1]) if found else None

    def labels(self, label: str, series: str) -> list[str]:
        """The values of a label of some series."""
        found: list[str] = self._request(f"label/{label}/values", **{"match[]": series})
        return found

    def _request(self, path: str, **parameters: str) -> Any:
        address = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return json.load(answer)["data"]


@contextmanager
def prometheus(configuration: Path, target: str, folder: Path) -> Iterator[Prometheus]:
    """Run with a given configuration, but with another target and interval."""
    assert PROGRAM is not None
    settings = yaml.safe_load(configuration.read_text("utf-8"))
    settings["global"]["scrape_interval"] = "1s"
    (job,) = settings["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    folder.mkdir()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), "utf-8")
    port = free_ports(1)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        one, deadline = Prometheus(port), time.monotonic() + _TIMEOUT
        while not one.is_ready():
            log_text = (folder / "log").read_text()
            assert process.poll() is None, log_text
            assert time.monotonic() < deadline, log_text
            time.sleep(0.1)
        yield one
    finally:
        process.terminate()
        process.wait(_TIMEOUT)
