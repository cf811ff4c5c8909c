"""`python -m render.training`: draw the pictures, train pareidolia, write weights and figures."""

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from render.networks.builtin import PAREIDOLIA, builtin_weights
from render.networks.pareidolia import Pareidolia, pareidolia
from render.training.dataset import (
    centre_crop,
    class_labels,
    draw_pictures,
    load_or_draw,
    random_batch,
)
from render.training.evaluation import (
    FRESH_SEED,
    evaluate,
    save_weights,
    weights_metadata,
    write_figures,
)
from render.training.motifs import MOTIFS
from render.training.train import Training, TrainingConfig, with_leaky_relu

WEIGHTS = builtin_weights(PAREIDOLIA)
FIGURES = Path(__file__).parent / "figures.json"
CONFIG = TrainingConfig(batches=4000, batch_size=64, rate=3e-3, radius=3.5)


def parse_arguments() -> argparse.Namespace:
    """Parse the command line. The defaults are those that made the weights in the repository."""
    parser = argparse.ArgumentParser(prog="python -m render.training", description=__doc__)
    parser.add_argument("--batches", type=int, default=CONFIG.batches)
    parser.add_argument("--pictures", type=int, default=700, help="drawn for each class")
    parser.add_argument("--pool", type=Path, default=Path("pool.npy"), help="keeps the drawings")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--checkpoints", type=Path, help="a folder for weights on the way")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=CONFIG.seed)
    return parser.parse_args()


def describe_weights(config: TrainingConfig) -> dict[str, str]:
    """Return the metadata of the weights file."""
    names = [motif.name for motif in MOTIFS]
    return weights_metadata("pareidolia", names, "python -m render.training", config)


def train_network(images: Tensor, config: TrainingConfig, checkpoints: Path | None) -> Pareidolia:
    """Train a new network. Print the progress every 50 batches, save weights every 250."""
    network = pareidolia(len(MOTIFS)).to(memory_format=torch.channels_last)
    batches = partial(random_batch, images, config.batch_size)
    generator = torch.Generator().manual_seed(config.seed)
    training = with_leaky_relu(network, Training(network, batches, config, generator), config.grown)
    for now in training:
        if now.batches % 50 == 0:
            print(f"{now.batches} of {now.total}, loss {now.loss:.3f}", flush=True)
        if checkpoints is not None and now.batches % 250 == 0:
            save_weights(
                network, checkpoints / f"{now.batches:05d}.safetensors", describe_weights(config)
            )
    return network


def main() -> None:
    """Draw, train, evaluate, and write the files."""
    chosen = parse_arguments()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    config = replace(CONFIG, batches=chosen.batches, seed=chosen.seed)
    images = load_or_draw(chosen.pool, chosen.seed, chosen.pictures * len(MOTIFS), chosen.threads)
    start = time.monotonic()
    network = train_network(images, config, chosen.checkpoints)
    minutes = (time.monotonic() - start) / 60
    save_weights(network, chosen.weights, describe_weights(config))
    count = 20 * len(MOTIFS)
    fresh = centre_crop(draw_pictures(FRESH_SEED, count, chosen.threads))
    figures = evaluate(network, config, fresh, class_labels(torch.arange(count)))
    figures |= {
        "pictures_per_class": chosen.pictures,
        "bytes": chosen.weights.stat().st_size,
        "training_minutes": round(minutes, 1),
        "threads": chosen.threads,
    }
    write_figures(figures, chosen.figures)
    print(chosen.figures.read_text())


if __name__ == "__main__":
    main()
