"""Where a render is, and how much of its time is behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jobs.plan import Plan

Phase = Literal["decode", "dream", "encode", "items"]


@dataclass(frozen=True)
class Progress:
    """`octave` of `octaves` and `step` of `steps`, counted from 1; of a dataset all are 0.

    done, total: megapixel-steps, or a dataset's items. share: the part of the dreaming time that
        should be over, from 0 to 1; halos make small octaves dearer than their megapixels, and few
        tiles leave workers idle.
    """

    phase: Phase
    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    total: float
    share: float


Watch = Callable[[Progress], None]


def progress(plan: Plan, phase: Phase, octave: int, step: int) -> Progress:
    """The progress of a plan after `step` steps of octave `octave`, counted from 0."""
    behind = plan.octaves[:octave]
    steps = plan.spec.dream.steps
    part = step / steps if steps else 0.0
    here = plan.octaves[octave] if octave < len(plan.octaves) else None
    done = sum(one.megapixel_steps for one in behind)
    effort = float(sum(one.effort for one in behind))
    if here is not None:
        done += part * here.megapixel_steps
        effort += part * here.effort
    whole = sum(one.effort for one in plan.octaves)
    return Progress(
        phase=phase,
        octave=min(octave + 1, len(plan.octaves)) if phase != "decode" else 0,
        octaves=len(plan.octaves),
        step=step if here is not None else steps,
        steps=steps,
        done=done,
        total=plan.megapixel_steps,
        share=effort / whole if whole else 1.0,
    )
