"""Safe keys: allowed in every store, and no two names alike."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.tar_shards import safe_key
from jobs.store.key import is_key

parts = st.text() | st.sampled_from(["", ".", "..", "=", "=2E", "a.b", "%2E", "日本"])
names = st.lists(parts, min_size=1, max_size=4).map("/".join) | st.text(st.characters())
limits = st.integers(34, 198)


def unspelled(key: str) -> str:
    """The name that a key which was not shortened stands for."""
    found = ["" if part == "=" else _characters(part) for part in key.split("/")]
    return "/".join(found)


def _characters(part: str) -> str:
    raw = re.sub(rb"=([0-9A-F]{2})", lambda one: bytes.fromhex(one[1].decode()), part.encode())
    return raw.decode("utf-8", "surrogatepass")


@given(names, limits)
def test_every_name_has_a_key_that_stores_hold(name: str, limit: int) -> None:
    key = safe_key(name, limit)

    assert is_key(f"x/{key}")
    assert len(key) <= limit


@given(names)
def test_the_name_can_be_told_from_the_key(name: str) -> None:
    assert unspelled(safe_key(name, 10**6)) == name


@given(names, names, limits)
def test_no_two_names_have_the_same_key(one: str, other: str, limit: int) -> None:
    assert (safe_key(one, limit) == safe_key(other, limit)) == (one == other)


@given(st.text("ab=./", min_size=150), limits)
def test_long_names_that_begin_alike_stay_apart(name: str, limit: int) -> None:
    short = safe_key(name, limit)
    keys = {short, safe_key(f"{name}a", limit), safe_key(f"{name}b", limit)}

    assert len(keys) == 3
    # Nor is a shortened key that of the name which looks like it.
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
def test_keys_look_like_their_names(name: str, key: str) -> None:
    assert safe_key(name, 100) == key


def test_a_long_name_keeps_its_beginning() -> None:
    key = safe_key(f"folder/{'x' * 300}", 60)

    assert re.fullmatch(r"folder/x{19}=-[0-9a-f]{32}", key)


def test_too_little_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 34"):
        safe_key("a", 33)
