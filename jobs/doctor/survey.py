"""What a machine of a cluster says of itself; runs there."""

import platform
import shutil
import tempfile

from jobs.lifecycle.keys import ACTIVE
from jobs.lifecycle.record import Record
from jobs.poster.machinery import SOFTWARE, software
from jobs.store.address import open_store
from jobs.store.errors import StoreError


class Survey(Record):
    """cores, gpus: that it has, lent or not. software: versions by package. free: bytes of its
    scratch disk. sees_store: None where none was named; trouble: why it does not.
    """

    name: str
    cores: int
    gpus: int
    software: dict[str, str | None]
    free: int
    sees_store: bool | None
    trouble: str | None


def survey(store: str) -> str:
    """Survey this machine; store: an address, or nothing."""
    from jobs.machine import this_machine
    from render.device import gpus_fitted

    trouble = _trouble(store) if store else None
    return Survey(
        name=platform.node(),
        cores=this_machine().cores,
        # Ray hides GPUs from who asks for none.
        gpus=gpus_fitted(),
        software=software(SOFTWARE),
        free=shutil.disk_usage(tempfile.gettempdir()).free,
        sees_store=trouble is None if store else None,
        trouble=trouble,
    ).model_dump_json()


def _trouble(store: str) -> str | None:
    try:
        next(iter(open_store(store).entries(ACTIVE)), None)
    except StoreError as error:
        return str(error)
    return None
