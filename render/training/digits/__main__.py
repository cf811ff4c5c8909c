"""`python -m render.training.digits`: draw digits, train LeNet-5, write it and its figures."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from render import networks
from render.networks.lenet5 import lenet5
from render.training.digits.pictures import COUNT, batch, pictures
from render.training.figures import FRESH_SEED, describe, measure, write
from render.training.training import Recipe, save, train

WEIGHTS = Path(networks.__file__).parent / "lenet5.safetensors"
FIGURES = Path(__file__).parent / "figures.json"
RECIPE = Recipe(batches=6000, batch_size=128, rate=3e-3, radius=1.0)


def arguments() -> argparse.Namespace:
    """Read the command line; every default is the one that made the shipped weights."""
    parser = argparse.ArgumentParser(prog="python -m render.training.digits", description=__doc__)
    parser.add_argument("--batches", type=int, default=RECIPE.batches)
    parser.add_argument("--pictures", type=int, default=3000, help="drawn for each digit")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--seed", type=int, default=RECIPE.seed)
    return parser.parse_args()


def main() -> None:
    """Draw, train, measure, write."""
    chosen = arguments()
    torch.manual_seed(chosen.seed)
    recipe = replace(RECIPE, batches=chosen.batches, seed=chosen.seed)
    batches = partial(batch, *pictures(chosen.seed, chosen.pictures * COUNT), recipe.batch_size)
    network = lenet5()
    for now in train(network, batches, recipe, torch.Generator().manual_seed(chosen.seed)):
        if now.batches % 500 == 0:
            print(f"{now.batches} of {now.of}, loss {now.loss:.3f}", flush=True)
    digits = [str(digit) for digit in range(COUNT)]
    save(
        network,
        chosen.weights,
        describe("lenet5", digits, "python -m render.training.digits", recipe),
    )
    images, truth = pictures(FRESH_SEED, 200 * COUNT)
    figures = measure(network, recipe, images.float() / 255, truth)
    figures["bytes"] = chosen.weights.stat().st_size
    write(figures, chosen.figures)
    print(chosen.figures.read_text())


if __name__ == "__main__":
    main()
