"""The output files of a poster, encoded without a crew, and the manifest that describes them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.planning.encoding import encoding_plan
from jobs.planning.machine import available_cores
from jobs.planning.output_writing import output_details, output_writing
from jobs.planning.poster import PosterPlan
from jobs.planning.print_files import print_files
from jobs.runtime.context import JobContext
from jobs.runtime.environment import Environment
from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.spec.poster import Output
from render.pictures.output_format import Labels
from render.pictures.print_files import PrintFile
from render.pictures.print_writing import Writing
from render.pictures.tiled_image import TiledImage
from render.version import PIXEL_VERSION

if TYPE_CHECKING:
    from jobs.poster.picture_io import OutputFile


def output_names(plan: PosterPlan) -> list[str]:
    """The names of the plan's files, in the order of its outputs."""
    names: list[str] = []
    for output in plan.spec.outputs:
        if output.for_printer:
            names += [file.name for file in _print_files(plan, output)]
        else:
            names.append(output_name(plan, output))
    return names


def output_name(plan: PosterPlan, output: Output) -> str:
    """The name of one output's file; of tiles, that of the file beside their folder."""
    return output.file_name(plan.spec.name, output.format)


def _print_files(plan: PosterPlan, output: Output) -> tuple[PrintFile, ...]:
    return print_files(output, plan.spec.name, plan.size, plan.extent.dpi)


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
    encoding, labels = encoding_plan(plan, available_cores()), output_labels(plan)

    def write(one: Output) -> "list[OutputFile]":
        writing = output_writing(one.format, one, labels, encoding.threads, check)
        if one.for_printer:
            files = _print_files(plan, one)
            return [pictures.write_print_file(canvas, file, writing) for file in files]
        file = pictures.write_output(canvas, output_name(plan, one), one, writing)
        details = output_details(one, writing, plan.profiles.__getitem__)
        return [replace(file, details=details)]

    with ThreadPoolExecutor(encoding.outputs, "output") as pool:
        try:
            writing = [pool.submit(write, one) for one in plan.spec.outputs]
            for one in as_completed(writing):
                one.result()
        finally:
            # After an error or Ctrl-C, end the other outputs early.
            has_ended.set()
    return [file for one in writing for file in one.result()]


DRAFT_NAMES = "*-octave-*.png"
"""A glob of the names of drafts."""


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
        Writing(
            Labels(None, plan.label()),
            threads=encoding_plan(plan, available_cores()).threads,
            check_stop=check_stop,
        ),
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
        **({} if plan.redo is None else {"parent": {"job": plan.redo.parent}}),
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
    height, width = file.shape
    return {
        "path": f"{folder}{file.name}",
        "format": file.format,
        "width": width,
        "height": height,
        "depth": file.depth,
        "dpi": plan.extent.dpi,
        "bytes": file.size,
        "sha256": file.digest,
        **file.details,
    }
