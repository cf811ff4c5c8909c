"""What the routes of one server share."""

from typing import Annotated, cast

from fastapi import Depends, Path, Request

from jobs.store.store import Store
from jobs.web.commands import Catalogue, Commands
from jobs.web.downloads import Downloads
from jobs.web.items import Items
from jobs.web.job_index import JobIndex
from jobs.web.job_watch import JobWatch
from jobs.web.live import Hub, Snapshot
from jobs.web.models import JobView
from jobs.web.pictures import Pictures
from jobs.web.poller import Poller
from jobs.web.session import Logins, Role
from jobs.web.settings import ServeSettings
from jobs.web.uploads import Uploads

_ID = r"^[a-z0-9](?:[a-z0-9._-]{0,58}[a-z0-9])?-[0-9a-f]{12}$"
"""The form of a job's id, as in `jobs.records.keys`."""


class Farm:
    """A store, what is known about it, and who may do what.

    All parts are made at once: requests in several threads must not each make their own.
    """

    def __init__(self, store: Store, settings: ServeSettings) -> None:
        self.store, self.settings = store, settings
        self.logins = Logins(settings.tokens)
        self.hub = Hub()
        self.index = JobIndex(store, self.hub)
        self.pictures = Pictures(store)
        self.poller = Poller(
            self.index,
            self.hub,
            lambda job: JobWatch(store, job, self.pictures.canvas),
            settings.refresh_seconds,
        )
        self.items = Items(store, self.pictures, settings.allowed)
        self.commands = Commands()
        self.catalogue = Catalogue(self.commands)
        self.uploads = Uploads(store, self.commands, settings.max_upload)
        self.downloads = Downloads(store)

    def job(self, job: str) -> JobView:
        """A job as it is now. Raises JobNotFound, InvalidRecord and StoreError."""
        return self.index.reload(job)

    def snapshot(self) -> Snapshot:
        """All open jobs, from a look at the store that is not old."""
        self.index.refresh(self.settings.refresh_seconds)
        return Snapshot(jobs=self.index.open_views())


def _farm_of(request: Request) -> Farm:
    return cast(Farm, request.app.state.farm)


def _role_of(request: Request) -> Role | None:
    return cast("Role | None", request.state.role)


TheFarm = Annotated[Farm, Depends(_farm_of)]

TheRole = Annotated["Role | None", Depends(_role_of)]

JobId = Annotated[str, Path(pattern=_ID, description="The complete id of a job.")]
