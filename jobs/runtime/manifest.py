"""The manifest: the last file written. What was made, from what, by what, with its checksums."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class OutputFile:
    """Its name, its digest as `sha256:...`, and the bytes of all its files."""

    name: str
    format: str
    depth: int
    digest: str
    size: int


MANIFEST = "manifest.json"


def encode_manifest(content: dict[str, Any]) -> bytes:
    """The manifest's one form in files and stores."""
    return f"{json.dumps(content, indent=2)}\n".encode()


def write_manifest(folder: Path, content: dict[str, Any]) -> Path:
    """Put the manifest into a folder, whole or not at all."""
    path = folder / MANIFEST
    partial = path.with_name(f".{MANIFEST}.partial")
    partial.write_bytes(encode_manifest(content))
    partial.replace(path)
    return path
