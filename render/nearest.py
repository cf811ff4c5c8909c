"""The known words nearest to a mistyped one, for errors that help."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Up to n of the known words that look like `word`, the likest first; case does not count."""
    spelled = {candidate.lower(): candidate for candidate in known}
    return [spelled[match] for match in get_close_matches(word.lower(), spelled, n=n)]


def suggestion(word: str, known: Iterable[str]) -> str:
    """What an error adds on an unknown word: the nearest known ones, or all where none is near.

    `nearest: steps`, `nearest: conv1, conv2`, or `known: jitter, octaves, seed`.
    """
    words = list(known)
    close = nearest(word, words)
    return f"nearest: {', '.join(close)}" if close else f"known: {', '.join(sorted(words))}"
