"""`python -m render.training.digits`: draw digits, train LeNet-5, write weights and figures."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from render.networks.builtin import LENET5, builtin_weights
from render.networks.lenet5 import lenet5
from render.training.digits.pictures import COUNT, draw_pictures, random_batch
from render.training.evaluation import (
    FRESH_SEED,
    evaluate,
    save_weights,
    weights_metadata,
    write_figures,
)
from render.training.train import Training, TrainingConfig

WEIGHTS = builtin_weights(LENET5)
FIGURES = Path(__file__).parent / "figures.json"
CONFIG = TrainingConfig(batches=6000, batch_size=128, rate=3e-3, radius=1.0)


def parse_arguments() -> argparse.Namespace:
    """Parse the command line. The defaults are those that made the weights in the repository."""
    parser = argparse.ArgumentParser(prog="python -m render.training.digits", description=__doc__)
    parser.add_argument("--batches", type=int, default=CONFIG.batches)
    parser.add_argument("--pictures", type=int, default=3000, help="drawn for each digit")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--seed", type=int, default=CONFIG.seed)
    return parser.parse_args()


def main() -> None:
    """Draw, train, evaluate, and write the files."""
    chosen = parse_arguments()
    torch.manual_seed(chosen.seed)
    config = replace(CONFIG, batches=chosen.batches, seed=chosen.seed)
    batches = partial(
        random_batch, *draw_pictures(chosen.seed, chosen.pictures * COUNT), config.batch_size
    )
    network = lenet5()
    for now in Training(network, batches, config, torch.Generator().manual_seed(chosen.seed)):
        if now.batches % 500 == 0:
            print(f"{now.batches} of {now.total}, loss {now.loss:.3f}", flush=True)
    digits = [str(digit) for digit in range(COUNT)]
    save_weights(
        network,
        chosen.weights,
        weights_metadata("lenet5", digits, "python -m render.training.digits", config),
    )
    images, truth = draw_pictures(FRESH_SEED, 200 * COUNT)
    figures = evaluate(network, config, images.float() / 255, truth)
    figures["bytes"] = chosen.weights.stat().st_size
    write_figures(figures, chosen.figures)
    print(chosen.figures.read_text())


if __name__ == "__main__":
    main()
