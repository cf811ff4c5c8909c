"""The route of server-sent events."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query

from jobs.records.keys import is_job_id
from jobs.store.errors import StoreError
from jobs.web.downloads import ClosedStream
from jobs.web.farm import Farm, TheFarm
from jobs.web.guard import API
from jobs.web.job_watch import Detail
from jobs.web.live import Snapshot

router = APIRouter(prefix=f"{API}/events", tags=["events"])


class EventStream(ClosedStream):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get("", response_class=EventStream)
async def listen(
    farm: TheFarm, job: Annotated[str | None, Query(max_length=100)] = None
) -> EventStream:
    """Stream what changes: a snapshot of the open jobs, then each job that changes.

    job: streams the events, logs and checkpoints of this job as well.
    """
    topic = job if job is not None and is_job_id(job) else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(_events(farm, topic), headers=headers)


def _events(farm: Farm, topic: str | None) -> AsyncGenerator[bytes]:
    def snapshot() -> Snapshot:
        try:
            return farm.snapshot()
        except StoreError as error:
            farm.hub.store_answered(str(error))
            return Snapshot(jobs=farm.index.open_views())

    def backlog() -> list[Detail]:
        try:
            return [] if topic is None else farm.poller.backlog(topic)
        except StoreError:
            return []

    return farm.hub.stream(topic, snapshot, backlog)
