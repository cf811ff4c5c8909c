"""What is there on this machine, as far as it lets itself be seen."""

from pathlib import Path


def is_folder(path: str) -> bool:
    """Whether a path leads to a folder; what may not be looked at is none."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def is_there(path: str) -> bool:
    """Whether a path leads to anything; what may not be looked at does not."""
    try:
        return Path(path).exists()
    except OSError:
        return False
