"""Standard input in place of a file: `-` means what is piped into the command."""

import atexit
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from jobs.services.input_files import Use
    from jobs.services.spec_source import SpecFile

MOST_BYTES = 4 << 30
"""The most that is read; larger files have to be files."""

_CHUNK = 1 << 20

_NAME, _SHOWN = "stdin", "standard input"
"""The name of the file, without its suffix, and what messages call it."""

_HEAD = 4096
"""Bytes by which a spec is told from a damaged picture."""


def names_standard_input(path: str, weights: str | None, settings: Sequence[str] | None) -> bool:
    """Whether a command line names standard input somewhere."""
    return "-" in (path, weights) or any(one.endswith("=-") for one in settings or ())


class StandardInput:
    """The standard input of one command, which is read once.

    It is kept in a temporary file, which is removed when the process ends.

    is_submitted: whether the job outlives the process, and so its file.
    """

    def __init__(self, *, is_submitted: bool = False) -> None:
        self._is_submitted, self._is_read = is_submitted, False

    def read(self, use: "Use") -> Path:
        """The file with a picture or weights. Raises RequestError and PictureError."""
        from jobs.text.errors import RequestError

        if use == "items" and self._is_submitted:
            raise RequestError(
                "-: the pictures of a dataset stay where they are, and standard input does not; "
                "save it to a file, and give its path"
            )
        path = self._spool()
        return _renamed(path, _weights_suffix(path) if use == "weights" else _picture_suffix(path))

    def read_source(self) -> "str | SpecFile":
        """The path of a picture, or a spec. Raises RequestError."""
        from jobs.services.spec_source import SpecFile
        from jobs.text.errors import RequestError
        from render.errors import PictureError

        path = self._spool()
        try:
            return str(_renamed(path, _picture_suffix(path)))
        except PictureError as error:
            with path.open("rb") as file:
                head = file.read(_HEAD)
            if not _is_text(head):
                raise RequestError(str(error).replace(str(path), _SHOWN)) from error
        # JSON is faster than YAML, and may be longer.
        suffix = ".json" if head.lstrip()[:1] == b"{" else ".yaml"
        return SpecFile(_renamed(path, suffix), Path.cwd(), _SHOWN)

    def _spool(self) -> Path:
        from jobs.text.errors import RequestError

        if self._is_read:
            raise RequestError("-: standard input is read once; give the other file by its path")
        self._is_read = True
        if sys.stdin is None or sys.stdin.isatty():
            raise RequestError("-: nothing is piped into this command; write `... < FILE`")
        folder = tempfile.TemporaryDirectory(prefix="dreamfarm-")
        atexit.register(folder.cleanup)
        path = Path(folder.name, _NAME)
        try:
            with path.open("wb") as file:
                count = _copy(sys.stdin.buffer, file)
        except OSError as error:
            raise RequestError(
                f"-: standard input cannot be saved to {folder.name} ({error.strerror}); set "
                "TMPDIR to a folder with room"
            ) from error
        if count > MOST_BYTES:
            folder.cleanup()
            raise RequestError(
                f"-: standard input has more than {MOST_BYTES >> 30} GiB; save it to a file, and "
                "give its path"
            )
        if not count:
            raise RequestError("-: standard input is empty")
        return path


def _copy(source: BinaryIO, target: BinaryIO) -> int:
    """Copy until the end, or until it is too much. Returns how many bytes were read."""
    count = 0
    while count <= MOST_BYTES and (chunk := source.read(_CHUNK)):
        count += len(chunk)
        target.write(chunk)
    return count


def _renamed(path: Path, suffix: str) -> Path:
    """The file with a suffix, by which others know its format."""
    return path.rename(path.with_suffix(suffix))


def _picture_suffix(path: Path) -> str:
    """The suffix of a picture's format. Raises PictureError if it is no picture."""
    from render.pictures.picture_format import find_format

    return f".{find_format(path).removesuffix('load').replace('jpeg', 'jpg')}"


def _weights_suffix(path: Path) -> str:
    from render.networks.onnx_file import is_onnx
    from render.networks.safetensors_header import is_safetensors
    from render.networks.weight_paths import SAFETENSORS_SUFFIX

    if is_safetensors(path):
        return SAFETENSORS_SUFFIX
    return ".onnx" if is_onnx(path) else ".pth"


def _is_text(head: bytes) -> bool:
    try:
        # The last character may be cut.
        text = head[:-4].decode("utf-8-sig") if len(head) == _HEAD else head.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return "\0" not in text
