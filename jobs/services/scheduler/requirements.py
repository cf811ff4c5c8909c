"""What a job asks for of who might take it."""

from jobs.records.job import Job
from jobs.records.stored_spec import RunSettings
from jobs.runtime.reporter import WRITING
from jobs.spec.base import Crew, Limits
from jobs.spec.kinds import parse_stored_spec
from jobs.spec.poster import PosterSpec
from jobs.text.errors import RequestError

_USUAL = RunSettings(
    priority=PosterSpec.model_fields["priority"].default, crew=Crew(), limits=Limits()
)


WRITER = Crew(workers=1, gpus_per_worker=0)
"""What writing a poster's files takes, when its last octave is committed."""


def is_dreamed(job: Job) -> bool:
    """Whether its last holder left nothing to do but to write files."""
    return job.status is not None and job.status.phase == WRITING


def terms_of(job: Job) -> RunSettings:
    """The latest; those of the spec where the submit that brought it died before it wrote any.

    Of a spec that is none, the usual ones: its holder says what is wrong with it.
    """
    if job.run_settings is not None:
        return job.run_settings
    spec = job.spec.spec
    try:
        return RunSettings.of(parse_stored_spec(spec))
    except RequestError:
        return _USUAL


def priority_of(job: Job) -> int:
    """Of two waiting jobs the higher goes first."""
    return terms_of(job).priority


def asked_memory(crew: Crew) -> int:
    """Bytes that a crew asks for in so many words; 0 where it leaves that open."""
    if crew.memory_per_worker == "auto" or crew.workers == "auto":
        return 0
    return int(crew.memory_per_worker) * crew.workers
