"""Suggestions for a mistyped word, and messages of one short line."""

from hypothesis import given
from hypothesis import strategies as st

from render.errors import PictureError, close_matches, message_line, suggest, visible

LAYERS = ["features.3", "features.9", "classifier", "avgpool"]


def test_the_most_similar_comes_first() -> None:
    assert close_matches("feature.9", LAYERS)[0] == "features.9"
    assert close_matches("feature.9", LAYERS, n=1) == ["features.9"]


def test_case_is_ignored() -> None:
    assert close_matches("squeezenet", ["VGG", "SqueezeNet"]) == ["SqueezeNet"]


def test_a_suggestion_names_the_near_or_else_all() -> None:
    assert suggest("setps", ["steps", "seed", "jitter"]) == "nearest: steps"
    assert suggest("qqq", ["steps", "seed"]) == "known: seed, steps"


@given(st.text())
def test_a_message_is_one_visible_line(text: str) -> None:
    line = message_line(text)
    assert visible(line) == line
    assert message_line(line) == line


def test_a_long_message_keeps_what_it_names_and_what_to_do() -> None:
    said = str(PictureError("/a\r\nb\x1b[2J: " + "x" * 10**6 + "; choose another"))
    assert said.startswith("/a b\\x1b[2J: xxx")
    assert said.endswith("xxx; choose another")
    assert len(said) < 2000


@given(st.lists(st.text(min_size=1), min_size=1, unique_by=str.lower))
def test_a_known_word_is_nearest_to_itself(words: list[str]) -> None:
    assert close_matches(words[0], words)[0] == words[0]
