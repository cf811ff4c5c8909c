"""A format that a user asks for, as `--format` says it."""

from dataclasses import dataclass

from jobs.errors import RequestError
from jobs.lifecycle.results import Result
from render.nearest import suggestion
from render.pictures.format import FORMATS

_USUAL_DEPTH = 8


@dataclass(frozen=True)
class Wanted:
    """asked: bits a sample; None: as the job has that format, and 8 where it has not."""

    format: str
    asked: int | None = None

    @property
    def depth(self) -> int:
        """Bits a sample of a file that is to be made."""
        return _USUAL_DEPTH if self.asked is None else self.asked

    def is_met_by(self, result: Result) -> bool:
        """Whether the job itself has made it."""
        return result.format == self.format and self.asked in (None, result.depth)


def parse_wanted(text: str) -> Wanted:
    """`tiff`, `tiff:16`. Raises RequestError."""
    name, colon, depth = text.partition(":")
    if name not in FORMATS:
        raise RequestError(f"--format {text}: no such format; {suggestion(name, FORMATS)}")
    if not colon:
        return Wanted(name)
    depths = FORMATS[name].depths
    if depth not in map(str, depths):
        allowed = " or ".join(f"{name}:{one}" for one in depths)
        raise RequestError(f"--format {text}: no such depth; write {allowed}")
    return Wanted(name, int(depth))
