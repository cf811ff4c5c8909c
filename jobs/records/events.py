"""What happened under a lease, in order, as `show`, `watch` and `logs` tell it."""

import json
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]


def event(kind: str, **facts: str | float | None) -> Event:
    """One event, with the time of this machine in UTC."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"version": 1, "time": now, "event": kind, **facts}


def encoded(events: list[Event]) -> bytes:
    """A JSON object a line."""
    return "".join(f"{json.dumps(one)}\n" for one in events).encode()


def decoded(content: bytes) -> list[Event]:
    """The events in such an object; a line that is none is left out."""
    found = []
    for line in content.decode(errors="replace").splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and isinstance(one.get("event"), str):
            found.append(one)
    return found
