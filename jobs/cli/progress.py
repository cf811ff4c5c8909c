"""Progress bars on standard error: for a render on this machine, and for a watched job."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from jobs.cli.format import complete, format_state
from jobs.records.job_summary import JobSummary
from jobs.runtime.metrics.progress import Progress as RenderProgress
from jobs.runtime.metrics.progress import WatchProgress
from render.errors import visible
from render.training.finetune.settings import Stage

_SPEED_PERIOD = 3600
"""Seconds over which to average the speed. The default is 30; one step of a large poster takes
longer."""


_PHASES = {
    "decode": "reading the picture",
    "encode": "writing files",
    "items": "dreaming the pictures",
}
_UNIT, _UNITS = "megapixel-steps", {"items": "items"}


class _Bar:
    """A rich progress bar with one task, shown within the context."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()


class _WorkBar(_Bar):
    """A bar of work in this process. It leaves nothing after an error."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After an error, only its one-line message stays on the screen.
        if error is not None:
            self._bar.live.transient = True
            self._bar.live.stop()
            return
        super().__exit__(kind, error, trace)


class RenderBar(_WorkBar):
    """A bar with octave, step, speed in megapixel-steps a second, and remaining time."""

    def __init__(self) -> None:
        super().__init__(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:3.0f}%"),
                TextColumn("{task.fields[speed]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                speed_estimate_period=_SPEED_PERIOD,
            )
        )
        self._task = self._bar.add_task("starting the crew", total=None, speed="")
        self._prefix = ""

    def begin(self, number: int, count: int, caption: str) -> WatchProgress:
        """Begin one of several renders. Returns a function that shows its progress."""
        self._prefix = f"{number} of {count}, {escape(visible(caption))}: "
        self._bar.reset(self._task, total=None)
        self._bar.update(self._task, description=f"{self._prefix}starting")
        return self.show

    def show(self, progress: RenderProgress) -> None:
        """Show the progress of the render."""
        speed = self._bar.tasks[self._task].speed
        self._bar.update(
            self._task,
            description=self._prefix
            + _PHASES.get(
                progress.phase,
                f"octave {progress.octave}/{progress.octaves}, "
                f"step {progress.step}/{progress.steps}",
            ),
            completed=progress.done,
            total=progress.total,
            speed=f"{speed:.2f} {_UNITS.get(progress.phase, _UNIT)}/s" if speed else "",
        )


_STAGES = {
    "read": "reading the pictures",
    "draw": "drawing what pareidolia knows",
    "train": "training",
    "judge": "judging by the held-out pictures",
    "dream": "dreaming each class",
}


class TrainingBar(_WorkBar):
    """A bar with the stage of a training, and the remaining time of the stage."""

    def __init__(self) -> None:
        super().__init__(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                speed_estimate_period=_SPEED_PERIOD,
            )
        )
        self._task = self._bar.add_task("listing the pictures", total=None)
        self._stage = ""

    def show(self, stage: Stage) -> None:
        """Show the progress of the training."""
        if stage.name != self._stage:
            self._bar.reset(self._task)  # each stage has a speed of its own
            self._stage = stage.name
        loss = "" if stage.loss is None else f", loss {stage.loss:.2f}"
        self._bar.update(
            self._task,
            description=f"{_STAGES[stage.name]}{loss}",
            completed=stage.done,
            total=stage.total,
        )


class JobBar(_Bar):
    """A table with a bar between each job's id and its state."""

    def __init__(self) -> None:
        super().__init__(
            Progress(
                TextColumn("{task.fields[job]}", markup=False),
                BarColumn(bar_width=20),
                TextColumn("{task.description}", markup=False),
                console=Console(stderr=True),
            )
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, summary: JobSummary) -> None:
        """Show the job's state."""
        if summary.job not in self._tasks:
            self._tasks[summary.job] = self._bar.add_task("", total=1.0, job=summary.job)
        self._bar.update(
            self._tasks[summary.job],
            completed=summary.progress,
            description=visible(complete(format_state(summary))),
        )

    def print_line(self, line: str) -> None:
        """Print a message above the bar."""
        self._bar.console.print(Text(visible(complete(line))))
