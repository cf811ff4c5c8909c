"""Starts the store of compose.yaml with its options and secrets, and tests it."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from infra.check.outcome import Problem

_TIMEOUT = 60.0
"""Seconds for the store to start, on a busy machine."""

_BUCKET = "check"
_KEYS_PORT = 18333


def store(root: Path) -> list[Problem]:
    """the store of compose.yaml: one of many writers wins, requests without keys are refused"""
    with (
        TemporaryDirectory(prefix="store-") as folder,
        _running_store(root, Path(folder)) as endpoint,
    ):
        return [
            *_check_sharing(endpoint, Path(folder)),
            *_check_anonymous(endpoint),
            *_check_key_port(),
        ]


@contextmanager
def _running_store(root: Path, folder: Path) -> Iterator[str]:
    script = folder / "secrets.sh"
    script.write_bytes((root / "infra/compose/secrets.sh").read_bytes())
    subprocess.run(["bash", script], check=True)
    service = yaml.safe_load((root / "infra/compose/compose.yaml").read_text("utf-8"))
    service = service["services"]["store"]
    (folder / "data").mkdir()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("weed"), *_localize(service["command"], folder)],
        env={**os.environ, **_localize(service["environment"], folder), "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield "http://127.0.0.1:8333"
    finally:
        process.kill()
        process.wait()


def _localize(setting: Any, folder: Path) -> Any:
    """Adapt a setting of the container to this machine: local paths, loopback only."""
    if isinstance(setting, dict):
        return {name: _localize(value, folder) for name, value in setting.items()}
    if isinstance(setting, list):
        return [_localize(value, folder) for value in setting]
    files = {"identities": "identities.json", "cert": "cert.pem", "key": "key.pem"}
    for name, file in files.items():
        setting = setting.replace(f"/run/secrets/store_{name}", f"{folder}/secrets/store_{file}")
    return setting.replace("=/data", f"={folder}/data").replace("0.0.0.0", "127.0.0.1")


def _check_sharing(endpoint: str, folder: Path) -> Iterator[Problem]:
    from jobs.store.address import open_store
    from jobs.store.conditional_write import check_conditional_writes
    from jobs.store.errors import StoreError

    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = f"{folder}/secrets/store_keys"
    os.environ["AWS_ENDPOINT_URL_S3"] = endpoint
    _make_bucket()
    try:
        check_conditional_writes(open_store(f"s3://{_BUCKET}"))
    except StoreError as error:
        yield str(error)


def _make_bucket() -> None:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            boto3.client("s3").create_bucket(Bucket=_BUCKET)
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _check_anonymous(endpoint: str) -> Iterator[Problem]:
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        urlopen(f"{endpoint}/{_BUCKET}").close()
    except HTTPError as refusal:
        if refusal.code == 403:
            return
    yield "a request without keys may list a bucket"


def _check_key_port() -> Iterator[Problem]:
    """Check that the port that can add keys to S3 requires a client certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", _KEYS_PORT), _TIMEOUT) as plain,
            context.wrap_socket(plain) as wrapped,
        ):
            wrapped.recv(1)
    except ssl.SSLError as refusal:
        if refusal.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
            return
    yield f"port {_KEYS_PORT} requires no certificate, so any client can add keys"
