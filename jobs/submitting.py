"""Submitting whatever kind of job."""

from jobs.dataset.spec import DatasetSpec
from jobs.dataset.submit import submit_dataset
from jobs.document import AnySpec
from jobs.lifecycle.submit import Submitted, submit
from jobs.store.store import Store


def submit_any(store: Store, spec: AnySpec) -> Submitted:
    """Put a job into a store, or find it there. RenderError or RequestError where it is wrong."""
    return submit_dataset(store, spec) if isinstance(spec, DatasetSpec) else submit(store, spec)
