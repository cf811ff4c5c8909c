"""A seed moves motifs; no trace of its noise is left."""

from pathlib import Path

import numpy as np
import torch

import render
from render.dream.config import Dream
from render.dream.start_noise import first_base
from render.geometry.rect import Rect
from render.pictures.colour import MEAN, STD

SIZE = (40, 64)
WHOLE = Rect(0, 0, *SIZE)


def noisy(seed: int, rect: Rect = WHOLE, octaves: int = 2, **fields: object) -> torch.Tensor:
    base = torch.zeros(rect.height, rect.width, 3, dtype=torch.float64)
    dream = Dream(seed=seed, **fields)  # type: ignore[arg-type]
    return first_base(base, dream, seed, octaves, SIZE, rect)


def test_noise_is_the_same_for_any_part() -> None:
    part = Rect(7, 20, 31, 64)
    assert torch.equal(noisy(3, part), noisy(3)[part.slices()])


def test_each_seed_has_its_own_noise_and_seed_0_has_none() -> None:
    assert not noisy(0).any()
    first, second = (noisy(seed).flatten().numpy() for seed in (1, 2))
    assert first.std() > 0.3
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.5


def test_a_single_octave_has_no_noise() -> None:
    assert not noisy(3, octaves=1).any()


def test_kept_colours_have_only_light_and_dark_noise() -> None:
    # A grey base, so that no channel meets its limit before the others.
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    base = ((0.5 - mean) / std).expand(*SIZE, 3).double()
    dream = Dream(seed=4, keep="colours")
    rgb = first_base(base, dream, 4, 2, SIZE, WHOLE) * std + mean
    assert (rgb.amax(-1) - rgb.amin(-1)).max() < 1e-6
    assert rgb.std() > 0.05


def test_without_steps_a_seed_leaves_a_plain_resize() -> None:
    picture = np.random.default_rng(0).random((130, 170, 3))
    plain, seeded = (render.deepdream(picture, steps=0, seed=seed) for seed in (0, 9))
    np.testing.assert_array_equal(plain, seeded)


def test_two_seeds_dream_two_compositions() -> None:
    """How much of the change to the picture two seeds have in common, as a correlation.

    Jitter alone leaves 0.6 to 0.7 here. That of equal seeds is 1.
    """
    picture = Path(__file__).parents[3] / "jobs" / "demo" / "landscape.jpg"
    plain, *dreams = (
        render.deepdream(picture, size=(133, 200), steps=steps, seed=seed).astype(float)
        for steps, seed in ((0, 0), (4, 0), (4, 1), (4, 2))
    )
    found = np.corrcoef([(one - plain).ravel() for one in dreams])
    assert np.abs(found[np.triu_indices(3, 1)]).max() < 0.35
