"""What a dream needs besides its input, and what a step keeps of every pixel until the update."""

from pathlib import Path

from render.dream import Dream
from render.objective import Mix


def masks_named(mix: Mix, dream: Dream) -> tuple[Path, ...]:
    """The pictures that say where something is to happen, each once."""
    named = (*(one.mask for one in mix), dream.strength)
    return tuple(dict.fromkeys(path for path in named if path is not None))


def guides_named(mix: Mix) -> tuple[Path, ...]:
    """The pictures that objectives are guided by, each once."""
    return tuple(dict.fromkeys(one.guide for one in mix if one.guide is not None))


def kept_values(mix: Mix, dream: Dream, tile: int) -> float:
    """How many times a canvas in tiles of that side: each objective's slope, with its margin; a
    mask has but one channel.
    """
    grown = (1 + 2 * dream.margin / tile) ** 2
    return len(mix) * grown + len(masks_named(mix, dream)) / 3
