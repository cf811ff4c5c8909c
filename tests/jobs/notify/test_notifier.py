"""Notices on their way from a store to the operator's addresses."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from jobs.notify.address import Address, read_addresses
from jobs.notify.attempts import Outcome, Rules
from jobs.notify.message import Message
from jobs.notify.notice import Audience, Notice
from jobs.notify.notifier import Notifier, rules_for
from jobs.records.keys import ACTIVE, JobKeys
from jobs.store.errors import NotAnObject, StoreUnreachable
from tests.jobs.notify.conftest import write_notice
from tests.support.memory_store import MemoryStore
from tests.support.scheduler_harness import CountingStore
from tests.support.webhook_server import SECRET_PATH, WebhookServer

RULES = Rules(timeout=0.3, dead_after=1, first_delay=0.05, growth=1, most_attempts=4)


class Poll:
    """A notifier that is offered the notices of a store again and again."""

    def __init__(self, store: MemoryStore, *addresses: Address, rules: Rules = RULES) -> None:
        self.lines: list[str] = []
        self.store = store
        self.notifier = Notifier(
            store, addresses, rules, "here:1", lambda event, line, job=None: self.lines.append(line)
        )

    def listed(self) -> list[str]:
        return [one.key for one in self.store.list_objects(ACTIVE) if "=" in one.key]

    def until_sent(self, timeout: float = 20) -> None:
        """Poll until no notice is left."""
        deadline = time.monotonic() + timeout
        while keys := self.listed():
            assert time.monotonic() < deadline, self.lines
            self.notifier.offer(keys)
            self.store.now += 0.02
            time.sleep(0.02)


@contextmanager
def polling(store: MemoryStore, *addresses: Address, rules: Rules = RULES) -> Iterator[Poll]:
    """A notifier whose threads end with this context."""
    poll = Poll(store, *addresses, rules=rules)
    try:
        yield poll
    finally:
        poll.notifier.stop()
        poll.notifier.join(5)


def addresses(*given: str) -> tuple[Address, ...]:
    return read_addresses(given, {})


class Recorder:
    """A service that answers with these outcomes, and then takes everything."""

    def __init__(self, *outcomes: Outcome | BaseException, delay: float = 0) -> None:
        self.outcomes, self.delay = list(outcomes), delay
        self.sent: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.lock = threading.Lock()

    def send(self, message: Message, timeout: float) -> Outcome:
        with self.lock:
            self.sent.append(message.notice.job)
            outcome = self.outcomes.pop(0) if self.outcomes else Outcome("sent")
        time.sleep(self.delay)
        self.may_answer.wait(30)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def address(service: Recorder, id_: str = "https+1", name: str | None = None) -> Address:
    return Address(id_, name, "https://example.org/...", service)


def all_bytes(store: MemoryStore) -> str:
    return " ".join(f"{key} {content!r}" for key, (content, _) in store.objects.items())


def test_each_address_gets_the_notice_once(
    store: MemoryStore, notice: Notice, endpoint: WebhookServer
) -> None:
    with polling(store, *addresses(endpoint.url, f"json://{endpoint.place}/x")) as poll:
        poll.until_sent()
    assert sorted(taken.path for taken in endpoint.taken) == [SECRET_PATH, "/x"]
    assert sorted(poll.lines) == [
        f"{notice.job}: told http+1 that it has failed",
        f"{notice.job}: told json+1 that it has failed",
    ]


def test_a_named_address_gets_what_asks_for_it(store: MemoryStore, notice: Notice) -> None:
    wanted = notice.model_copy(update={"job": "sea-0123456789ab", "notify": ("phone",)})
    store.put(JobKeys(wanted.job).spec, store.get(JobKeys(notice.job).spec))
    store.put(wanted.key, wanted.encode())
    everyone, phone, mail = Recorder(), Recorder(), Recorder()
    known = (address(everyone), address(phone, "phone", "phone"), address(mail, "mail", "mail"))
    with polling(store, *known) as poll:
        poll.until_sent()
    assert sorted(everyone.sent) == ["sea-0123456789ab", "sky-0123456789ab"]
    assert (phone.sent, mail.sent) == (["sea-0123456789ab"], [])


def test_a_dead_address_delays_no_other(
    store: MemoryStore, notice: Notice, endpoint: WebhookServer
) -> None:
    jobs = [f"sky{number}-0123456789ab" for number in range(5)]
    for job in jobs:
        write_notice(store, job)
    slow = Recorder()
    slow.may_answer.clear()
    known = (address(slow), *addresses(endpoint.url, "http://127.0.0.1:1/"))
    with polling(store, *known) as poll:
        begun = time.monotonic()
        poll.notifier.offer(poll.listed())
        assert time.monotonic() - begun < 2
        taken = endpoint.wait_for(6)
        while not any("http+2" in line for line in poll.lines):
            time.sleep(0.01)
        poll.notifier.stop()
        slow.may_answer.set()
    assert {json.loads(one.body)["data"]["job"] for one in taken} == {notice.job, *jobs}
    assert len(poll.listed()) == 6, "the dead address has got none"


def test_a_refused_notice_is_tried_again_and_then_given_up(
    store: MemoryStore, notice: Notice
) -> None:
    service = Recorder(*[Outcome("refused", "answered 503")] * 9)
    with polling(store, address(service)) as poll:
        poll.until_sent()
    assert len(service.sent) == RULES.most_attempts
    told = f"{notice.job}: https+1 (https://example.org/...) was not told: answered 503; "
    assert poll.lines == [f"{told}trying again in 0 s"] * 3 + [f"{told}given up"]


def test_a_notice_is_sent_when_the_address_is_back(store: MemoryStore, notice: Notice) -> None:
    service = Recorder(Outcome("refused", "answered 503"), Outcome("unanswered", "timed out"))
    with polling(store, address(service)) as poll:
        poll.until_sent()
    assert len(service.sent) == 3
    assert poll.lines[-1] == f"{notice.job}: told https+1 that it has failed"


def test_a_silent_address_gets_a_notice_twice(
    store: MemoryStore, notice: Notice, endpoint: WebhookServer
) -> None:
    endpoint.delay = 1
    with polling(store, *addresses(endpoint.url)) as poll:
        poll.until_sent()
    assert len(endpoint.taken) == 2
    ids = {taken.headers["webhook-id"] for taken in endpoint.taken}
    assert len(ids) == 1


# A thread that ends in the middle stands for a process that was killed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_sender_that_died_is_replaced_once(store: MemoryStore, notice: Notice) -> None:
    died = Recorder(SystemExit(), SystemExit())
    for number in (1, 2):
        with polling(store, address(died)) as poll:
            poll.notifier.offer(poll.listed())
            while len(died.sent) < number:
                time.sleep(0.01)
        # Nobody else takes it over before the dead one's time is up.
        early = Recorder()
        with polling(store, address(early)) as poll:
            poll.notifier.offer(poll.listed())
            time.sleep(0.1)
        assert early.sent == []
        store.now += RULES.dead_after
    with polling(store, address(died)) as poll:
        poll.until_sent()
    assert len(died.sent) == 2, "it may have arrived twice"


def test_two_notifiers_send_a_notice_once(store: MemoryStore, notice: Notice) -> None:
    for number in range(20):
        write_notice(store, f"sky{number}-0123456789ab")
    service = Recorder(delay=0.005)
    with polling(store, address(service)) as one, polling(store, address(service)) as other:
        while keys := one.listed():
            one.notifier.offer(keys)
            other.notifier.offer(keys[::-1])
            time.sleep(0.01)
    assert len(service.sent) == len(set(service.sent)) == 21


def test_no_request_follows_a_notice_that_is_sent(notice: Notice) -> None:
    store = CountingStore()
    write_notice(store, "sky-0123456789ab")
    service = Recorder()
    with polling(store, address(service)) as poll:
        poll.until_sent()
        while poll.notifier.is_busy:
            time.sleep(0.01)
        store.requests.clear()
        for _ in range(10):
            poll.notifier.offer([])
        assert not store.requests
        assert poll.notifier.waiting == 0


def test_while_a_notice_waits_polls_cost_nothing(store: MemoryStore, notice: Notice) -> None:
    counted = CountingStore()
    counted.objects = store.objects
    service = Recorder(Outcome("refused", "answered 503"))
    with polling(counted, address(service), rules=replace(RULES, first_delay=60)) as poll:
        keys = poll.listed()
        poll.notifier.offer(keys)
        while not poll.lines or poll.notifier.is_busy:
            time.sleep(0.01)
        counted.requests.clear()
        for _ in range(10):
            poll.notifier.offer(keys)
        assert not poll.notifier.is_busy
        assert not counted.requests
        assert poll.notifier.waiting == 1


def test_a_notice_of_a_deleted_job_is_dropped(store: MemoryStore, notice: Notice) -> None:
    store.delete([JobKeys(notice.job).spec])
    service = Recorder()
    with polling(store, address(service)) as poll:
        poll.until_sent()
    assert service.sent == []


def test_a_job_that_was_submitted_again_is_told_again(store: MemoryStore, notice: Notice) -> None:
    service = Recorder()
    with polling(store, address(service)) as poll:
        poll.until_sent()
        # Its attempt was written after the deletion, so it is still there.
        again = notice.model_copy(update={"nonce": "another"})
        store.put(again.key, again.encode())
        poll.notifier.offer([])
        poll.until_sent()
    assert service.sent == [notice.job] * 2
    with polling(store, address(service)) as poll:
        store.put(again.key, again.encode())
        poll.until_sent()
    assert len(service.sent) == 2


def test_a_deletion_that_fails_stops_nothing(notice: Notice, store: MemoryStore) -> None:
    class Blocked(MemoryStore):
        """Refuses the first deletions."""

        tries = 0

        def delete(self, keys: Iterable[str]) -> None:
            Blocked.tries += 1
            if Blocked.tries < 3:
                raise NotAnObject("is a folder") if Blocked.tries == 1 else StoreUnreachable("off")
            super().delete(keys)

    blocked = Blocked()
    blocked.objects = store.objects
    service = Recorder()
    started = time.monotonic()
    with polling(blocked, address(service)) as poll:
        poll.until_sent()
    assert (service.sent, Blocked.tries) == ([notice.job], 3)
    assert time.monotonic() - started < RULES.dead_after


@pytest.mark.parametrize(
    "content",
    [b"junk", b"{}", b'{"version": 1, "event": "launched"}', b"x" * (2 << 20)],
)
def test_junk_in_place_of_a_notice_is_left_alone(store: MemoryStore, content: bytes) -> None:
    key = f"{ACTIVE}sky-0123456789ab=failed@0"
    store.put(key, content)
    service = Recorder()
    with polling(store, address(service)) as poll:
        poll.notifier.offer(poll.listed())
        while not poll.lines:
            time.sleep(0.01)
    assert poll.lines[0].startswith(f"{key}: ")
    assert poll.lines[0].endswith("(left alone)")
    assert service.sent == []


def test_a_notice_at_the_key_of_another_is_dropped(store: MemoryStore, notice: Notice) -> None:
    store.put(f"{ACTIVE}sea-0123456789ab=failed@0", notice.encode())
    service = Recorder()
    with polling(store, address(service)) as poll:
        poll.until_sent()
    assert service.sent == [notice.job]


def test_a_service_with_a_bug_ends_no_courier(store: MemoryStore, notice: Notice) -> None:
    service = Recorder(RuntimeError(f"https://example.org{SECRET_PATH}"))
    with polling(store, address(service)) as poll:
        poll.notifier.offer(poll.listed())
        while not poll.lines:
            time.sleep(0.01)
        write_notice(store, "sea-0123456789ab")
        poll.notifier.offer(poll.listed())
        while len(service.sent) < 2:
            time.sleep(0.01)
    assert poll.lines[0] == "https+1: unexpected RuntimeError while sending"


def test_no_secret_is_told_or_stored(
    store: MemoryStore, notice: Notice, endpoint: WebhookServer, capfd: Any, caplog: Any
) -> None:
    endpoint.answers = [503, 404]
    secret = SECRET_PATH.strip("/")
    known = addresses(
        endpoint.url,
        f"a=http://me:{secret}@127.0.0.1:1/{secret}?key={secret}",
        f"b=json://me:{secret}@127.0.0.1:1/{secret}",
    )
    wanted = notice.model_copy(update={"notify": ("a", "b")})
    store.put(notice.key, wanted.encode())
    with polling(store, *known) as poll:
        poll.until_sent()
    told = f"{poll.lines} {all_bytes(store)} {capfd.readouterr()} {caplog.text} {known}"
    assert "127.0.0.1:1/..." in told
    assert secret not in told


def test_a_short_lease_shortens_the_timeout() -> None:
    assert (rules_for(60).timeout, rules_for(60).dead_after) == (10, 60)
    assert (rules_for(3).timeout, rules_for(3).dead_after) == (1, 3)


def test_nobody_to_tell_means_no_notice() -> None:
    store = MemoryStore()
    with pytest.raises(Exception, match="failed@0"):
        write_notice(store, "sky-0123456789ab", Audience(names=("phone",)))
    assert not [key for key in store.objects if key.startswith(ACTIVE)]
