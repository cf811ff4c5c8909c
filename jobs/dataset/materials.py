"""A dataset's plan on the machine that holds it, its weights brought from the store."""

from pathlib import Path

from jobs.companions import with_companions
from jobs.dataset.plan import DatasetPlan, make_dataset_plan
from jobs.dataset.spec import DatasetSpec
from jobs.document import any_spec_of
from jobs.errors import RequestError
from jobs.lifecycle.keys import JobKeys
from jobs.lifecycle.materials import Beside, check_same, fetched
from jobs.lifecycle.record import bad_record
from jobs.lifecycle.stored_spec import StoredSpec
from jobs.lifecycle.terms import Terms
from jobs.machine import Machine
from jobs.store.store import Store


def plan_here(
    store: Store, stored: StoredSpec, terms: Terms | None, machine: Machine, cache: Path
) -> DatasetPlan:
    """The plan of what was submitted, on the latest terms.

    Raises OtherVersion where this code would make another job of it, StoreRefused for weights that
    are gone or damaged, BadRecord, TooSmall, and RequestError where the cache cannot be written.
    """
    key = JobKeys(stored.job).spec
    try:
        spec = any_spec_of(with_companions(stored.spec, Beside(store, stored.job, cache).brought))
    except RequestError as error:
        raise bad_record(key, str(error)) from error
    if not isinstance(spec, DatasetSpec):
        raise bad_record(key, "is no dataset")
    here = spec if terms is None else terms.applied(spec)
    weights = [
        None if sent is None else fetched(store, sent.digest, sent.name, cache)
        for sent in stored.weights
    ]
    plan = make_dataset_plan(here, machine, weights)
    check_same(stored, plan.identity)
    return plan
