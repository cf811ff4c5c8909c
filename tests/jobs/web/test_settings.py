"""What the operator of a server decides."""

from pathlib import Path

import pytest

from jobs.text.errors import RequestError
from jobs.web.settings import (
    ServeSettings,
    Tokens,
    is_loopback,
    parse_max_upload,
    read_tokens,
)

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "farm.example.com", ""])
def test_nobody_listens_beyond_loopback_without_a_token(host: str) -> None:
    with pytest.raises(RequestError, match="needs a token"):
        ServeSettings(host).check()
    ServeSettings(host, tokens=Tokens(write=TOKEN)).check()
    ServeSettings(host, tokens=Tokens(read=TOKEN)).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    ServeSettings(host).check()


def test_tokens_come_from_files_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREAMFARM_READ_TOKEN", TOKEN)
    (tmp_path / "token").write_text(f"{TOKEN[::-1]}\n")
    tokens = read_tokens(tmp_path / "token", None)
    assert (tokens.write, tokens.read) == (TOKEN[::-1], TOKEN)


@pytest.mark.parametrize("content", [b"", b"short\n", "schlüssel-schlüssel".encode()])
def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(RequestError, match="--token-file"):
        read_tokens(tmp_path / "token", None)


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nothing: No such file"):
        read_tokens(None, tmp_path / "nothing")


def test_tokens_are_not_shown() -> None:
    assert TOKEN not in repr(ServeSettings(tokens=Tokens(TOKEN, TOKEN)))


@pytest.mark.parametrize(("text", "size"), [(None, 2 << 30), ("500MB", 500_000_000), ("7", 7)])
def test_the_size_of_uploads(text: str | None, size: int) -> None:
    assert parse_max_upload(text) == size


@pytest.mark.parametrize("text", ["0", "-1", "much", ""])
def test_a_wrong_size_of_uploads_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="--max-upload"):
        parse_max_upload(text)
