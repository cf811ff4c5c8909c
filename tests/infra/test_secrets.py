"""compose/secrets.sh writes new secrets, once."""

import configparser
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.files import INFRA


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(INFRA / "compose/secrets.sh", folder)
    command = ["bash", str(folder / "secrets.sh")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    done = _run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return tmp_path / "secrets"


def test_only_the_owner_can_open_the_folder(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    names = {"ray_token", "page_token", "store_keys", "store_identities.json"}
    names |= {"store_cert.pem", "store_key.pem"}
    assert {path.name for path in secrets.iterdir()} == names
    # Containers run as other users, which must be able to read mounted files.
    assert all(path.stat().st_mode & 0o004 for path in secrets.iterdir())


def test_the_store_and_its_users_have_the_same_keys(secrets: Path) -> None:
    keys = configparser.ConfigParser()
    keys.read(secrets / "store_keys")
    (identity,) = json.loads((secrets / "store_identities.json").read_text())["identities"]
    assert identity["credentials"] == [
        {
            "accessKey": keys["default"]["aws_access_key_id"],
            "secretKey": keys["default"]["aws_secret_access_key"],
        }
    ]


def test_secrets_are_random(secrets: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    _run(other)
    for name in ("ray_token", "page_token", "store_keys"):
        assert (secrets / name).read_text() != (other / "secrets" / name).read_text()
    assert len((secrets / "ray_token").read_text()) == 64


def test_existing_secrets_are_kept(secrets: Path) -> None:
    before = (secrets / "ray_token").read_text()
    again = _run(secrets.parent)
    assert again.returncode == 2
    assert "remove it to make new ones" in again.stderr
    assert (secrets / "ray_token").read_text() == before
