"""A dataset's plan on the machine that holds it, its weights brought from the store."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.planning.item_settings import variants
from jobs.planning.machine import Machine
from jobs.records.keys import JobKeys
from jobs.records.record import Record, bad_record
from jobs.records.stored_spec import StoredSpec, Terms
from jobs.runtime.environment import FixedPlan
from jobs.runtime.staging import Beside, check_named, check_same, fetched_weights
from jobs.spec.attachments import with_companions
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.text.validation import one_line
from render.device import Resolved


class _Fixed(BaseModel):
    """Of plan.json, what is no more than the plan's pixels."""

    model_config = Record.model_config

    precision: Resolved
    batch: Annotated[int, Field(ge=1)]


def as_fixed(plan: DatasetPlan, fixed: FixedPlan) -> DatasetPlan:
    """The plan with what the first holder has fixed. Raises BadRecord."""
    try:
        found = _Fixed.model_validate(fixed.plan)
    except ValidationError as error:
        key = JobKeys(plan.identity.job_id).plan
        raise bad_record(key, one_line(error, _Fixed, fixed.plan)) from error
    return replace(plan, precision=found.precision, batch=found.batch)


def plan_here(
    store: Store, stored: StoredSpec, terms: Terms | None, machine: Machine, cache: Path
) -> DatasetPlan:
    """The plan of what was submitted, on the latest terms.

    Raises OtherVersion where this code would make another job of it, StoreRefused for weights that
    are gone or damaged, BadRecord, TooSmall, and RequestError where the cache cannot be written.
    """
    key = JobKeys(stored.job).spec
    check_named(stored)
    try:
        spec = any_spec_of(with_companions(stored.spec, Beside(store, stored.job, cache).brought))
    except RequestError as error:
        raise bad_record(key, str(error)) from error
    if not isinstance(spec, DatasetSpec):
        raise bad_record(key, "is no dataset")
    # Where one is missing, what the spec says would count, and that is a path of anywhere.
    if len(stored.weights) != len(variants(spec.sweep)):
        raise bad_record(key, f"has {len(stored.weights)} weights files for its variants")
    here = spec if terms is None else terms.applied(spec)
    weights = [
        None if sent is None else fetched_weights(store, sent.digest, sent.name, cache)
        for sent in stored.weights
    ]
    plan = make_dataset_plan(here, machine, weights)
    check_same(stored, plan.identity)
    return plan
