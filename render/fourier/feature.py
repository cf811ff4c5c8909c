"""Feature visualisation: a picture, made from noise, that maximises an objective.

The picture has decorrelated colours in a Fourier basis. Each step transforms it at random, and
ascends the gradient of the transformed picture (Olah, Mordvintsev, Schubert 2017, "Feature
Visualization").
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from render.determinism import dtypes
from render.dream.canvas import abs_sums, clamp_canvas
from render.dream.config import Moment
from render.dream.gradient import gradients
from render.dream.objective import Objective
from render.dream.step import Step, step_scales
from render.engine.in_memory import DreamResult
from render.errors import RenderError
from render.fourier.parametrisation import Adam, FourierBasis, decorrelated_to_canvas, sample_view
from render.fourier.setup import FeatureSetup, view_transform
from render.geometry.rect import Rect
from render.geometry.units import WindowPosition
from render.networks.network import Network


def dream_feature(network: Network, setup: FeatureSetup, seed: int) -> DreamResult:
    """A canvas (height, width, 3) on the CPU; or the error, if gradients are not finite.

    If no gradient is ever above zero, the result is the almost grey noise of the start.

    Args:
        network: A network from `prepare_objectives` on the setup's device. The process must have
            called `make_deterministic`.
        setup: The objectives and parameters. Masks are ignored.
        seed: Decides the noise of the start and the views, from 0 to 2**63 - 1.
    """
    ascent = _FeatureAscent(network, setup, seed)
    try:
        for step in range(setup.fourier.steps):
            ascent.step(step)
    except RenderError as error:
        # The traceback would keep the ascent's tensors alive for as long as the error.
        return error.with_traceback(None)
    return ascent.canvas


class _FeatureAscent:
    """Gradient ascent on the coefficients of one picture."""

    def __init__(self, network: Network, setup: FeatureSetup, seed: int) -> None:
        dtype, device = dtypes(setup.precision).canvas, torch.device(setup.device)
        self._network, self._setup, self._seed = network, setup, seed
        self._basis = FourierBasis(setup.size, setup.fourier.decay, dtype, device)
        self._coefficients = self._basis.random_coefficients(seed)
        self._adam = Adam(self._coefficients, setup.fourier.rate)
        self._had_gradient = False

    @property
    def canvas(self) -> Tensor:
        """The canvas after the steps so far: (height, width, 3), on the CPU."""
        start = self._basis.random_coefficients(self._seed)
        best = self._coefficients if self._had_gradient else start
        return clamp_canvas(decorrelated_to_canvas(self._basis.picture(best))).contiguous().cpu()

    def step(self, number: int) -> None:
        """Ascend the gradient of one view of the picture; `number` counts from 0."""
        with torch.enable_grad():
            leaves = self._coefficients.detach().requires_grad_()
            canvas = decorrelated_to_canvas(self._basis.picture(leaves))
            transform = view_transform(self._seed, number, self._setup.fourier.turn)
            view = sample_view(canvas, transform, self._setup.min_side)
        view_gradient = self._view_gradient(view.detach(), number)
        (gradient,) = torch.autograd.grad(view, leaves, view_gradient)
        self._adam.step(gradient)

    def _view_gradient(self, view: Tensor, number: int) -> Tensor:
        """The gradient of the step's objectives on a view: (h, w, 3)."""
        objectives = self._setup.mix.at_moment(Moment(0, 1, number, self._setup.fourier.steps))
        gradient = self._weighted_gradient(objectives, view)
        if gradient.any():
            self._had_gradient = True
            return gradient
        # Channels that are inactive all over the view have no gradient. The gradient of the whole
        # layer activates most of them (of SqueezeNet's features.12 all but 34 of 319).
        wider = [replace(one, channels=None) for one in objectives if one.channels is not None]
        return self._weighted_gradient(wider, view) if wider else gradient

    def _weighted_gradient(self, objectives: Sequence[Objective], view: Tensor) -> Tensor:
        """The sum of the objectives' gradients, each divided by its own mean |g|.

        Positions of neurons are relative to the view, whatever it shows there, as in Lucid.
        """
        size = (view.shape[0], view.shape[1])
        position = WindowPosition((0, 0), (0, 0), size, size)
        each = gradients(self._network, objectives, view, Rect(0, 0, *size), position)
        sums = [tuple(abs_sums(each).tolist())]
        step = Step(tuple(objectives), length=1.0, shift=(0, 0))
        scales = step_scales(step, sums, size, self._network.units)
        total = torch.zeros_like(view)
        for gradient, scale in zip(each, scales, strict=True):
            total += gradient * scale
        return total
