"""The output files of a poster, encoded without a crew, and the manifest that describes them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.planning.encoding import encoding_plan
from jobs.planning.machine import available_cores
from jobs.planning.poster import PosterPlan
from jobs.runtime.context import JobContext
from jobs.runtime.environment import Environment
from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.spec.poster import Output
from render.pictures.output_format import FORMATS, Labels
from render.pictures.tiled_image import TiledImage
from render.version import PIXEL_VERSION

if TYPE_CHECKING:
    from jobs.poster.picture_io import OutputFile


def output_names(plan: PosterPlan) -> list[str]:
    """The names of the plan's files, in the order of its outputs."""
    return [output_name(plan, output) for output in plan.spec.outputs]


def output_name(plan: PosterPlan, output: Output) -> str:
    """The name of one output's file; for a DeepZoom, of its .dzi file."""
    return plan.spec.name + FORMATS[output.format].suffix


def output_labels(plan: PosterPlan) -> Labels:
    """The metadata of the plan's files: resolution and label."""
    return Labels(plan.extent.dpi, plan.label())


def encoding_resources(plan: PosterPlan) -> ResourceUse:
    """The resources that encoding the outputs needs."""
    encoding = encoding_plan(plan, available_cores())
    return ResourceUse(cores=encoding.outputs * encoding.threads, gpus=0, memory=encoding.memory)


def write_outputs(
    plan: PosterPlan, context: JobContext, canvas: TiledImage, check_stop: Callable[[], None]
) -> "list[OutputFile]":
    """Encode all outputs of the final canvas, and its preview, in this process.

    The canvas is read in bands, so the memory grows with the poster's width only.

    check_stop: called in threads before each band of each output. An exception that it raises ends
    all outputs, and is raised here.

    Raises:
        OutputError: a file cannot be written.
        StoreError: a file cannot be uploaded.
    """
    # Imported here because it loads torch.
    from jobs.poster.picture_io import PictureIO

    pictures, has_ended = PictureIO(context), threading.Event()

    def check() -> None:
        if has_ended.is_set():
            raise _Abandoned
        check_stop()

    pictures.write_preview(canvas, len(plan.octaves))
    encoding = encoding_plan(plan, available_cores())
    with ThreadPoolExecutor(encoding.outputs, "output") as pool:
        try:
            writing = [
                pool.submit(
                    pictures.write_output,
                    canvas,
                    output_name(plan, one),
                    one,
                    output_labels(plan),
                    check,
                    encoding.threads,
                )
                for one in plan.spec.outputs
            ]
            for one in as_completed(writing):
                one.result()
        finally:
            # After an error or Ctrl-C, end the other outputs early.
            has_ended.set()
    return [one.result() for one in writing]


def draft_name(job: str, octaves: int) -> str:
    """The file name of the picture of a job's first octaves."""
    return f"{job}-octave-{octaves}.png"


def write_draft(
    plan: PosterPlan,
    context: JobContext,
    canvas: TiledImage,
    octaves: int,
    check_stop: Callable[[], None],
) -> None:
    """Encode the canvas after the first octaves as a PNG, among this holder's outputs."""
    from jobs.poster.picture_io import PictureIO

    PictureIO(context).write_output(
        canvas,
        draft_name(plan.identity.job_id, octaves),
        Output(format="png"),
        Labels(None, plan.label()),
        check_stop,
        encoding_plan(plan, available_cores()).threads,
    )


class _Abandoned(Exception):  # noqa: N818 - not an error
    """This output was abandoned because another one failed."""


def poster_manifest(
    plan: PosterPlan,
    environment: Environment,
    document: dict[str, Any],
    outputs: Sequence[dict[str, Any]],
    started: datetime,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The manifest of a poster as JSON values: what was made, from what, and with what.

    Args:
        environment: of the crew.
        document: the spec as the user submitted it.
        outputs: see `output_document`.
        started: the time in UTC when the holder that finished the job started.
        seconds: wall-clock times of that holder by phase.
    """
    return {
        "version": 1,
        "job": plan.identity.job_id,
        "state": "succeeded",
        "spec": document,
        "identity": plan.identity.document,
        "plan": plan.pixel_settings(),
        "input": {
            "height": plan.source.height,
            "width": plan.source.width,
            "depth": plan.source.depth,
            "sha256": plan.source.digest,
            **({"notes": list(plan.source.notes)} if plan.source.notes else {}),
        },
        "weights": {"sha256": plan.weights_digest},
        "pixel_version": PIXEL_VERSION,
        "software": environment.software,
        "device": environment.device_name,
        "workers": plan.workers,
        "started": started.isoformat(timespec="seconds"),
        "seconds": {phase: round(time, 2) for phase, time in seconds.items()},
        "megapixel_steps": round(plan.megapixel_steps, 3),
        "outputs": list(outputs),
    }


def output_document(plan: PosterPlan, folder: str, file: "OutputFile") -> dict[str, Any]:
    """The entry of an output in the manifest.

    folder: the folder of the outputs relative to the manifest, with its final `/`.
    """
    return {
        "path": f"{folder}{file.name}",
        "format": file.format,
        "width": plan.extent.width,
        "height": plan.extent.height,
        "depth": file.depth,
        "dpi": plan.extent.dpi,
        "bytes": file.size,
        "sha256": file.digest,
    }
