"""A user's yes to what cannot be taken back."""

import sys

import typer


def consents(question: str) -> bool:
    """Ask on a terminal; elsewhere nobody can answer. Raises RequestError there."""
    from jobs.errors import RequestError

    if not sys.stdin.isatty():
        raise RequestError(f"{question} There is no terminal to answer on; add --yes")
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False
