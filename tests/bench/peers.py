"""Compares a whole render with other programs that dream: cold, whole processes, the same work.

    python -m tests.bench.peers PICTURE [--gordicaleksa FOLDER] [--neural-dream FOLDER]
        [--peer-python PYTHON] [--precision auto] [--rounds 3]

The folders are checkouts of gordicaleksa/pytorch-deepdream and ProGamerGov/neural-dream; nothing of
theirs is here. PYTHON runs them, and needs OpenCV, SciPy and Matplotlib beside torch. The work is
that of a photograph of 1024 x 811 with GoogLeNet's inception4c: 4 octaves of 1.4, with 10 steps
each, or 15.8 megapixel-steps. All use the same random weights, because speed does not depend on
them. The programs take turns; the figures are the least time and the largest memory of all rounds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from tests.bench.seeded import seeded

WIDTH, HEIGHT = 1024, 811
OCTAVES, SCALE, STEPS = 4, 1.4, 10
NETWORK, LAYER = "googlenet", "inception4c"

_WEIGHTS = "googlenet-1378be20.pth"
"""torchvision's name of the file, by which neural-dream recognises the network."""

_WITH_OUR_WEIGHTS = """
import runpy, sys, torch, torchvision
script, weights, *arguments = sys.argv[1:]
def googlenet(**_):
    network = torchvision.models.GoogLeNet(aux_logits=False, init_weights=False)
    network.load_state_dict(torch.load(weights))
    return network
torchvision.models.googlenet = googlenet
sys.path.insert(0, ".")
sys.argv = [script, *arguments]
runpy.run_path(script, run_name="__main__")
"""
"""Runs a script with our weights, and with a network without auxiliary heads."""


@dataclass(frozen=True)
class Program:
    """A command that dreams the picture, in a folder."""

    command: Sequence[str]
    folder: Path


@dataclass(frozen=True)
class Figures:
    """Seconds by the clock, seconds of the processor, and the peak memory in bytes."""

    seconds: float
    cpu_seconds: float
    memory: int


def ours(picture: Path, weights: Path, precision: str, out: Path) -> Program:
    """This project's command line."""
    settings = {
        "dream.octaves": OCTAVES,
        "dream.octave_scale": SCALE,
        "dream.steps": STEPS,
        "precision": precision,
    }
    flags = ["--network", NETWORK, "--weights", str(weights), "--layer", LAYER]
    pairs = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    command = [sys.executable, "-m", "jobs.cli", "render", str(picture), *flags, *pairs]
    return Program([*command, "--out", str(out)], Path.cwd())


def gordicaleksa(python: str, folder: Path, picture: Path, weights: Path) -> Program:
    """gordicaleksa/pytorch-deepdream, `deepdream.py`."""
    options = {
        "--input": picture,
        "--img_width": WIDTH,
        "--model_name": "GOOGLENET",
        "--layers_to_use": LAYER,
        "--pyramid_size": OCTAVES,
        "--pyramid_ratio": SCALE,
        "--num_gradient_ascent_iterations": STEPS,
    }
    command = [python, "-c", _WITH_OUR_WEIGHTS, "deepdream.py", str(weights)]
    return Program([*command, *_words(options)], folder)


def neural_dream(python: str, folder: Path, picture: Path, weights: Path) -> Program:
    """ProGamerGov/neural-dream, `neural_dream.py`."""
    options = {
        "-content_image": picture,
        "-image_size": WIDTH,
        "-model_file": weights,
        "-dream_layers": LAYER,
        "-num_iterations": 1,
        "-octave_iter": STEPS,
        "-num_octaves": OCTAVES,
        "-octave_scale": 1 / SCALE,
        "-gpu": "c",
        "-output_image": picture.with_name("neural-dream.png"),
    }
    command = [python, "-c", _WITH_OUR_WEIGHTS, "neural_dream.py", str(weights)]
    return Program([*command, *_words(options)], folder)


def _words(options: Mapping[str, object]) -> list[str]:
    return [str(word) for pair in options.items() for word in pair]


def run(program: Program, log: Path) -> Figures:
    """Run a program to its end. Raises RuntimeError if it fails."""
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            program.command, cwd=program.folder, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = log.read_text(errors="replace").splitlines()[-3:]
        raise RuntimeError(f"{program.folder}: ended with {process.returncode}: {last}")
    return Figures(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def compare(programs: Mapping[str, Program], rounds: int, folder: Path) -> dict[str, Figures]:
    """Run the programs in turn. Returns the best figures of each."""
    found: dict[str, list[Figures]] = {name: [] for name in programs}
    for number in range(rounds):
        for name, program in programs.items():
            found[name].append(run(program, folder / f"{name}-{number}.log"))
    return {
        name: Figures(
            min(one.seconds for one in runs),
            min(one.cpu_seconds for one in runs),
            max(one.memory for one in runs),
        )
        for name, runs in found.items()
    }


def main() -> None:
    """Compare the programs, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--gordicaleksa", type=Path)
    parser.add_argument("--neural-dream", type=Path)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture, weights = folder / "picture.png", folder / _WEIGHTS
        Image.open(chosen.picture).convert("RGB").resize((WIDTH, HEIGHT)).save(picture)
        tensors = seeded(NETWORK).state_dict()
        torch.save(tensors, weights)
        safe = folder / "googlenet.safetensors"
        save_file(tensors, safe)
        programs = {"dreamfarm": ours(picture, safe, chosen.precision, folder / "out")}
        for peer, checkout, program in (
            ("gordicaleksa", chosen.gordicaleksa, gordicaleksa),
            ("neural-dream", chosen.neural_dream, neural_dream),
        ):
            if checkout is not None:
                programs[peer] = program(chosen.peer_python, checkout, picture, weights)
        figures = compare(programs, chosen.rounds, folder)
    _print_table(figures)


def _print_table(figures: Mapping[str, Figures]) -> None:
    own = figures["dreamfarm"]
    print(f"{'':14}{'s':>8}{'CPU s':>8}{'MiB':>8}{'times ours':>12}{'memory':>8}")
    for name, one in figures.items():
        print(
            f"{name:14}{one.seconds:8.1f}{one.cpu_seconds:8.1f}{one.memory / 2**20:8.0f}"
            f"{one.seconds / own.seconds:12.2f}{one.memory / own.memory:8.2f}"
        )


if __name__ == "__main__":
    main()
