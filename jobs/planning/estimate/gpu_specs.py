"""What workers compute with, by name: what its data sheet says, and what it costs by the hour."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.text.errors import RequestError
from render.device import Resolved
from render.errors import suggestion

_G = 10**9

_T = 10**12


@dataclass(frozen=True)
class Card:
    """One GPU, or one core of a CPU.

    rates: operations a second, dense, by precision. bandwidth: bytes a second from and to its
    memory; memory: its bytes, 0 for a core, which shares the machine's. price: US dollars an hour
    on demand. reached: the share of the rate that convolutions of these networks reach.
    """

    name: str
    rates: Mapping[Resolved, float]
    bandwidth: float
    memory: int
    price: float
    reached: float


def _gpu(
    name: str,
    bfloat16: float,
    float32: float,
    float64: float,
    bandwidth: float,
    memory: int,
    price: float,
) -> Card:
    """Rates in 10^12 operations, bandwidth in 10^12 bytes a second, memory in 10^9 bytes."""
    rates: dict[Resolved, float] = {
        "bfloat16": bfloat16 * _T,
        "float32": float32 * _T,
        "float64": float64 * _T,
    }
    return Card(name, rates, bandwidth * _T, memory * _G, price, _GPU_REACHED)


PRICES_OF = "AWS on demand, us-east-1, November 2026"
"""A GPU's share of p6-b200.48xlarge, p5en.48xlarge, p5.48xlarge, p4de.24xlarge, g6e.xlarge and
g6.xlarge; a core's of c7i.large. `--price` says otherwise."""


_GPU_REACHED = 0.5
"""Assumed: no GPU has been measured yet."""


CPU = Card("cpu", {"float32": 58 * _G, "float64": 29 * _G}, 10 * _G, 0, 0.045, 0.8)
"""A core of an AMD EPYC (AVX2): its rate, bandwidth and share are measured (tests/bench)."""


CARDS: Mapping[str, Card] = {
    card.name: card
    for card in (
        _gpu("b200", 2250, 75, 37, 7.7, 180, 14.24),
        _gpu("h200", 989, 67, 34, 4.8, 141, 7.91),
        _gpu("h100", 989, 67, 34, 3.35, 80, 6.88),
        _gpu("a100", 312, 19.5, 9.7, 2.04, 80, 3.43),
        _gpu("l40s", 362, 91.6, 1.4, 0.864, 48, 1.86),
        _gpu("l4", 121, 30.3, 0.47, 0.3, 24, 0.80),
    )
}
"""NVIDIA's data sheets: the SXM forms where there are several, without sparsity."""


SMALLEST = CARDS["l4"]
"""What is assumed of a cluster whose machines are not there yet: that of our cluster files."""


def card(name: str) -> Card:
    """The GPU of that name, in any case. RequestError, naming the nearest, where none is known."""
    try:
        return CARDS[name.lower()]
    except KeyError:
        raise RequestError(f"--gpu {name}: not known; {suggestion(name, CARDS)}") from None


def card_within(text: str) -> Card | None:
    """The GPU that a device's full name speaks of, as `NVIDIA H100 80GB HBM3`; None for others."""
    words = text.lower().replace("-", " ").replace("_", " ").split()
    return next((known for name, known in CARDS.items() if name in words), None)
