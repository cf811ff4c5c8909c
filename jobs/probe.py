"""A short measurement on this machine, from which a plan's time is estimated."""

import time
from dataclasses import replace

import torch

from jobs.plan import Plan
from render.arithmetic import arithmetic, make_repeatable
from render.gradient import gradients
from render.guide import attentive
from render.networks.network import load_network
from render.rect import Rect

_LARGEST = 512  # pixels a side of the probed window: a second or two on one core
_ROUNDS = 2

_START = 12.0  # seconds until a local crew works
_HANDLING = 0.8e-6  # seconds a pixel of the poster for resampling, decoding and encoding


def probed_seconds(plan: Plan, cores: int) -> float:
    """How long the plan should take here, in seconds: the windows' work at the measured speed."""
    make_repeatable()
    device = torch.device(plan.device)
    types = arithmetic(plan.precision)
    network = load_network(
        plan.spec.network.name, plan.weights, plan.mix.layers, types.network, device
    )
    network = attentive(network, plan.mix, plan.survey.units)
    everywhere = [replace(objective, at=None) for objective in plan.mix]
    side = min(plan.octaves[-1].window, _LARGEST)
    padded = torch.randn((side, side, 3), dtype=types.canvas, device=device)
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        found = gradients(network, everywhere, padded, Rect(0, 0, side, side))
        found[0].sum().item()  # waits for the device
        best = min(best, time.perf_counter() - begun)
    parallel = min(plan.workers, cores) if device.type == "cpu" else plan.workers
    dreaming = best / side**2 * plan.window_pixel_steps / parallel
    return _START + dreaming + _HANDLING * plan.size[0] * plan.size[1]
