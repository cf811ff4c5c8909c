"""The operator's addresses: forms, names, secrets, and what is wrong with some."""

import base64
from pathlib import Path

import pytest

from jobs.notify.address import SECRET, VARIABLE, Address, audience_of, read_addresses
from jobs.text.errors import RequestError

TOKEN = "s3cr3t"
GOOD_SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def read(*given: str, **environment: str) -> list[tuple[str, str | None, str]]:
    found = read_addresses(given, environment)
    assert TOKEN not in repr(found)
    return [(one.id, one.name, one.shown) for one in found]


def test_addresses_come_from_options_the_environment_and_files(tmp_path: Path) -> None:
    file = tmp_path / "addresses"
    file.write_text(f"# of the studio\n\n phone=ntfy://{TOKEN}@example.org/topic \n")
    variable = {VARIABLE: f"http://hooks.example.org:81/{TOKEN} json://localhost/{TOKEN}"}
    assert read(f"https://user:{TOKEN}@example.org/a?b={TOKEN}", f"@{file}", **variable) == [
        ("https+1", None, "https://example.org/..."),
        ("phone", "phone", "ntfy://..."),
        ("http+1", None, "http://hooks.example.org:81/..."),
        ("json+1", None, "json://..."),
    ]
    assert read(**{VARIABLE: f"@{file}"}) == [("phone", "phone", "ntfy://...")]
    assert read() == []


def test_addresses_without_names_are_numbered_by_scheme() -> None:
    urls = [f"http://example.org/{TOKEN}/{name}" for name in "abc"]
    assert [one[0] for one in read(urls[0], f"studio={urls[1]}", urls[2])] == [
        "http+1",
        "studio",
        "http+2",
    ]


def test_web_addresses_of_known_services_go_through_apprise() -> None:
    url = f"https://discord.com/api/webhooks/123456789/{TOKEN}abcdefghijklmnop"
    assert read(f"chat={url}") == [("chat", "chat", "https://...")]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (TOKEN, "is no address"),
        (f"Phone=https://example.org/{TOKEN}", "is no address"),
        (f"a b=https://example.org/{TOKEN}", "is no address"),
        (f"https://example.org/{TOKEN}\n", None),
        (f"https://example.org/{TOKEN} x", "is no address"),
        (f"https://example.org/\x1b{TOKEN}", "is no address"),
        (f"https://:80/{TOKEN}", "no valid host"),
        (f"https://example.org:99999/{TOKEN}", "no valid host"),
        (f"https://[::1/{TOKEN}", "no valid host"),
        (f"https://example.org/caf\u00e9/{TOKEN}", "other letters than ASCII"),
        (f"https://example.org/?a=\u00e9{TOKEN}", "other letters than ASCII"),
        (f"nonsense://{TOKEN}", "apprise does not know"),
        ("tgram://s3cr3t", "apprise does not know"),
        ("@/nowhere/at/all", "No such file"),
    ],
)
def test_a_bad_address_is_refused_without_its_secret(given: str, problem: str | None) -> None:
    if problem is None:
        assert read(given)
        return
    with pytest.raises(RequestError, match=problem) as caught:
        read_addresses([given], {})
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_is_given_once() -> None:
    with pytest.raises(RequestError, match="the name a is given 2 times"):
        read("a=http://example.org/1", "a=http://example.org/2")


def test_there_are_at_most_twenty_addresses() -> None:
    with pytest.raises(RequestError, match="21 addresses; give at most 20"):
        read(*(f"http://example.org/{number}" for number in range(21)))


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        f"whsec_{TOKEN}",
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
        base64.b64encode(b"k" * 32).decode(),
        f"{GOOD_SECRET} whsec_!",
    ],
)
def test_a_bad_secret_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(RequestError, match="24 to 64 bytes in base64") as caught:
        read_addresses(["http://example.org"], {SECRET: secret})
    assert secret not in str(caught.value)


def test_secrets_come_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{GOOD_SECRET}\n")
    assert read_addresses(["http://example.org"], {SECRET: f"@{file}"})
    with pytest.raises(RequestError, match="No such file"):
        read_addresses(["http://example.org"], {SECRET: f"@{file}-not"})


def addresses(*given: str) -> tuple[Address, ...]:
    return read_addresses(given, {})


def test_an_address_without_a_name_hears_of_all_jobs() -> None:
    named = audience_of(addresses("phone=http://example.org/1"))
    assert [named.wants(names) for names in ((), ("phone",), ("mail",))] == [False, True, False]
    everyone = audience_of(addresses("phone=http://example.org/1", "http://example.org/2"))
    assert everyone.wants(())
    assert everyone.unknown_names(("phone",)) is None
    assert "called mail or sms; start" in (everyone.unknown_names(("mail", "phone", "sms")) or "")
