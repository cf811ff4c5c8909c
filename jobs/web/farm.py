"""What the routes of one server share."""

from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class Farm:
    """A store, what is known about it, and who may do what."""

    store: Store
    settings: ServeSettings

    @cached_property
    def logins(self) -> Logins:
        """Checks logins."""
        return Logins(self.settings.tokens)

    @cached_property
    def hub(self) -> Hub:
        """All browsers that listen."""
        return Hub()

    @cached_property
    def index(self) -> JobIndex:
        """All jobs."""
        return JobIndex(self.store, self.hub)

    @cached_property
    def poller(self) -> Poller:
        """Reads the store for all browsers."""
        return Poller(
            self.index,
            self.hub,
            lambda job: JobWatch(self.store, job, self.pictures.canvas),
            self.settings.refresh_seconds,
        )

    @cached_property
    def pictures(self) -> Pictures:
        """Previews, and tiles of canvases."""
        return Pictures(self.store)

    @cached_property
    def items(self) -> Items:
        """The items of datasets."""
        return Items(self.store, self.pictures, self.settings.allowed)

    @cached_property
    def commands(self) -> Commands:
        """Runs commands that need torch, or meet strangers' files."""
        return Commands()

    @cached_property
    def catalogue(self) -> Catalogue:
        """What is known about networks."""
        return Catalogue(self.commands)

    @cached_property
    def uploads(self) -> Uploads:
        """Receives files."""
        return Uploads(self.store, self.commands, self.settings.max_upload)

    @cached_property
    def downloads(self) -> Downloads:
        """Downloads of results."""
        return Downloads(self.store)

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
