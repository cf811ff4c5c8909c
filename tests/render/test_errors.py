"""Suggestions for a mistyped word."""

from hypothesis import given
from hypothesis import strategies as st

from render.errors import close_matches, suggest

LAYERS = ["features.3", "features.9", "classifier", "avgpool"]


def test_the_most_similar_comes_first() -> None:
    assert close_matches("feature.9", LAYERS)[0] == "features.9"
    assert close_matches("feature.9", LAYERS, n=1) == ["features.9"]


def test_case_is_ignored() -> None:
    assert close_matches("squeezenet", ["VGG", "SqueezeNet"]) == ["SqueezeNet"]


def test_a_suggestion_names_the_near_or_else_all() -> None:
    assert suggest("setps", ["steps", "seed", "jitter"]) == "nearest: steps"
    assert suggest("qqq", ["steps", "seed"]) == "known: seed, steps"


@given(st.lists(st.text(min_size=1), min_size=1, unique_by=str.lower))
def test_a_known_word_is_nearest_to_itself(words: list[str]) -> None:
    assert close_matches(words[0], words)[0] == words[0]
