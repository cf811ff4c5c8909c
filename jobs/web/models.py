"""What the API answers about jobs. All text may come from strangers: show it as text."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from jobs.records.spending import SpendingUnit
from jobs.records.state import PauseCause, State, UserRequest, Want
from jobs.records.status import FailureClass
from jobs.spec.base import MAX_SPENT

IntentRequest = UserRequest | Literal["finish"]
"""A request of a user. finish: go on beyond a draft, to the end."""

Action = IntentRequest | Literal["priority", "delete"]
"""What a user may do with a job."""


class Answer(BaseModel):
    """The base class of answers: frozen, and without other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkDone(Answer):
    """Work of a poster, in megapixels times steps."""

    done: float
    total: float


class SpentView(Answer):
    """What the workers of a job have cost. seconds: in which it had workers. usd: if known."""

    seconds: float
    worker_seconds: float
    usd: float | None


class OutputView(Answer):
    """A file of a finished job. url: to download it; a DeepZoom comes as one zip."""

    name: str
    format: str
    width: int
    height: int
    depth: int
    dpi: float | None
    bytes: int
    sha256: str
    url: str


class JobView(Answer):
    """One job. None means unknown, or not written yet."""

    job: Annotated[str, Field(description="The id.")]
    name: str
    kind: str
    look: Annotated[str | None, Field(description="The look that the spec equals.")]
    network: str | None
    submitter: Annotated[str | None, Field(description="`user@host`, as the submitter says.")]
    state: State
    paused_by: Annotated[PauseCause | None, Field(description="A user, a draft, or a limit.")]
    spent: Annotated[SpentView | None, Field(description="By its workers, under all leases.")]
    limits: Annotated[dict[str, float], Field(description="What it may spend: `usd`, `hours`.")]
    want: Annotated[Want, Field(description="A running job with pause or cancel will stop soon.")]
    progress: Annotated[float, Field(description="From 0 to 1.")]
    eta_seconds: float | None
    seconds: Annotated[float | None, Field(description="Of work, by the present holder.")]
    reason: Annotated[str | None, Field(description="Why it failed or waits.")]
    failure: FailureClass | None
    priority: int | None
    submitted: Annotated[str, Field(description="Time in UTC.")]
    age_seconds: int
    until: Annotated[int | None, Field(description="Octaves of a draft, after which it waits.")]
    phase: str | None
    octave: Annotated[int | None, Field(description="From 1; 0 before the first.")]
    octaves: int | None
    step: int | None
    steps: int | None
    megapixel_steps: WorkDone | None
    items: Annotated[dict[str, Any] | None, Field(description="Counts of a dataset.")]
    rate: Annotated[float | None, Field(description="Megapixel-steps or items per second.")]
    workers: int | None
    holder: str | None
    lease: int | None
    width: int | None
    height: int | None
    preview: Annotated[str | None, Field(description="URL of the newest picture.")]
    previews: Annotated[tuple[str, ...], Field(description="URLs by octave.")]
    outputs: tuple[OutputView, ...]
    requests: Annotated[tuple[Action, ...], Field(description="What is allowed now.")]


class IndexView(Answer):
    """How many jobs the server knows, of how many. complete: it has read all of them."""

    known: int
    of: int
    complete: bool


class Unreadable(Answer):
    """A job whose records are damaged."""

    job: str
    detail: str


class JobPage(Answer):
    """Some jobs, the newest first. next: pass it as `after`; None at the end."""

    jobs: tuple[JobView, ...]
    next: str | None
    matching: int
    index: IndexView
    unreadable: tuple[Unreadable, ...]


_Raise = Annotated[float, Field(gt=0, le=MAX_SPENT, allow_inf_nan=False, strict=True)]


class IntentChange(BaseModel):
    """What a user wants of a job. only_failed, failure: for `retry` of a dataset.

    usd, hours: for `resume`: how much to add to the job's own limits before.
    """

    model_config = ConfigDict(extra="forbid")

    request: IntentRequest
    only_failed: bool = False
    failure: FailureClass | None = None
    usd: _Raise | None = None
    hours: _Raise | None = None

    def raised(self) -> dict[SpendingUnit, float]:
        """How much to add to which limit."""
        given: dict[SpendingUnit, float | None] = {"usd": self.usd, "hours": self.hours}
        return {unit: amount for unit, amount in given.items() if amount is not None}


class PriorityChange(BaseModel):
    """Another priority: from 0 to 100; the waiting job with the higher one runs first."""

    model_config = ConfigDict(extra="forbid")

    priority: Annotated[int, Field(ge=0, le=100, strict=True)]


class Deleted(Answer):
    """A deleted job, and what was removed."""

    job: str
    objects: int
    bytes: int


class PinnedView(Answer):
    """What the first holder of a job pinned: its plan, device and software. None: nothing yet."""

    plan: dict[str, Any] | None
    device: str | None
    software: dict[str, str | None] | None


class Events(Answer):
    """The events of a job, oldest first."""

    events: tuple[dict[str, Any], ...]


class LogLine(Answer):
    """A line of the log of one holder."""

    lease: int
    line: str


class LogLines(Answer):
    """The last lines of the logs, oldest first."""

    lines: tuple[LogLine, ...]


class SessionView(Answer):
    """A login. role: None without one. login: whether one is needed. max_upload: in bytes."""

    role: Literal["read", "write"] | None
    login: bool
    store: str | None
    version: str
    max_upload: int


class TokenBody(BaseModel):
    """A token of the operator."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=4096)]
