"""The run settings, priority and resources that a queued job asks for."""

from jobs.records.job import StoredJob
from jobs.records.stored_spec import RunSettings
from jobs.runtime.reporter import WRITING
from jobs.spec.base import Crew, Limits
from jobs.spec.kinds import parse_stored_spec
from jobs.spec.poster import PosterSpec
from jobs.text.errors import RequestError

_DEFAULT = RunSettings(
    priority=PosterSpec.model_fields["priority"].default, crew=Crew(), limits=Limits()
)


WRITER_CREW = Crew(workers=1, gpus_per_worker=0)
"""The resources for writing a poster's files after its last octave is committed."""


def has_only_files_left(job: StoredJob) -> bool:
    """Whether the last holder left nothing to do but to write files."""
    return job.status is not None and job.status.phase == WRITING


def run_settings_of(job: StoredJob) -> RunSettings:
    """The latest run settings of a job; those of its spec if the submit died before writing any.

    Returns the defaults for an invalid spec, so that a coordinator starts and reports the error.
    """
    if job.run_settings is not None:
        return job.run_settings
    try:
        return RunSettings.of(parse_stored_spec(job.spec.submitted_document))
    except RequestError:
        return _DEFAULT


def priority_of(job: StoredJob) -> int:
    """The priority of a job. Of two queued jobs, the one with the higher number starts first."""
    return run_settings_of(job).priority


def requested_memory(crew: Crew) -> int:
    """The bytes that a crew asks for explicitly; 0 if workers or memory are `auto`."""
    if crew.memory_per_worker == "auto" or crew.workers == "auto":
        return 0
    return int(crew.memory_per_worker) * crew.workers
