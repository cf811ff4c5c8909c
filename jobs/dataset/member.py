"""The way to a worker for those who must not load what it computes with."""

from typing import TYPE_CHECKING

from jobs.checkpoint.site import Site
from jobs.dataset.plan import DatasetPlan
from jobs.dataset.sources.root import check_seen
from jobs.dataset.tenure import Tenure

if TYPE_CHECKING:
    from jobs.dataset.worker import Worker


def worker(plan: DatasetPlan, site: Site, tenure: Tenure) -> "Worker":
    """A worker, made where it will work.

    Coordinators only name it. Torch would cost each of them seconds, and memory.
    """
    from jobs.dataset.worker import Worker

    site.check_store()
    if site.store.local(site.keys.spec) is not None:
        check_seen(plan.spec.inputs)
    return Worker(plan, site, tenure)
