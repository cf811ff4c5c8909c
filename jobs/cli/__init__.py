"""The command line: `dreamfarm`. Everything heavy is imported by the command that needs it."""

from jobs.cli.app import main

__all__ = ["main"]
