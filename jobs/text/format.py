"""Times, bytes and counts in a few words."""

from typing import Any

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def format_time(seconds: float) -> str:
    """`45 s`, `7 min`, `5.2 h`, `12 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.0f} days"


def format_size(count: int) -> str:
    """`12 bytes`, `3.4 MB`."""
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    return f"{count / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"


def format_item_counts(items: dict[str, Any]) -> str:
    """`970 of 1000 done, 25 failed (20 input, 5 memory)`."""
    failed = {kind: count for kind, count in items["failed"].items() if count}
    text = f"{items['done']} of {items['items']} done"
    if not failed:
        return text
    kinds = ", ".join(f"{count} {kind}" for kind, count in failed.items())
    return f"{text}, {sum(failed.values())} failed ({kinds})"
