"""A comparison of crews as JSON values, and as a table for people."""

from typing import Any

from jobs.planning.estimate.comparison import MIN_MARGINAL_EFFICIENCY, Comparison
from jobs.text.report import Properties, Table, format_size, format_time

_MINUTES_FROM = 600.0
"""Times below this many seconds are printed in seconds, so that crews differ visibly."""


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain JSON values, in seconds, bytes and US dollars."""
    conditions = comparison.conditions
    return {
        "speed": conditions.speed.origin,
        "network_gbps": conditions.network.gbps,
        "price": conditions.price,
        "prices": conditions.price_source,
        "crews": [
            {
                "workers": crew.workers,
                "seconds": round(crew.seconds, 2),
                "phases": {
                    name: round(getattr(crew, name), 2)
                    for name in ("start", "decode", "dream", "encode")
                },
                "step": {
                    name: round(getattr(crew.step, name), 6)
                    for name in ("seconds", "compute", "halo", "calls")
                },
                "halo_bytes_step": crew.step.halo_bytes,
                "halo_bytes": crew.halo_bytes,
                "efficiency": round(comparison.efficiency(crew), 4),
                "cost": None if crew.cost is None else round(crew.cost, 4),
            }
            for crew in comparison.crews
        ],
        "useful_workers": comparison.useful_workers,
        "pays": MIN_MARGINAL_EFFICIENCY,
    }


def comparison_sections(document: dict[str, Any]) -> tuple[Table | Properties, ...]:
    """A comparison for people: a row for each crew, then the assumptions."""
    rows = [
        (
            crew["workers"],
            _format_step(crew["step"]["seconds"]),
            format_size(crew["halo_bytes_step"]),
            _format_total(crew["seconds"]),
            f"{crew['efficiency']:.0%}",
            _format_cost(crew["cost"]),
        )
        for crew in document["crews"]
    ]
    headings = ("workers", "a step", "halos a step", "time", "efficiency", "USD")
    return Table(headings, rows), Properties(_properties(document))


def _properties(document: dict[str, Any]) -> list[tuple[str, str]]:
    gbps, price = document["network_gbps"], document["price"]
    useful = document["useful_workers"]
    hourly = "unknown; give --price" if price is None else f"{price:g} USD a worker and hour"
    source = "" if document["prices"] is None else f" ({document['prices']})"
    return [
        ("speed", document["speed"]),
        ("network", "none: one machine" if gbps is None else f"{gbps:g} Gbit/s a worker"),
        ("price", f"{hourly}{source}"),
        (
            "stops paying",
            f"beyond {useful} worker{'' if useful == 1 else 's'}: each further worker adds less "
            f"than {document['pays']:.0%} of what one does alone",
        ),
    ]


def _format_cost(dollars: float | None) -> str:
    if dollars is None:
        return "?"
    return "under 0.01" if 0 < dollars < 0.01 else f"{dollars:.2f}"


def _format_step(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds * 1000:.0f} ms"


def _format_total(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _MINUTES_FROM else format_time(seconds)
