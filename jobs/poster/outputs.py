"""A poster's files: encoded from the last commit, when its crew has gone."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from jobs.planning.memory import encoding_memory
from jobs.planning.poster import Plan
from jobs.runtime.context import Site
from jobs.runtime.manifest import Written
from jobs.runtime.metrics.counters import Use
from jobs.spec.poster import Output
from render.pictures.output_format import FORMATS, Labels
from render.pictures.tiled_image import Mosaic


def output_names(plan: Plan) -> list[str]:
    """The names of the plan's files, in the order of its outputs."""
    return [output_name(plan, output) for output in plan.spec.outputs]


def output_name(plan: Plan, output: Output) -> str:
    """The name of one output's file, or of its .dzi."""
    return plan.spec.name + FORMATS[output.format].suffix


def labels(plan: Plan) -> Labels:
    """What the plan's files say of themselves."""
    return Labels(plan.extent.dpi, plan.label())


def at_once(plan: Plan) -> int:
    """How many outputs are encoded at the same time: by one process, which may take what a worker
    may.
    """
    most, width = min(plan.workers, len(plan.spec.outputs)), plan.extent.width
    fitting = (n for n in range(most, 1, -1) if encoding_memory(width, n) <= plan.memory.limit)
    return next(fitting, 1)


def encoding_use(plan: Plan) -> Use:
    """What writing the outputs asks for."""
    threads = at_once(plan)
    return Use(cores=threads, gpus=0, memory=encoding_memory(plan.extent.width, threads))


def write_outputs(
    plan: Plan, site: Site, canvas: Mosaic, look: Callable[[], None]
) -> list[Written]:
    """Encode every output of the final canvas, and its preview, in this process.

    Reads the canvas as it was committed, in bands, so that memory is bounded by the poster's width.
    look: called before each band of each output, in threads; what it raises ends all of them.
    """
    # It loads torch, which a coordinator needs for nothing else.
    from jobs.poster.picture_io import Scribe

    scribe, ended = Scribe(site), threading.Event()

    def look_on() -> None:
        if ended.is_set():
            raise _Left
        look()

    scribe.show(canvas, len(plan.octaves))
    with ThreadPoolExecutor(at_once(plan), "output") as pool:
        try:
            writing = [
                pool.submit(
                    scribe.write, canvas, output_name(plan, one), one, labels(plan), look_on
                )
                for one in plan.spec.outputs
            ]
            for one in as_completed(writing):
                one.result()
        finally:
            # After a failure, or Ctrl-C, nobody waits for the others.
            ended.set()
    return [one.result() for one in writing]


class _Left(Exception):  # noqa: N818 - the news is in the name
    """An output was given up because another failed."""
