"""Arguments and options that several commands share, and the spec that they describe."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from jobs.cli.format import set_suggested_store

if TYPE_CHECKING:
    from jobs.spec.kinds import AnySpec

DREAMS = Path("dreams")
"""The default folder for results, with a folder for each job."""


STORE = str(DREAMS)
"""The default store."""


POLL_INTERVAL = 2.0
"""The default of `--every`, in seconds."""


def _folder(text: str) -> Path:
    """The path of a folder. An empty path would be the working directory."""
    if not text.strip():
        raise typer.BadParameter("must be the path of a folder, not empty")
    return Path(text)


_STORE_VARIABLE = "DREAMFARM_STORE"


def _store(address: str) -> str:
    """The address of a store. Suggested commands name it, unless they find it by themselves."""
    is_usual = address == os.environ.get(_STORE_VARIABLE, STORE)
    set_suggested_store(None if is_usual else address)
    return address


# Text, because an empty Path is the working directory, and a Path of an address loses a slash.
SpecOrPicture = Annotated[
    str,
    typer.Argument(
        metavar="SPEC|PICTURE|FOLDER",
        help="A .yaml or .json spec, a picture, a folder of pictures, or s3://BUCKET/PREFIX/.",
    ),
]
SizeFlag = Annotated[
    str | None,
    typer.Option(
        "--size",
        help='A2, "60cm x auto @ 300dpi", 600px (the longer side), x4; default: as the picture.',
    ),
]
FitFlag = Annotated[
    str | None,
    typer.Option("--fit", help="`crop`, `pad` or `stretch` to the aspect of --size."),
]
FocusFlag = Annotated[
    str | None, typer.Option("--focus", help="Where --fit crop should cut: 30%,40%.")
]
NetworkFlag = Annotated[
    str | None,
    typer.Option(
        "--network", help="A name (`dreamfarm networks`) or FILE.onnx; default: pareidolia."
    ),
]
WeightsFlag = Annotated[
    str | None,
    typer.Option(
        "--weights", help="A .safetensors, .pth, .caffemodel or .pb file, or `pretrained`."
    ),
]
LayerFlag = Annotated[str | None, typer.Option("--layer", help="See `dreamfarm layers NETWORK`.")]
LookFlag = Annotated[str | None, typer.Option("--look", help="See `dreamfarm looks`.")]
Workers = Annotated[
    int | None, typer.Option("--workers", help="Default: one for each GPU, or for each core.")
]
SetFlags = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any spec field, such as dream.steps=4."),
]
Until = Annotated[
    int | None,
    typer.Option("--until", help="Stop after so many octaves: a draft. Then `finish` goes on."),
]
Draft = Annotated[
    str | None,
    typer.Option("--draft", metavar="SIZE", help="Stop at the octave of about this size: 600px."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", parser=_folder, metavar="PATH", help="Folder for the results; default: dreams/JOB."
    ),
]
InProcess = Annotated[
    bool,
    typer.Option("--in-process", help="Run several workers one after another, without Ray."),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace files of others in that folder; never an input of the job."
    ),
]
StoreFlag = Annotated[
    str,
    typer.Option(
        "--store",
        envvar=_STORE_VARIABLE,
        callback=_store,
        help="The store of jobs: a folder, or s3://BUCKET/PREFIX.",
    ),
]
Create = Annotated[
    bool, typer.Option("--create", help="Make the store's folder, if there is none yet.")
]
JobName = Annotated[str, typer.Argument(metavar="JOB", help="A job id, or its first characters.")]
JobNames = Annotated[
    list[str], typer.Argument(metavar="JOB...", help="Job ids, or their first characters.")
]
PollInterval = Annotated[
    float, typer.Option("--every", help="Seconds between two updates.", min=0.1)
]
Failed = Annotated[bool, typer.Option("--failed", help="Only items that failed.")]
FailureFlag = Annotated[
    str | None,
    typer.Option("--class", help="Only failures of this class: infra, memory, input or bug."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class JobFlags(NamedTuple):
    """Options that describe a job without a spec. They override the fields of a spec file.

    look: fills the fields that a spec file leaves out.
    """

    size: str | None = None
    fit: str | None = None
    focus: str | None = None
    network: str | None = None
    weights: str | None = None
    layer: str | None = None
    look: str | None = None


def read_spec(
    path: str, workers: int | None, settings: Sequence[str] | None, flags: JobFlags
) -> "AnySpec":
    """Make the spec of a spec file, a picture or a folder of pictures, or of pictures in a bucket.

    Raises RequestError if it is invalid.

    Args:
        path: A spec file, a picture, a folder, or an `s3://` address.
        workers: Replaces crew.workers.
        settings: `key=value` for spec fields; they override everything else.
        flags: Options in place of fields.
    """
    from jobs.runtime.access import is_folder
    from jobs.services.spec_source import is_spec_file, load_document
    from jobs.spec.document import apply_overrides
    from jobs.spec.inputs import is_in_bucket
    from jobs.spec.kinds import parse_spec
    from jobs.text.errors import RequestError

    is_of_many = not is_spec_file(path) and (is_folder(path) or is_in_bucket(path))
    if flags.size is not None and is_of_many:
        raise RequestError("--size: for a picture; for a folder write --set resize=1024")
    document = load_document(path, workers=workers, **flags._asdict())
    return parse_spec(apply_overrides(document, settings or ()))
