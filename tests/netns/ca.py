"""A certificate authority, made by `infra/nodes/tls.sh`."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.netns.ray_hosts import TLS


def create_ca(home: Path) -> Mapping[str, str]:
    """Create a CA in a home folder; returns its files by their names below ~/.ray."""
    subprocess.run(["bash", TLS, "ca"], env={**os.environ, "HOME": str(home)}, check=True)
    names = ("tls/ca.pem", "tls/ca_key.pem")
    return {name: (home / ".ray" / name).read_text() for name in names}
