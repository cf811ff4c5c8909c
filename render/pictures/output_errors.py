"""Errors of the disk and of the encoders, as OutputError with one line for the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from render.errors import OutputError
from render.pictures.vips import error_reason, libvips


@contextmanager
def encoder_errors(path: Path) -> Iterator[None]:
    """Raise libvips errors as OutputError. Other exceptions, such as those of the bands, pass."""
    try:
        yield
    except libvips().Error as error:
        raise _failure(path, error_reason(error)) from error


@contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """Raise errors of the file system while pixels are written. path: of the output."""
    try:
        yield
    except OSError as error:
        raise _failure(path, error.strerror or str(error)) from error


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise errors of the file system before and after the pixels are written."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}:"
            " check the folder, its permissions and its free space"
        ) from error


def _failure(path: Path, reason: str) -> OutputError:
    return OutputError(f"{path}: writing failed ({reason}): check the free space there")
