"""JSON logs for programs: one object a line, with its job and its worker."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from jobs.text.report import one_line

LogFormat = Literal["text", "json"]


LOG = logging.getLogger("dreamfarm")
"""The log of this process's work."""


EVENTS = logging.getLogger("dreamfarm-events")
"""The events that `dreamfarm logs` shows. Not a child of LOG, which holds no events."""


NOTICES = logging.getLogger("dreamfarm-notices")
"""Lines for whoever renders here, on standard error. Not a child of LOG, which a reporter keeps."""


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object in one line.

    Its fields are: time, in UTC; level; event, or `log` for other messages; message; job;
    worker, by its number in the crew; and the record's own fields. Unknown fields are null.

    always: fields of every line, such as the job of this process.
    """

    def __init__(self, always: Mapping[str, str | int | None]) -> None:
        super().__init__()
        self._always = dict(always)

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, even if the message has several."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        standard_fields: dict[str, Any] = {
            "time": time,
            "level": record.levelname.lower(),
            "event": "log",
            "message": record.getMessage(),
            "job": None,
            "worker": None,
        }
        own_fields = getattr(record, "facts", {})
        line = json.dumps(standard_fields | self._always | own_fields, default=str)
        # JSON escapes all other control characters.
        return line.replace("\x7f", "\\u007f")


class VisibleText(logging.Formatter):
    """Formats a record as one line for people, with its control characters shown."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, even if the message has several."""
        return one_line(super().format(record))


def log_fields(**known: str | float | None) -> dict[str, dict[str, str | float | None]]:
    """Return the `extra` of a log record, which adds these fields to its JSON line."""
    return {"facts": known}


def log_as_json(always: Mapping[str, str | int | None]) -> None:
    """Write all logs of this process to standard error as JSON, from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(always))
    for logger in (LOG, EVENTS):
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False


_WARNINGS = {"cut off", "left alone", "failed"}
"""Events that are logged as warnings; all others are information."""


class Notify(Protocol):
    """Notifies the operator of an event: its kind, a line for people, and its job, if any."""

    def __call__(self, event: str, line: str, job: str | None = None, /) -> None: ...


def json_notifier(event: str, line: str, job: str | None = None, /) -> None:
    """Log an event as JSON. A `Notify`."""
    level = logging.WARNING if event in _WARNINGS else logging.INFO
    EVENTS.log(level, line, extra=log_fields(event=event, job=job))
