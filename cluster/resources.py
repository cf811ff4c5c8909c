"""The resources of one member, and reservations of them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Resources:
    """The resources of one member.

    cpus: logical CPUs, as Ray counts them; at least 1.
    gpus: logical GPUs, at least 0. Members with a fraction of a GPU share one.
    environment: variables set in the member's process before it imports anything. By default
        OMP_NUM_THREADS is `cpus`, and CUDA_VISIBLE_DEVICES is empty for a member without a GPU.
    start_timeout: seconds to wait until all members of a crew, or the first member of a pool, have
        their resources.
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

    def members_per_machine(self, cpus: float, gpus: float) -> int:
        """How many members fit on a machine with so many logical CPUs and GPUs."""
        pairs = ((cpus, self.cpus), (gpus, self.gpus))
        ratios = [available / needed for available, needed in pairs if needed]
        # Rounding as Ray does, to 1/10000: ten members with 0.1 GPU fit on one GPU.
        return math.floor(round(min(ratios), 4))

    def bundle(self) -> dict[str, float]:
        """The bundle of a Ray placement group that holds one member."""
        return {"CPU": self.cpus} | ({"GPU": self.gpus} if self.gpus else {})

    def process_environment(self) -> dict[str, str]:
        """The environment variables of the member's process, defaults included."""
        hidden_gpus = {} if self.gpus else {"CUDA_VISIBLE_DEVICES": ""}
        return {"OMP_NUM_THREADS": str(self.cpus)} | hidden_gpus | dict(self.environment)


class Reservation(ABC):
    """Requests for the resources of several members. Each is granted when a machine has them free.

    Granted resources are reserved until `close`. An autoscaler sees the requests that are not
    granted yet, and starts machines for them.
    """

    @property
    @abstractmethod
    def granted(self) -> int:
        """How many requests have been granted so far."""

    @abstractmethod
    def close(self) -> None:
        """Drop all requests and free the granted resources. Closing again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
