"""A dataset's plan on the machine that holds it, its weights brought from the store."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.planning.item_settings import sweep_variants
from jobs.planning.machine import Machine
from jobs.records.keys import JobKeys
from jobs.records.record import Record, invalid_record
from jobs.records.stored_spec import RunSettings, StoredSpec
from jobs.runtime.environment import PinnedPlan
from jobs.runtime.staging import AttachmentStager, check_file_names, check_identity, fetch_weights
from jobs.spec.attachments import map_attachments
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import validate_as
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.text.validation import describe_errors
from render.device import ResolvedPrecision


class _Fixed(BaseModel):
    """Of plan.json, what is no more than the plan's pixels."""

    model_config = Record.model_config

    precision: ResolvedPrecision
    batch: Annotated[int, Field(ge=1)]


def as_pinned(plan: DatasetPlan, fixed: PinnedPlan) -> DatasetPlan:
    """The plan with what the first holder has fixed. Raises InvalidRecord."""
    try:
        found = _Fixed.model_validate(fixed.plan)
    except ValidationError as error:
        key = JobKeys(plan.identity.job_id).plan
        raise invalid_record(key, describe_errors(error, _Fixed, fixed.plan)) from error
    return replace(plan, precision=found.precision, batch=found.batch)


def stage_plan(
    store: Store,
    stored: StoredSpec,
    run_settings: RunSettings | None,
    machine: Machine,
    cache: Path,
) -> DatasetPlan:
    """The plan of what was submitted, on the latest terms.

    Raises VersionMismatch where this code would make another job of it, StoreRefused for weights that
    are gone or damaged, InvalidRecord, MachineTooSmall, and RequestError where the cache cannot be written.
    """
    key = JobKeys(stored.job).spec
    check_file_names(stored)
    try:
        spec = validate_as(
            DatasetSpec,
            map_attachments(stored.spec, AttachmentStager(store, stored.job, cache).stage),
        )
    except RequestError as error:
        raise invalid_record(key, str(error)) from error
    # Where one is missing, what the spec says would count, and that is a path of anywhere.
    if len(stored.weights) != len(sweep_variants(spec.sweep)):
        raise invalid_record(key, f"has {len(stored.weights)} weights files for its variants")
    here = spec if run_settings is None else run_settings.apply_to(spec)
    weights = [
        None if sent is None else fetch_weights(store, sent.digest, sent.name, cache)
        for sent in stored.weights
    ]
    plan = make_dataset_plan(here, machine, weights)
    check_identity(stored, plan.identity)
    return plan
