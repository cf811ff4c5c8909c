"""`python -m render.training`: draw the pictures, train, write the weights and their figures."""

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from render import networks
from render.networks.pareidolia import Pareidolia, pareidolia
from render.training.dataset import batch, centre, draw, labels, pool
from render.training.figures import FRESH_SEED, describe, measure, write
from render.training.motifs import MOTIFS
from render.training.training import Recipe, leaking, save, train

WEIGHTS = Path(networks.__file__).parent / "pareidolia.safetensors"
FIGURES = Path(__file__).parent / "figures.json"
RECIPE = Recipe(batches=4000, batch_size=64, rate=3e-3, radius=3.5)


def arguments() -> argparse.Namespace:
    """Read the command line; every default is the one that made the shipped weights."""
    parser = argparse.ArgumentParser(prog="python -m render.training", description=__doc__)
    parser.add_argument("--batches", type=int, default=RECIPE.batches)
    parser.add_argument("--pictures", type=int, default=700, help="drawn for each class")
    parser.add_argument("--pool", type=Path, default=Path("pool.npy"), help="keeps the drawings")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--checkpoints", type=Path, help="a folder for weights on the way")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=RECIPE.seed)
    return parser.parse_args()


def described(recipe: Recipe) -> dict[str, str]:
    """Return what the weights file says about itself."""
    names = [motif.name for motif in MOTIFS]
    return describe("pareidolia", names, "python -m render.training", recipe)


def trained(images: Tensor, recipe: Recipe, checkpoints: Path | None) -> Pareidolia:
    """Train a new network, telling where it stands every 50 batches, kept every 250."""
    network = pareidolia(len(MOTIFS)).to(memory_format=torch.channels_last)
    batches = partial(batch, images, recipe.batch_size)
    dice = torch.Generator().manual_seed(recipe.seed)
    training = leaking(network, train(network, batches, recipe, dice), recipe.grown)
    for now in training:
        if now.batches % 50 == 0:
            print(f"{now.batches} of {now.of}, loss {now.loss:.3f}", flush=True)
        if checkpoints is not None and now.batches % 250 == 0:
            save(network, checkpoints / f"{now.batches:05d}.safetensors", described(recipe))
    return network


def main() -> None:
    """Draw, train, measure, write."""
    chosen = arguments()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    recipe = replace(RECIPE, batches=chosen.batches, seed=chosen.seed)
    images = pool(chosen.pool, chosen.seed, chosen.pictures * len(MOTIFS), chosen.threads)
    start = time.monotonic()
    network = trained(images, recipe, chosen.checkpoints)
    minutes = (time.monotonic() - start) / 60
    save(network, chosen.weights, described(recipe))
    count = 20 * len(MOTIFS)
    fresh = centre(draw(FRESH_SEED, count, chosen.threads))
    figures = measure(network, recipe, fresh, labels(torch.arange(count)))
    figures |= {
        "pictures_per_class": chosen.pictures,
        "bytes": chosen.weights.stat().st_size,
        "training_minutes": round(minutes, 1),
        "threads": chosen.threads,
    }
    write(figures, chosen.figures)
    print(chosen.figures.read_text())


if __name__ == "__main__":
    main()
