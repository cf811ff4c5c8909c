"""Stages a submitted dataset: its plan, with its files downloaded to this machine."""

from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.planning.item_settings import sweep_variants
from jobs.planning.machine import Machine
from jobs.records.keys import JobKeys
from jobs.records.record import Record, invalid_record
from jobs.records.stored_spec import RunSettings, StoredSpec
from jobs.runtime.environment import PinnedPlan
from jobs.runtime.staging import AttachmentStager, check_file_names, check_identity, fetch_weights
from jobs.spec.attachments import map_attachments
from jobs.spec.base import PositiveCount
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import validate_as
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.text.validation import describe_errors
from render.device import ResolvedPrecision


class _PixelSettings(BaseModel):
    """The settings of `plan.json` that change pixels."""

    model_config = Record.model_config

    precision: ResolvedPrecision
    batch: PositiveCount


def as_pinned(plan: DatasetPlan, pinned: PinnedPlan) -> DatasetPlan:
    """Return the plan with the settings that the first holder has pinned. Raises InvalidRecord."""
    try:
        settings = _PixelSettings.model_validate(pinned.plan)
    except ValidationError as error:
        key = JobKeys(plan.identity.job_id).plan
        raise invalid_record(key, describe_errors(error, _PixelSettings, pinned.plan)) from error
    return replace(plan, auto_precision=settings.precision, batch=settings.batch)


def stage_plan(
    store: Store,
    stored: StoredSpec,
    run_settings: RunSettings | None,
    machine: Machine,
    cache: Path,
) -> DatasetPlan:
    """Plan a submitted dataset with local files and the latest run settings.

    Args:
        store: The job's store.
        stored: The spec as it was submitted.
        run_settings: The latest ones; None for the submitted ones.
        machine: The machine of the workers.
        cache: The folder for downloaded files.

    Raises:
        VersionMismatch: This version would make another job of the spec.
        StoreRefused: A blob is missing or damaged.
        InvalidRecord: The stored spec is not valid.
        MachineTooSmall: An item needs more than the machine has, or the cache cannot be written.
    """
    key = JobKeys(stored.job).spec
    check_file_names(stored)
    stager = AttachmentStager(store, stored.job, cache)
    document = map_attachments(stored.submitted_document, stager.stage)
    try:
        submitted = validate_as(DatasetSpec, document)
    except RequestError as error:
        raise invalid_record(key, str(error)) from error
    # Without a digest, the plan would use the path in the spec, which may be any file.
    variants = len(sweep_variants(submitted.sweep))
    if len(stored.weights) != variants:
        raise invalid_record(
            key, f"has {len(stored.weights)} weights files for {variants} variants"
        )
    spec = submitted if run_settings is None else run_settings.apply_to(submitted)
    weights = [
        None if file is None else fetch_weights(store, file.digest, file.name, cache)
        for file in stored.weights
    ]
    plan = make_dataset_plan(spec, machine, weights)
    check_identity(stored, plan.identity)
    return plan
