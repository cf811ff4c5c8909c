"""JSON logs: each line is one object."""

import json
import logging
from collections.abc import Iterator

import pytest

from jobs.runtime.logs import EVENTS, LOG, json_notifier, log_as_json, log_fields


@pytest.fixture(autouse=True)
def restored_loggers() -> Iterator[None]:
    """Loggers without handlers of earlier tests; restores them after each test."""
    before = [(one, one.level, one.propagate, list(one.handlers)) for one in (LOG, EVENTS)]
    for one in (LOG, EVENTS):
        one.handlers = []
    yield
    for one, level, propagate, handlers in before:
        one.setLevel(level)
        one.propagate, one.handlers = propagate, handlers


def test_each_line_has_the_job_and_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    log_as_json({"job": "sky-1", "lease": 2})
    LOG.warning("lost\nin %s", "lines", extra=log_fields(worker=3))
    EVENTS.info("crew", extra=log_fields(event="crew", workers=4))
    first, second = map(json.loads, capsys.readouterr().err.splitlines())

    assert first.pop("time") <= second.pop("time")
    assert first == {
        "level": "warning",
        "event": "log",
        "message": "lost\nin lines",
        "job": "sky-1",
        "worker": 3,
        "lease": 2,
    }
    assert (second["event"], second["worker"], second["workers"]) == ("crew", None, 4)


def test_a_notification_has_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    log_as_json({"scheduler": "here:1"})
    json_notifier("started", "sky-1: started (lease 1)", "sky-1")
    json_notifier("cut off", "no connection; trying again")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())

    assert (first["level"], first["event"], first["job"]) == ("info", "started", "sky-1")
    assert first["scheduler"] == "here:1"
    assert (second["level"], second["event"], second["job"]) == ("warning", "cut off", None)


def test_events_are_not_in_the_log_of_a_job() -> None:
    messages: list[str] = []

    class RecordingHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    LOG.setLevel(logging.INFO)
    LOG.addHandler(RecordingHandler())
    EVENTS.info("crew")
    LOG.info("message")
    assert messages == ["message"]
