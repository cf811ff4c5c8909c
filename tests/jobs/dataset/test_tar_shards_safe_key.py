"""Safe keys: valid in every store, and different for different names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.tar_shards import safe_key
from jobs.store.key import is_key

parts = st.text() | st.sampled_from(["", ".", "..", "=", "=2E", "a.b", "%2E", "日本"])
names = st.lists(parts, min_size=1, max_size=4).map("/".join) | st.text(st.characters())
limits = st.integers(34, 198)


def decode_key(key: str) -> str:
    """Decode a key that was not shortened."""
    found = ["" if part == "=" else _characters(part) for part in key.split("/")]
    return "/".join(found)


def _characters(part: str) -> str:
    raw = re.sub(rb"=([0-9A-F]{2})", lambda one: bytes.fromhex(one[1].decode()), part.encode())
    return raw.decode("utf-8", "surrogatepass")


@given(names, limits)
def test_every_name_has_a_valid_key(name: str, limit: int) -> None:
    key = safe_key(name, limit)

    assert is_key(f"x/{key}")
    assert len(key) <= limit


@given(names)
def test_a_key_can_be_decoded(name: str) -> None:
    assert decode_key(safe_key(name, 10**6)) == name


@given(names, names, limits)
def test_different_names_have_different_keys(one: str, other: str, limit: int) -> None:
    assert (safe_key(one, limit) == safe_key(other, limit)) == (one == other)


@given(st.text("ab=./", min_size=150), limits)
def test_long_names_with_equal_starts_have_different_keys(name: str, limit: int) -> None:
    short = safe_key(name, limit)
    keys = {short, safe_key(f"{name}a", limit), safe_key(f"{name}b", limit)}

    assert len(keys) == 3
    # A name that looks like a shortened key has another key.
    assert safe_key(short, 10**6) != short


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a/b/cat.v2+x@1-y_z", "a/b/cat.v2+x@1-y_z"),
        ("a b", "a=20b"),
        ("é", "=C3=A9"),
        ("a=b", "a=3Db"),
        ("../.hidden/.", "=2E=2E/.hidden/=2E"),
        ("/a//b/", "=/a/=/b/="),
        ("", "="),
    ],
)
def test_the_format_of_safe_keys(name: str, key: str) -> None:
    assert safe_key(name, 100) == key


def test_a_long_name_keeps_its_start() -> None:
    key = safe_key(f"folder/{'x' * 300}", 60)

    assert re.fullmatch(r"folder/x{19}=-[0-9a-f]{32}", key)


def test_a_limit_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 34"):
        safe_key("a", 33)
