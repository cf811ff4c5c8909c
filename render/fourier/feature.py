"""A feature's picture, found from nothing: what a network sees most of what an objective asks."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from render.determinism import dtypes
from render.dream.config import Moment
from render.dream.gradient import gradients
from render.dream.objective import Objective
from render.dream.step import Step, step_scales
from render.dream.update import abs_sums, clamp_canvas
from render.engine.in_memory import DreamResult
from render.errors import RenderError
from render.fourier.parametrisation import Adam, FourierBasis, decorrelated_to_canvas, sample_view
from render.fourier.setup import FeatureSetup, view_transform
from render.geometry.rect import Rect
from render.geometry.units import WindowPosition
from render.networks.network import Network


def dream_feature(network: Network, setup: FeatureSetup, seed: int) -> DreamResult:
    """The picture of a seed: a canvas (height, width, 3) on the CPU; or why there is none.

    The picture is decorrelated colours in a Fourier basis, and each step climbs what the network
    sees of it in another view (Olah, Mordvintsev, Schubert 2017, "Feature Visualization"). A seed
    from 0 to 2**63 - 1 decides the coefficients at the start, and the views. What nothing excites
    has a picture of nothing: the start, which is all but grey.

    `network` is on the recipe's device, and `attentive`; the process has called
    `render.determinism.make_deterministic`. Masks do not count.
    """
    search = _Search(network, setup, seed)
    try:
        for step in range(setup.fourier.steps):
            search.climb(step)
    except RenderError as error:
        # The trace would keep the search's tensors alive for as long as the error.
        return error.with_traceback(None)
    return search.found


class _Search:
    """One picture on its way up."""

    def __init__(self, network: Network, setup: FeatureSetup, seed: int) -> None:
        dtype, device = dtypes(setup.precision).canvas, torch.device(setup.device)
        self._network, self._setup, self._seed = network, setup, seed
        self._waves = FourierBasis(setup.size, setup.fourier.decay, dtype, device)
        self._coefficients = self._waves.drawn(seed)
        self._adam = Adam(self._coefficients, setup.fourier.rate)
        self._was_answered = False

    @property
    def found(self) -> Tensor:
        """The picture as it is: (height, width, 3), on the CPU."""
        best = self._coefficients if self._was_answered else self._waves.drawn(self._seed)
        return clamp_canvas(decorrelated_to_canvas(self._waves.summed(best))).contiguous().cpu()

    def climb(self, step: int) -> None:
        """Change the coefficients as one view of their picture asks for."""
        with torch.enable_grad():
            leaves = self._coefficients.detach().requires_grad_()
            picture = decorrelated_to_canvas(self._waves.summed(leaves))
            look = view_transform(self._seed, step, self._setup.fourier.turn)
            seen = sample_view(picture, look, self._setup.least)
        (slope,) = torch.autograd.grad(seen, leaves, self._pull(seen.detach(), step))
        self._adam.step(slope)

    def _pull(self, seen: Tensor, step: int) -> Tensor:
        """Which way a view (h, w, 3) leads up."""
        asked = self._setup.mix.at(Moment(0, 1, step, self._setup.fourier.steps))
        pull = self._summed(asked, seen)
        if pull.any():
            self._was_answered = True
            return pull
        # Channels that are silent all over the view have no gradient. What excites their layer as
        # a whole wakes most of them (of SqueezeNet's features.12 all but 34 of 319).
        wider = [replace(one, channels=None) for one in asked if one.channels is not None]
        return self._summed(wider, seen) if wider else pull

    def _summed(self, asked: Sequence[Objective], seen: Tensor) -> Tensor:
        """The objectives' gradients on a view, each by its own mean |g|.

        Neurons are looked for where they are in the view, whatever it shows there, as in Lucid.
        """
        size = (seen.shape[0], seen.shape[1])
        place = WindowPosition((0, 0), (0, 0), size, size)
        found = gradients(self._network, asked, seen, Rect(0, 0, *size), place)
        sums = [tuple(abs_sums(found).tolist())]
        factors = step_scales(Step(tuple(asked), 1.0, (0, 0)), sums, size, self._network.units)
        pull = torch.zeros_like(seen)
        for gradient, factor in zip(found, factors, strict=True):
            pull += gradient * factor
        return pull
