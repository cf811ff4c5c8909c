"""`python -m render.training`: draw the pictures, train, write the weights and their figures."""

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from render import networks
from render.networks.pareidolia import Pareidolia, pareidolia
from render.training.figures import describe, measure, write
from render.training.motifs import MOTIFS
from render.training.pool import pool
from render.training.train import Recipe, phase, save

WEIGHTS = Path(networks.__file__).parent / "pareidolia.safetensors"
FIGURES = Path(__file__).parent / "figures.json"


def arguments() -> argparse.Namespace:
    """Read the command line; every default is the one that made the shipped weights."""
    recipe = Recipe()
    parser = argparse.ArgumentParser(prog="python -m render.training", description=__doc__)
    parser.add_argument("--plain-batches", type=int, default=recipe.plain_batches)
    parser.add_argument("--robust-batches", type=int, default=recipe.robust_batches)
    parser.add_argument("--pictures", type=int, default=1100, help="drawn for each class")
    parser.add_argument("--pool", type=Path, default=Path("pool.npy"), help="keeps the drawings")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--checkpoints", type=Path, help="a folder for weights on the way")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=recipe.seed)
    return parser.parse_args()


def train(images: Tensor, recipe: Recipe, checkpoints: Path | None) -> Pareidolia:
    """Train a new network through both phases, telling where it stands every 100 batches."""
    network = pareidolia(len(MOTIFS)).to(memory_format=torch.channels_last)
    dice = torch.Generator().manual_seed(recipe.seed)
    for name in ("plain", "robust"):
        for now in phase(network, images, recipe, name, dice):
            if now.batches % 100 == 0:
                print(f"{now.phase} {now.batches} of {now.of}, loss {now.loss:.3f}", flush=True)
                if checkpoints is not None:
                    kept = checkpoints / f"{name}-{now.batches:05d}.safetensors"
                    save(network, kept, describe(recipe))
    return network


def main() -> None:
    """Draw, train, measure, write."""
    chosen = arguments()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    recipe = Recipe(chosen.plain_batches, chosen.robust_batches, seed=chosen.seed)
    images = pool(chosen.pool, chosen.seed, chosen.pictures * len(MOTIFS), chosen.threads)
    start = time.monotonic()
    network = train(images, recipe, chosen.checkpoints)
    minutes = (time.monotonic() - start) / 60
    save(network, chosen.weights, describe(recipe))
    write(measure(network, recipe, chosen.weights, minutes, chosen.pictures), chosen.figures)
    print(chosen.figures.read_text())


if __name__ == "__main__":
    main()
