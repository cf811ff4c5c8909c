"""`dreamfarm train`: train a network on your own pictures."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.arguments import DREAMS, AsJson, Out, Overwrite
from render.training.finetune.settings import FineTuneSettings

_USUAL = FineTuneSettings()


def train(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER", help="A folder that has a folder of 50 to 5,000 pictures per motif."
        ),
    ],
    out: Out = None,
    licence: Annotated[
        str, typer.Option("--licence", help="The licence of the weights, for their metadata.")
    ] = _USUAL.licence,
    keep_classes: Annotated[
        bool, typer.Option("--keep-classes", help="Keep pareidolia's own 83 classes, too.")
    ] = _USUAL.keep_classes,
    batches: Annotated[
        int | None,
        typer.Option(
            "--batches",
            min=1,
            max=100_000,
            help="How long to train; default: 120 per motif, 600 to 6000.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31, help="Of all that is random.")
    ] = _USUAL.seed,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Train a network to see the motifs of your own pictures, and print the path of its weights.

    It begins with pareidolia. A tenth of the pictures is held out, and tells how well the network
    names them. A sheet shows each class, dreamed from noise. Run an interrupted command again, and
    it goes on from its last checkpoint.
    """
    from jobs.cli.format import print_results
    from jobs.cli.progress import TrainingBar
    from jobs.services.training import train as train_network

    settings = FineTuneSettings(licence, keep_classes, seed=seed)

    def out_of(job: str) -> Path:
        return DREAMS / job if out is None else out

    with TrainingBar() as bar:
        results = train_network(
            Path(folder), out_of, settings, bar.show, batches=batches, overwrite=overwrite
        )
    print_results(results, as_json=as_json)
