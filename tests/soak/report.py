"""What a soak found: a line a minute, and the summary at the end."""

from collections import Counter
from dataclasses import dataclass, field

from tests.soak.memory import Memory
from tests.soak.streams import Tally


@dataclass
class KindTally:
    """The faults of one kind: those that hit something, and those without a target."""

    count: int = 0
    no_target: int = 0


@dataclass
class Report:
    """The outcome of a soak.

    findings: what should not be, one line each. seconds: of the whole run. skipped: kinds that
    could not happen here, and why.
    """

    seed: int
    kinds: dict[str, KindTally] = field(default_factory=dict)
    streams: dict[str, Tally] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        """The faults that hit something."""
        return sum(tally.count for tally in self.kinds.values())

    @property
    def no_target(self) -> int:
        """The faults that found nothing to hit."""
        return sum(tally.no_target for tally in self.kinds.values())

    @property
    def totals(self) -> Tally:
        """The tallies of all streams together."""
        sums: Counter[str] = Counter()
        for tally in self.streams.values():
            sums.update(vars(tally))
        return Tally(**sums)

    def problems(self) -> list[str]:
        """Everything that makes the soak fail."""
        growing = [life.text() for life in self.memory.growing()]
        return [*self.findings, *growing]

    def line(self) -> str:
        """The state in one line."""
        totals = self.totals
        return (
            f"{self.seconds:.0f} s: {self.faults} faults, {self.no_target} without a target, "
            f"{totals.ended} jobs ended, {totals.restarts} restarts, {totals.different} different, "
            f"{totals.stuck} stuck, {len(self.findings)} findings"
        )

    def summary(self) -> str:
        """The tables of `tests/README.md`."""
        kinds = [
            f"| {name} | {tally.count} | {tally.no_target} |"
            for name, tally in sorted(self.kinds.items())
        ]
        streams = [
            f"| {name} | {one.ended} | {one.different} | {one.stuck} | {one.restarts} |"
            for name, one in self.streams.items()
        ]
        return "\n".join(
            [
                f"seed {self.seed}: {self.line()}",
                *(["", *self.skipped.values()] if self.skipped else []),
                "",
                "| fault | count | no target |",
                "|---|---|---|",
                *kinds,
                "",
                "| jobs | ended | different | stuck | restarts |",
                "|---|---|---|---|---|",
                *streams,
                "",
                *(life.text() for life in self.memory.longest()),
                *(["", "FINDINGS", *self.problems()] if self.problems() else []),
            ]
        )
