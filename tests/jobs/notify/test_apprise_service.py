"""Messages through apprise, on its own kind of webhook, `json://`."""

import base64
import json
import logging
import socket

import pytest

from jobs.notify.address import read_addresses
from jobs.notify.message import Message, Service
from jobs.notify.notice import Notice
from jobs.records.keys import JobKeys
from tests.support.memory_store import MemoryStore
from tests.support.webhook_server import SECRET_PATH, WebhookServer

PICTURE = b"\xff\xd8\xff\xe0 a picture"


def service(port: int) -> Service:
    (address,) = read_addresses([f"json://127.0.0.1:{port}{SECRET_PATH}"], {})
    return address.service


def with_preview(store: MemoryStore, notice: Notice, key: str) -> Message:
    store.put(key, PICTURE)
    summary = {**notice.summary, "previews": [key]}
    return Message(notice.model_copy(update={"summary": summary}), store)


def test_people_get_a_title_the_reason_and_the_preview(
    endpoint: WebhookServer, store: MemoryStore, notice: Notice
) -> None:
    message = with_preview(store, notice, JobKeys(notice.job).preview(2))
    assert service(endpoint.port).send(message, 5).result == "sent"
    (taken,) = endpoint.taken
    sent = json.loads(taken.body)
    assert sent["title"] == "sky-0123456789ab: has failed"
    assert sent["message"].splitlines()[0] == "no memory"
    assert sent["message"].splitlines()[-1] == "dreamfarm logs sky-0123456789ab --store memory"
    assert sent["type"] == "failure"
    (attached,) = sent["attachments"]
    assert base64.b64decode(attached["base64"]) == PICTURE
    assert attached["mimetype"] == "image/jpeg"


@pytest.mark.parametrize("key", ["jobs/other-0123456789ab/previews/octave-01.jpg", "blobs/secret"])
def test_nothing_but_previews_of_the_job_is_sent(
    endpoint: WebhookServer, store: MemoryStore, notice: Notice, key: str
) -> None:
    assert service(endpoint.port).send(with_preview(store, notice, key), 5).result == "sent"
    assert json.loads(endpoint.taken[0].body)["attachments"] == []


def test_a_preview_that_is_gone_is_left_out(
    endpoint: WebhookServer, store: MemoryStore, notice: Notice
) -> None:
    key = JobKeys(notice.job).preview(2)
    message = with_preview(store, notice, key)
    store.delete([key])
    assert service(endpoint.port).send(message, 5).result == "sent"


def test_an_error_may_be_tried_again(
    endpoint: WebhookServer, store: MemoryStore, notice: Notice
) -> None:
    endpoint.answers = [500]
    assert service(endpoint.port).send(Message(notice, store), 5).result == "refused"


def test_a_redirect_is_not_followed(
    endpoint: WebhookServer, store: MemoryStore, notice: Notice
) -> None:
    endpoint.answers, endpoint.location = [307], f"http://{endpoint.place}/elsewhere"
    assert service(endpoint.port).send(Message(notice, store), 5).result == "refused"
    assert len(endpoint.taken) == 1


def test_a_silent_service_may_have_taken_the_message(
    endpoint: WebhookServer, store: MemoryStore, notice: Notice
) -> None:
    endpoint.delay = 1
    assert service(endpoint.port).send(Message(notice, store), 0.2).result == "unanswered"


def test_a_service_out_of_reach_shows_no_secret(
    store: MemoryStore,
    notice: Notice,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    outcome = service(port).send(Message(notice, store), 5)
    assert outcome.result == "refused"
    told = f"{outcome.detail} {caplog.text} {''.join(capfd.readouterr())}"
    assert SECRET_PATH not in told
