"""Webhooks: what they send, how it is signed, and what the answers mean."""

import base64
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from jobs.notify.message import Message
from jobs.notify.notice import Notice
from jobs.notify.webhook import Webhook, signature_headers, webhook_body
from tests.support.memory_store import MemoryStore
from tests.support.webhook_server import SECRET_PATH, WebhookServer

KEYS = (b"new" * 10, b"old" * 10)


@pytest.fixture
def message(store: MemoryStore, notice: Notice) -> Message:
    return Message(notice, store)


def webhook(url: str, *keys: bytes) -> Webhook:
    return Webhook(urlsplit(url), keys)


def verifier(key: bytes) -> Verifier:
    return Verifier("whsec_" + base64.b64encode(key).decode())


def test_the_document_tells_what_show_tells(endpoint: WebhookServer, message: Message) -> None:
    assert webhook(endpoint.url).send(message, 5).result == "sent"
    (taken,) = endpoint.taken
    document = json.loads(taken.body)
    assert (taken.path, document["type"]) == (SECRET_PATH, "job.failed")
    assert document["timestamp"] == message.notice.time
    assert document["data"] == {**message.notice.summary, "store": "memory"}
    facts = {key: document["data"][key] for key in ("job", "state", "reason", "failure")}
    assert facts == {
        "job": "sky-0123456789ab",
        "state": "failed",
        "reason": "no memory",
        "failure": "memory",
    }
    assert taken.headers["content-type"] == "application/json"
    assert "webhook-signature" not in taken.headers


@pytest.mark.parametrize("key", KEYS)
def test_the_signature_verifies_with_each_secret(
    endpoint: WebhookServer, message: Message, key: bytes
) -> None:
    webhook(endpoint.url, *KEYS).send(message, 5)
    (taken,) = endpoint.taken
    assert verifier(key).verify(taken.body, taken.headers) == json.loads(taken.body)
    assert taken.headers["webhook-id"] == message.id


@pytest.mark.parametrize(("identifier", "later"), [("msg_other", 0), (None, 60), (None, -3600)])
def test_the_signature_covers_id_and_time(
    endpoint: WebhookServer, message: Message, identifier: str | None, later: int
) -> None:
    """Another id, or a time some seconds later."""
    webhook(endpoint.url, KEYS[0]).send(message, 5)
    (taken,) = endpoint.taken
    changed = {
        "webhook-id": identifier or taken.headers["webhook-id"],
        "webhook-timestamp": str(int(taken.headers["webhook-timestamp"]) + later),
    }
    with pytest.raises(WebhookVerificationError):
        verifier(KEYS[0]).verify(taken.body, {**taken.headers, **changed})


def test_the_signature_covers_the_body_and_needs_the_secret(
    endpoint: WebhookServer, message: Message
) -> None:
    webhook(endpoint.url, KEYS[0]).send(message, 5)
    (taken,) = endpoint.taken
    with pytest.raises(WebhookVerificationError):
        verifier(KEYS[0]).verify(taken.body + b" ", taken.headers)
    with pytest.raises(WebhookVerificationError):
        verifier(KEYS[1]).verify(taken.body, taken.headers)


def test_a_replayed_message_is_too_old(message: Message) -> None:
    body = webhook_body(message)
    for age, is_good in ((0, True), (240, True), (600, False)):
        headers = signature_headers(message.id, int(time.time()) - age, body, KEYS[:1])
        try:
            verifier(KEYS[0]).verify(body, headers)
        except WebhookVerificationError:
            assert not is_good
        else:
            assert is_good


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, "sent"),
        (204, "sent"),
        (400, "rejected"),
        (401, "rejected"),
        (404, "rejected"),
        (410, "rejected"),
        (408, "refused"),
        (429, "refused"),
        (500, "refused"),
        (503, "refused"),
        (504, "unanswered"),
    ],
)
def test_an_answer_means(
    endpoint: WebhookServer, message: Message, status: int, result: str
) -> None:
    endpoint.answers = [status]
    outcome = webhook(endpoint.url).send(message, 5)
    assert outcome.result == result
    assert result == "sent" or outcome.detail == f"answered {status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(endpoint: WebhookServer, message: Message, status: int) -> None:
    endpoint.answers, endpoint.location = [status], f"http://{endpoint.place}/latest/meta-data/"
    outcome = webhook(endpoint.url).send(message, 5)
    assert (outcome.result, len(endpoint.taken)) == ("rejected", 1)
    assert outcome.detail == f"answered {status}; redirects are not followed"


def test_a_login_in_the_address_is_sent_as_one(endpoint: WebhookServer, message: Message) -> None:
    webhook(f"http://me:p%40ss@{endpoint.place}/x#part").send(message, 5)
    (taken,) = endpoint.taken
    assert taken.path == "/x"
    assert taken.headers["authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()


def test_a_silent_endpoint_may_have_taken_the_message(
    endpoint: WebhookServer, message: Message
) -> None:
    endpoint.delay = 1
    begun = time.monotonic()
    outcome = webhook(endpoint.url).send(message, 0.2)
    assert outcome.result == "unanswered"
    assert SECRET_PATH not in outcome.detail
    assert time.monotonic() - begun < 0.9


def test_an_endpoint_that_hangs_up_may_have_taken_the_message(message: Message) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.listen()

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(1 << 20)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        outcome = webhook(f"http://127.0.0.1:{port}{SECRET_PATH}").send(message, 5)
        thread.join()
    assert outcome.result == "unanswered"
    assert SECRET_PATH not in outcome.detail


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_without_a_connection_the_message_has_not_arrived(message: Message, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    outcome = webhook(f"{scheme}://127.0.0.1:{port}{SECRET_PATH}").send(message, 5)
    assert (outcome.result, outcome.detail) == ("refused", "Connection refused")


def test_each_notice_has_one_id(store: MemoryStore, notice: Notice) -> None:
    same = Message(notice.model_copy(update={"time": "later"}), store)
    assert Message(notice, store).id == same.id
    again = Message(notice.model_copy(update={"nonce": "of another submit"}), store)
    assert again.id != same.id
    assert "." not in same.id
