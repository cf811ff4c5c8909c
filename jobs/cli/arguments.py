"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

DREAMS = Path("dreams")
"""Where results go, each job in its own folder, unless --out says otherwise."""

What = Annotated[
    Path,
    typer.Argument(metavar="SPEC|PICTURE|FOLDER", help="A .yaml or .json spec, or what to dream."),
]
SizeFlag = Annotated[
    str | None,
    typer.Option("--size", help='"60cm x auto @ 300dpi", 7087x4016, x4; default: as the picture.'),
]
NetworkFlag = Annotated[
    str | None, typer.Option("--network", help="See `dreamfarm networks`; default: pareidolia.")
]
WeightsFlag = Annotated[
    str | None, typer.Option("--weights", help="A .safetensors or .pth file, or `pretrained`.")
]
LayerFlag = Annotated[str | None, typer.Option("--layer", help="See `dreamfarm layers NETWORK`.")]
LookFlag = Annotated[str | None, typer.Option("--look", help="See `dreamfarm looks`.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Default: one a GPU, or a core.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any field of a spec, as dream.steps=4."),
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder for the results; default: dreams/JOB.")
]
StoreFlag = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="DREAMFARM_STORE",
        help="Where jobs live: a folder, or s3://BUCKET/PREFIX.",
    ),
]
STORE = str(DREAMS)
JobName = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or how it begins.")]
JobNames = Annotated[
    list[str], typer.Argument(metavar="JOB...", help="Jobs' ids, or how they begin.")
]
Every = Annotated[float, typer.Option("--every", help="Seconds between two looks.", min=0.1)]
EVERY = 2.0
Failed = Annotated[bool, typer.Option("--failed", help="Only items that failed.")]
FailureClass = Annotated[
    str | None,
    typer.Option("--class", help="Only failures of a class: infra, memory, input or bug."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it, without asking.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
