"""What a checker says of infra/: nothing, or problems."""

from collections.abc import Callable
from pathlib import Path

Problem = str
"""One line: where, and what."""

Checker = Callable[[Path], list[Problem]]
"""Looks at the repository below a folder; its docstring's first line says at what."""
