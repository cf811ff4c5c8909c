"""The types of checkers and their results."""

from collections.abc import Callable
from pathlib import Path

Problem = str
"""One line: the place and the problem."""

Checker = Callable[[Path], list[Problem]]
"""Checks the repository in a folder. The docstring's first line is its description."""
