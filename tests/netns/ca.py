"""A CA, as infra's script makes it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.netns.ray_hosts import TLS


def made_ca(home: Path) -> Mapping[str, str]:
    """A new one, as files below ~/.ray: name -> content. home: of whoever makes it."""
    subprocess.run(["bash", TLS, "ca"], env={**os.environ, "HOME": str(home)}, check=True)
    names = ("tls/ca.pem", "tls/ca_key.pem")
    return {name: (home / ".ray" / name).read_text() for name in names}
