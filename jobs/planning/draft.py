"""How many octaves of a poster make a draft: `--until 4`, or `--draft 600px`."""

from math import log

from jobs.planning.poster import PosterPlan
from jobs.spec.size import parse_size
from jobs.text.errors import RequestError

DraftLimit = int | str
"""A number of octaves; or the size of the draft, in the words of a poster's size."""


def draft_limit(until: int | None, draft: str | None) -> DraftLimit | None:
    """The limit that two options name. Raises RequestError for both."""
    if until is not None and draft is not None:
        raise RequestError("--until and --draft: both limit the render; write one of them")
    return draft if until is None else until


def draft_octaves(plan: PosterPlan, limit: DraftLimit | None) -> int | None:
    """How many octaves a limit allows; None for all of them.

    A size chooses the octave whose longer side is nearest to it, as a ratio. Raises RequestError
    for a limit that no octave meets.
    """
    if limit is None:
        return None
    octaves = len(plan.octaves)
    if plan.redo is not None:
        raise RequestError("--until and --draft: a redo has no draft; leave them out")
    if isinstance(limit, str):
        limit = _nearest(plan, limit)
    if limit < 1:
        raise RequestError(f"--until {limit}: write a number of octaves, from 1 to {octaves}")
    return None if limit >= octaves else limit


def _nearest(plan: PosterPlan, text: str) -> int:
    """The number of octaves up to the one of nearly that size."""
    try:
        wanted = max(parse_size(text).resolve(plan.source.height, plan.source.width)[:2])
    except ValueError as error:
        raise RequestError(f"--draft {text}: {error}") from error
    ratios = [abs(log(max(one.height, one.width) / wanted)) for one in plan.octaves]
    return ratios.index(min(ratios)) + 1
