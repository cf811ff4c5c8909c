"""The progress of a render on standard error."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.runtime.metrics.progress import Progress as Rendered

_SPEED_OVER = 3600  # seconds
_PHASES = {
    "decode": "reading the picture",
    "encode": "writing files",
    "items": "dreaming the pictures",
}
_UNIT, _UNITS = "megapixel-steps", {"items": "items"}


class Bar:
    """A bar with octave, step, speed in megapixel-steps a second, and the time that is left."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}%"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            # Steps of a large poster take longer than the half minute that is usual.
            speed_estimate_period=_SPEED_OVER,
        )
        self._task = self._bar.add_task("starting the crew", total=None, speed="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._bar.stop()
            return
        # Of what failed, the one line that says why is all that stays on the screen.
        self._bar.live.transient = True
        self._bar.live.stop()

    def show(self, progress: Rendered) -> None:
        """Show where the render is."""
        speed = self._bar.tasks[self._task].speed
        self._bar.update(
            self._task,
            description=_PHASES.get(
                progress.phase,
                f"octave {progress.octave}/{progress.octaves}, "
                f"step {progress.step}/{progress.steps}",
            ),
            completed=progress.done,
            total=progress.total,
            speed=f"{speed:.2f} {_UNITS.get(progress.phase, _UNIT)}/s" if speed else "",
        )
