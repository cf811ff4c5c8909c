"""Routes of new jobs: uploads, plans and submits."""

import json
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from jobs.records.state import State
from jobs.web.farm import Farm, TheFarm, TheRole
from jobs.web.guard import API
from jobs.web.job_views import job_url
from jobs.web.models import Answer
from jobs.web.problems import Problem
from jobs.web.spec_files import SpecFiles
from jobs.web.uploads import UploadView, Use

router = APIRouter(prefix=API, tags=["new"])

_Name = Annotated[str, Query(min_length=1, max_length=200, description="Name of the file.")]


class SpecBody(BaseModel):
    """A spec, as in a spec file. Its files are references of uploads."""

    model_config = ConfigDict(extra="forbid")

    spec: dict[str, Any]


class SubmitBody(SpecBody):
    """A spec to submit. until, draft: pause after so many octaves, or after a size, as a draft."""

    until: Annotated[int | None, Field(ge=1, le=64)] = None
    draft: Annotated[str | None, Field(max_length=100)] = None

    def options(self) -> list[str]:
        """The options of `dreamfarm submit`."""
        named = (("--until", self.until), ("--draft", self.draft))
        return [f"{name}={value}" for name, value in named if value is not None]


class PlanBody(SpecBody):
    """A spec to plan. gpu, workers, network_gbps, price: as the options of `plan`.

    probe: measure this machine for ten seconds; without it and without a GPU there is no time.
    """

    gpu: Annotated[str | None, Field(max_length=40)] = None
    workers: Annotated[list[Annotated[int, Field(ge=1, le=512)]], Field(max_length=20)] = []
    network_gbps: float | None = None
    price: float | None = None
    probe: bool = False

    def options(self) -> list[str]:
        """The options of `dreamfarm plan`."""
        workers = ",".join(map(str, self.workers)) or None
        named = (
            ("--gpu", self.gpu),
            ("--workers", workers),
            ("--network-gbps", self.network_gbps),
            ("--price", self.price),
        )
        given = [f"{name}={value}" for name, value in named if value is not None]
        return [*given, "--probe" if self.probe else "--no-probe"]


class Submitted(Answer):
    """A submitted job. new: False if the same job was there. items: added to a dataset."""

    job: str
    state: State
    new: bool
    items: int | None = None


class PlanAnswer(Answer):
    """A plan: what `dreamfarm plan --json` prints."""

    document: dict[str, Any]


@router.post(
    "/uploads",
    status_code=HTTPStatus.CREATED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def upload(request: Request, name: _Name, farm: TheFarm, use: Use = "picture") -> UploadView:
    """Upload a picture, a profile of a press, or weights as safetensors; the body is the file."""
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isdecimal() else None
    return await farm.uploads.receive(request.stream(), name, use, announced)


@router.post("/jobs", responses={HTTPStatus.CREATED: {"model": Submitted}})
def submit(body: SubmitBody, answer: Response, farm: TheFarm, role: TheRole) -> Submitted:
    """Submit a job. The same spec finds the same job."""
    options = ("--create", "--store", farm.store.address, *body.options())
    # Without logins, whoever asks is the user of this server.
    submitter = f"web:{role}" if farm.logins.are_needed else None
    document = _run(farm, body.spec, "submit", *options, submitter=submitter)
    submitted = Submitted.model_validate(document)
    if submitted.new:
        answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = job_url(submitted.job)
    farm.job(submitted.job)
    return submitted


@router.post("/plans")
def plan(body: PlanBody, farm: TheFarm) -> PlanAnswer:
    """Plan a job: octaves, tiles, memory, bytes, time and cost. Nothing is rendered."""
    return PlanAnswer(document=_run(farm, body.spec, "plan", *body.options()))


def _run(
    farm: Farm, spec: dict[str, Any], command: str, *options: str, submitter: str | None = None
) -> Any:
    """Run a command on a spec. Raises Problem, RequestError and StoreError."""
    files = SpecFiles(farm.store, farm.settings.allowed)
    document = files.localize(spec)
    with tempfile.TemporaryDirectory(prefix="dreamfarm-spec-") as folder:
        path = Path(folder) / "spec.json"
        path.write_text(json.dumps(document), "utf-8")
        try:
            return farm.commands.run(command, str(path), *options, submitter=submitter)
        except Problem as problem:
            detail = files.shown(problem.detail).replace(f"{folder}/", "")
            raise Problem(problem.status, detail) from None
