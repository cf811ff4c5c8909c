"""Logins by token and by cookie."""

import pytest

from jobs.web.session import LIFETIME, Logins
from jobs.web.settings import Tokens
from tests.support.web_server import READ, WRITE

TOKENS = Tokens(WRITE, READ)


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


def test_a_token_gives_its_role() -> None:
    logins = Logins(TOKENS)
    assert [logins.role_of_token(one) for one in (WRITE, READ, "", WRITE + "x", WRITE[:-1])] == [
        "write",
        "read",
        None,
        None,
        None,
    ]
    assert logins.role_of(f"Bearer {READ}", None) == "read"
    assert logins.role_of(f"bearer  {WRITE}", None) == "write"
    assert logins.role_of(f"Basic {WRITE}", None) is None


def test_a_missing_token_is_no_token() -> None:
    logins = Logins(Tokens(read=READ))
    assert logins.role_of_token("") is None
    assert logins.role_of("Bearer ", None) is None
    assert logins.role_of(None, None) is None


def test_without_tokens_everybody_may_do_everything() -> None:
    assert Logins(Tokens()).role_of(None, None) == "write"


def test_a_cookie_proves_a_login_for_a_month() -> None:
    clock = Clock()
    logins = Logins(TOKENS, clock)
    cookie = logins.cookie("read")
    assert logins.role_of(None, cookie) == "read"
    assert Logins(TOKENS, clock).role_of(None, cookie) == "read", "another server with the tokens"
    clock.now += LIFETIME - 1
    assert logins.role_of(None, cookie) == "read"
    clock.now += 2
    assert logins.role_of(None, cookie) is None


def test_a_cookie_does_not_contain_the_token() -> None:
    assert WRITE not in Logins(TOKENS).cookie("write")


@pytest.mark.parametrize(
    "forge",
    [
        lambda cookie: cookie.replace("read", "write", 1),
        lambda cookie: cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        lambda cookie: cookie.replace(".1", ".2", 1),
        lambda cookie: "",
        lambda cookie: "read",
        lambda cookie: "read.9999999999.",
        lambda cookie: "read.٣.x",
        lambda cookie: f"read.{'9' * 5000}.x",
    ],
)
def test_a_forged_cookie_is_no_login(forge: object) -> None:
    assert callable(forge)
    logins = Logins(TOKENS, Clock())
    assert logins.role_of(None, forge(logins.cookie("read"))) is None


def test_another_token_ends_the_logins_by_the_old_one() -> None:
    cookie = Logins(TOKENS).cookie("write")
    assert Logins(Tokens("another-" + WRITE, READ)).role_of(None, cookie) is None
