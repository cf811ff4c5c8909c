"""What a feature's picture takes in memory, known before it is dreamed; needs no torch."""

from render.cost import Cost
from render.feature.recipe import FeatureRecipe
from render.feature.view import largest_view
from render.study_memory import StudyMemory

_CHANNELS = 3

_PICTURES, _VIEWS = 6, 5
"""Copies of the picture, and of a view of it, that are alive while the network is passed: the
coefficients, Adam's sums, and what the way from them to the view keeps for its gradient."""


def feature_memory(recipe: FeatureRecipe, cost: Cost) -> StudyMemory:
    """The memory of one feature's picture. `cost` is that of the recipe's mix in its precision."""
    pixel = _CHANNELS * (8 if recipe.precision == "float64" else 4)
    height, width = recipe.size
    down, across = largest_view(recipe.size, recipe.least)
    held = (_PICTURES * height * width + _VIEWS * down * across) * pixel
    gradients = len(recipe.mix) * down * across * pixel
    return StudyMemory(held, cost.bytes(down * across) + gradients)
