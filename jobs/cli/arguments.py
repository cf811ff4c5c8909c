"""Arguments and options that several commands share, and the spec that they describe."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from jobs.cli.completion import (
    complete_failures,
    complete_fits,
    complete_jobs,
    complete_layers,
    complete_looks,
    complete_networks,
)
from jobs.cli.format import set_suggested_store
from jobs.cli.stdin import StandardInput

if TYPE_CHECKING:
    from jobs.services.spec_source import SpecFile
    from jobs.spec.document import Document
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
    set_suggested_store(None if address == _usual_store() else address)
    return address


def _usual_store() -> str:
    """The store of commands that name none."""
    return os.environ.get(_STORE_VARIABLE, STORE)


# Text, because an empty Path is the working directory, and a Path of an address loses a slash.
SpecOrPicture = Annotated[
    str,
    typer.Argument(
        metavar="SPEC|PICTURE|FOLDER",
        help="A .yaml or .json spec, a picture, a folder of pictures, an s3:// address of a "
        "picture or a PREFIX/ of many, or - for standard input.",
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
    typer.Option(
        "--fit",
        help="`crop`, `pad` or `stretch` to the aspect of --size.",
        autocompletion=complete_fits,
    ),
]
FocusFlag = Annotated[
    str | None, typer.Option("--focus", help="Where --fit crop should cut: 30%,40%.")
]
NetworkFlag = Annotated[
    str | None,
    typer.Option(
        "--network",
        help="A name (`dreamfarm networks`) or FILE.onnx; default: pareidolia.",
        autocompletion=complete_networks,
    ),
]
WeightsFlag = Annotated[
    str | None,
    typer.Option(
        "--weights", help="A .safetensors, .pth, .caffemodel or .pb file, or `pretrained`."
    ),
]
LayerFlag = Annotated[
    str | None,
    typer.Option("--layer", help="See `dreamfarm layers NETWORK`.", autocompletion=complete_layers),
]
LookFlag = Annotated[
    str | None,
    typer.Option("--look", help="See `dreamfarm looks`.", autocompletion=complete_looks),
]
LikeFlag = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="OUTPUT|JOB",
        help="All settings of this output, manifest.json or job, for another picture.",
    ),
]
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
Keep = Annotated[
    bool, typer.Option("--keep", help="Keep the octaves, so that `redo` can go on from them.")
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
JobName = Annotated[
    str,
    typer.Argument(
        metavar="JOB", help="A job id, or its first characters.", autocompletion=complete_jobs
    ),
]
JobNames = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB...", help="Job ids, or their first characters.", autocompletion=complete_jobs
    ),
]
PollInterval = Annotated[
    float, typer.Option("--every", help="Seconds between two updates.", min=0.1)
]
Failed = Annotated[bool, typer.Option("--failed", help="Only items that failed.")]
FailureFlag = Annotated[
    str | None,
    typer.Option(
        "--class",
        help="Only failures of this class: infra, memory, input or bug.",
        autocompletion=complete_failures,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class JobFlags(NamedTuple):
    """Options that describe a job without a spec. They override the fields of a spec file.

    look: fills the fields that a spec file leaves out. like: an output or a job with settings.
    """

    size: str | None = None
    fit: str | None = None
    focus: str | None = None
    network: str | None = None
    weights: str | None = None
    layer: str | None = None
    look: str | None = None
    like: str | None = None


def read_spec(
    path: str,
    workers: int | None,
    settings: Sequence[str] | None,
    flags: JobFlags,
    store: str | None = None,
) -> "AnySpec":
    """Make a spec, like `read_job_document`. Raises RequestError if it is invalid."""
    from jobs.services.spec_source import naming_source
    from jobs.spec.kinds import parse_spec

    standard_input = StandardInput(is_submitted=store is not None)
    source = standard_input.read_source() if path == "-" else path
    with naming_source(source):
        return parse_spec(_job_document(source, workers, settings, flags, store, standard_input))


def read_job_document(
    path: str,
    workers: int | None,
    settings: Sequence[str] | None,
    flags: JobFlags,
    store: str | None = None,
) -> "Document":
    """Make the document of a spec, without validation.

    It is that of a spec file, of a picture or a folder of pictures, or of pictures in a bucket.
    Files in a bucket, and standard input, become local files.

    Args:
        path: A spec file, a picture, a folder, an `s3://` address, or `-` for standard input.
        workers: Replaces crew.workers.
        settings: `key=value` for spec fields; they override everything else.
        flags: Options in place of fields.
        store: The store of a job that `like` names. Default: that of commands that name none.

    Raises:
        RequestError: A file cannot be read, or options contradict each other.
        StoreError: A bucket does not answer.
    """
    standard_input = StandardInput(is_submitted=store is not None)
    source = standard_input.read_source() if path == "-" else path
    return _job_document(source, workers, settings, flags, store, standard_input)


def _job_document(
    source: "str | SpecFile",
    workers: int | None,
    settings: Sequence[str] | None,
    flags: JobFlags,
    store: str | None,
    standard_input: StandardInput,
) -> "Document":
    from jobs.services.input_files import localize
    from jobs.services.spec_source import is_spec_file, load_document, names_many
    from jobs.spec.document import apply_overrides
    from jobs.text.errors import RequestError

    is_path = isinstance(source, str) and not is_spec_file(source)
    if flags.size is not None and is_path and names_many(str(source)):
        raise RequestError("--size: for a picture; for a folder write --set resize=1024")
    options: dict[str, object] = flags._asdict()
    if flags.like is not None:
        from jobs.services.recipe_source import read_recipe

        options["like"] = read_recipe(flags.like, store or _usual_store())
    document = load_document(source, workers=workers, **options)
    return localize(apply_overrides(document, settings or ()), standard_input.read)
