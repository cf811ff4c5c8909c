"""What one member of a crew is given."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Berth:
    """The share of a machine for one member, and how long to wait until all have theirs.

    cpus, gpus: logical, as Ray counts them; members with a fraction of a GPU share one.
    environment: set in the member's process before it imports anything. OMP_NUM_THREADS is
        `cpus`, and a member without a GPU sees none, unless said otherwise here.
    start_timeout: seconds.
    """

    cpus: int = 1
    gpus: float = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    start_timeout: float = 60

    def __post_init__(self) -> None:
        if self.cpus < 1 or self.gpus < 0:
            raise ValueError(f"a member needs 1 CPU or more, and 0 GPU or more, not {self}")

    def __str__(self) -> str:
        return f"{self.cpus} CPU" + (f" and {self.gpus:g} GPU" if self.gpus else "")

    def fits_into(self, cpus: float, gpus: float) -> int:
        """How many such berths one machine has room for."""
        rooms = [have / need for have, need in ((cpus, self.cpus), (gpus, self.gpus)) if need]
        # Ray counts in ten-thousandths, so that ten tenths of a GPU are one.
        return math.floor(round(min(rooms), 4))

    def bundle(self) -> dict[str, float]:
        """What Ray is asked to set aside."""
        return {"CPU": self.cpus} | ({"GPU": self.gpus} if self.gpus else {})

    def variables(self) -> dict[str, str]:
        """The environment variables of a member's process."""
        unseen = {} if self.gpus else {"CUDA_VISIBLE_DEVICES": ""}
        return {"OMP_NUM_THREADS": str(self.cpus)} | unseen | dict(self.environment)


class Reserve(ABC):
    """Berths, each granted as soon as a machine has room for it, and then kept free.

    What has not been granted is what an autoscaler sees, and starts machines for.
    """

    @property
    @abstractmethod
    def granted(self) -> int:
        """How many have been granted so far."""

    @abstractmethod
    def close(self) -> None:
        """Let all of them go. A closed reserve can be closed again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
