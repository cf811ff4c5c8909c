"""Submitting whatever kind of job."""

from jobs.dataset.submit import submit_dataset
from jobs.poster.submit import submit
from jobs.runtime.upload import Submitted
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import AnySpec
from jobs.store.store import Store


def submit_any(store: Store, spec: AnySpec) -> Submitted:
    """Put a job into a store, or find it there. RenderError or RequestError where it is wrong."""
    return submit_dataset(store, spec) if isinstance(spec, DatasetSpec) else submit(store, spec)
