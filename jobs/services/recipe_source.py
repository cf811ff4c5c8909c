"""Reads a recipe from whatever a user names: an output, a manifest, a spec, or a job."""

import glob
from dataclasses import replace
from pathlib import Path

from jobs.poster.local_draft import drafted_render
from jobs.poster.outputs import DRAFT_NAMES
from jobs.records.job import find_job_id, load_job
from jobs.records.manifest import MANIFEST
from jobs.records.stored_spec import StoredSpec, parse_attachment_reference
from jobs.runtime.access import path_exists
from jobs.services.job_handle import DEFAULT_FOLDER
from jobs.services.kinds import kind_of
from jobs.services.recipe.recipe import (
    Recipe,
    file_names,
    no_recipe,
    recipe_of_identity,
    recipe_of_label,
    recipe_of_record,
)
from jobs.spec.attachments import attachment_paths
from jobs.spec.document import read_document
from jobs.spec.kinds import AnySpec, parse_spec
from jobs.store.address import open_existing_store
from jobs.text.errors import RequestError
from jobs.text.yaml_json import read_mapping_file
from render.input_file import read_problem
from render.pictures.embedded_identity import read_identity
from render.pictures.output_format import FORMATS

_SPEC_SUFFIXES = (".yaml", ".yml", ".json")

_OUTPUT_SUFFIXES = (".pdf", *(one.suffix for one in FORMATS.values()))

_MAX_NAMED = 5
"""Most jobs in a message."""


def read_recipe(text: str, store: str = str(DEFAULT_FOLDER)) -> Recipe:
    """Read how something was made.

    Args:
        text: The path of an output, of a manifest, of a spec, or of a folder with a manifest or a
            draft; or a job id, or its first characters.
        store: The address of the store of the job, if it was not rendered into `dreams` here.

    Raises:
        RequestError: There is no recipe, or it is of a newer version.
        RenderError: The files of a spec cannot be read.
        StoreError: The store does not answer.
    """
    path = Path(text)
    if text.strip() and "\0" not in text and path_exists(text):
        return _of_path(_in_folder(path) if path.is_dir() else path, text)
    if "/" in text or text.lower().endswith((*_SPEC_SUFFIXES, *_OUTPUT_SUFFIXES)):
        raise RequestError(f"{text}: no such file; check the path")
    return _of_local_job(text) or _of_stored_job(text, store)


def _in_folder(folder: Path) -> Path:
    """What tells most in the folder of a job: its manifest, or else a draft."""
    manifest, drafts = folder / MANIFEST, sorted(folder.glob(DRAFT_NAMES))
    return drafts[0] if drafts and not manifest.is_file() else manifest


def _of_path(path: Path, source: str) -> Recipe:
    if path.suffix.lower() in _SPEC_SUFFIXES:
        return _of_document(path, source)
    try:
        label = read_identity(path)
    except OSError as error:
        raise RequestError(f"{source}: {read_problem(error)}") from error
    if label is None:
        raise no_recipe(source)
    recipe = recipe_of_label(label, source)
    manifest = path.parent / MANIFEST
    return replace(recipe, folder=path.parent, hints=_hints_beside(manifest, recipe))


def _hints_beside(manifest: Path, recipe: Recipe) -> tuple[Path, ...]:
    """Where the manifest of the same job says that its files were."""
    if not manifest.is_file():
        return ()
    try:
        beside = recipe_of_record(read_mapping_file(manifest), str(manifest))
    except RequestError:
        return ()
    return beside.hints if beside.spec == recipe.spec else ()


def _of_document(path: Path, source: str) -> Recipe:
    """The recipe of a manifest, of a stored spec, or of a spec file."""
    if not path.is_file():
        raise no_recipe(source)
    record = read_mapping_file(path)
    if "identity" in record:
        return replace(recipe_of_record(record, source), folder=path.parent)
    return replace(_of_spec(parse_spec(read_document(path)), source), folder=path.parent)


def _of_spec(spec: AnySpec, source: str) -> Recipe:
    """The recipe of a spec, with the digests of its files here."""
    identity = kind_of(spec).identity(spec).document
    hints = file_names(spec.document())
    return recipe_of_identity(identity, source, facts={"name": spec.name}, hints=hints)


def _of_local_job(text: str) -> Recipe | None:
    """The recipe of a job that was rendered into `dreams` here, or drafted; None without one."""
    manifests = sorted(DEFAULT_FOLDER.glob(f"{glob.escape(text)}*/{MANIFEST}")) if text else []
    if len(manifests) > 1:
        named = ", ".join(path.parent.name for path in manifests[:_MAX_NAMED])
        raise RequestError(
            f"{text}: {len(manifests)} jobs in {DEFAULT_FOLDER} start with this: {named}; give "
            "more of the id"
        )
    if manifests:
        return _of_document(manifests[0], text)
    drafted = drafted_render(DEFAULT_FOLDER, text) if text else None
    return None if drafted is None else _of_spec(parse_spec(drafted[0]), text)


def _of_stored_job(text: str, address: str) -> Recipe:
    """The recipe of a job in a store. Raises RequestError if there is none."""
    store = open_existing_store(address)
    job = load_job(store, find_job_id(store, text))
    stored = job.spec
    record = {
        **(job.manifest or {}),
        "spec": stored.submitted_document,
        "identity": stored.identity,
    }
    return replace(recipe_of_record(record, text), blobs=(store, _blob_names(stored)))


def _blob_names(stored: StoredSpec) -> dict[str, str]:
    """The names of the uploaded files of a job, by their digests."""
    document = stored.submitted_document
    references = map(parse_attachment_reference, attachment_paths(document))
    names = dict(one for one in references if one is not None)
    for digest, section, key in (
        (stored.blobs.input, "input", "path"),
        (stored.blobs.weights, "network", "weights"),
    ):
        fields = document.get(section)
        name = fields.get(key) if isinstance(fields, dict) else None
        if digest is not None and isinstance(name, str):
            names[digest] = name
    return names
