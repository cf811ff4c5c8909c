"""Every command that a message suggests is run; options and fields that one names exist.

A message that suggests a command belongs to a scenario here, which makes a command print it. The
stores have addresses that no command finds by itself, with a space.
"""

import re
import shlex
import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

import click
import pytest
import typer
from pydantic import BaseModel
from torch import Tensor, nn

from jobs.cli.app import app
from jobs.cli.format import STORE_COMMANDS, complete
from jobs.notify.notice import Audience
from jobs.records.job import load_job
from jobs.records.keys import JobKeys, active_marker
from jobs.records.request import cancel, limit, pause
from jobs.services.scheduler.coordinator import DONE
from jobs.spec.atlas import AtlasSpec
from jobs.spec.dataset import DatasetSpec
from jobs.spec.poster import PosterSpec
from jobs.store.folder import FolderStore
from render.errors import LayerError
from render.networks.classes import class_index
from render.networks.receptive_field import layer_grid
from tests.support.coordinators import claim_job, submit_small_poster
from tests.support.dreamed_dataset import DreamedDataset, write_dataset_spec
from tests.support.job_states import JOB, claim_next_lease, fail_job, job_in_state, write_job
from tests.support.onnx_files import node, saved, small_model
from tests.support.rendered_poster import RenderedPoster, write_poster_spec
from tests.support.shell import Shell
from tests.support.small_dataset import FailingWorker, pool_of
from tests.support.suggestions import (
    Suggestion,
    suggested_commands,
    suggested_fields,
    suggested_options,
)


@dataclass(frozen=True)
class World:
    """What scenarios need. poster, dataset: finished jobs in stores of their own."""

    shell: Shell
    folder: Path
    picture: Path
    weights: Path
    photos: Path
    poster: RenderedPoster
    dataset: DreamedDataset
    monkeypatch: pytest.MonkeyPatch

    @property
    def store(self) -> FolderStore:
        """A store for jobs in any state."""
        return FolderStore(self.folder / "a store")

    def say(self, *words: object, store: Path | None = None) -> str:
        """What a command prints about a store."""
        create = ["--create"] if words[0] == "submit" else []
        ended = self.shell(*words, *create, "--store", store or self.store.address)
        return ended.out + ended.err

    def spec(self) -> Path:
        return write_poster_spec(self.folder, self.picture, self.weights)


@pytest.fixture
def world(
    shell: Shell,
    tmp_path: Path,
    picture: Path,
    weights: Path,
    photos: Path,
    rendered_once: RenderedPoster,
    dreamed_once: DreamedDataset,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.delenv("DREAMFARM_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    for made, name in ((rendered_once, "posters"), (dreamed_once, "datasets")):
        shutil.copytree(made.store, tmp_path / f"the {name}")
    return World(
        *(shell, tmp_path, picture, weights, photos),
        RenderedPoster(tmp_path / "the posters", rendered_once.job),
        DreamedDataset(tmp_path / "the datasets", dreamed_once.job),
        monkeypatch,
    )


Scenario = Callable[[World], str]
SCENARIOS: dict[Suggestion, list[Scenario]] = defaultdict(list)


def prints(path: str, *commands: str) -> Callable[[Scenario], Scenario]:
    """Register a scenario: it returns printed text with these suggestions of a source file."""

    def register(scenario: Scenario) -> Scenario:
        for command in commands:
            SCENARIOS[Suggestion(path, f"dreamfarm {command}")].append(scenario)
        return scenario

    return register


@prints("jobs/cli/arguments.py", "layers NETWORK", "looks", "networks")
def help_of_options(world: World) -> str:
    world.monkeypatch.setenv("COLUMNS", "300")
    return world.shell("submit", "--help").out


@prints("jobs/poster/kind.py", "finish {}")
def draft_here(world: World) -> str:
    return world.shell("render", world.spec(), "--until", 1, "--in-process").err


@prints("jobs/poster/runner.py", "finish {}")
def show_a_draft(world: World) -> str:
    job = submit_small_poster(world.store, world.picture, world.weights)
    limit(world.store, load_job(world.store, job), 1)
    assert claim_job(world.store, job, world.folder).run() == DONE
    return world.say("show", job)


@prints("jobs/cli/clean.py", "{}")
def clean_with_options(world: World) -> str:
    cancel_state = job_in_state(world.store, "cancelled")
    world.store.put(f"{cancel_state.checkpoints}1/1-1.tiles", b"tiles")
    text = world.say("clean", "--all", "--older-than", "0")
    assert "--all --older-than 0" in text
    return text


@prints("jobs/cli/clean.py", "{}")
def clean_without_options(world: World) -> str:
    return world.say("clean", store=world.poster.store)


@prints("jobs/cli/logs.py", "show {}")
def logs_of_a_queued_job(world: World) -> str:
    write_job(world.store)
    return world.say("logs", JOB)


@prints("jobs/cli/show.py", "{} {}")
def show_a_succeeded_job(world: World) -> str:
    return world.say("show", world.poster.job, store=world.poster.store)


@prints("jobs/cli/show.py", "{} {}")
def show_a_failed_job(world: World) -> str:
    job_in_state(world.store, "failed")
    return world.say("show", JOB)


@prints("jobs/cli/show.py", "{} {}")
def show_a_paused_job(world: World) -> str:
    job_in_state(world.store, "paused")
    return world.say("show", JOB)


@prints("jobs/cli/submit.py", "work")
def submit_a_new_job(world: World) -> str:
    return world.say("submit", world.spec())


@prints("jobs/cli/submit.py", "watch {}")
def submit_a_queued_job(world: World) -> str:
    world.say("submit", world.spec())
    return world.say("submit", world.spec())


def submitted(world: World) -> str:
    world.say("submit", world.spec())
    (job,) = world.store.list_folders("jobs/")
    return job


@prints("jobs/cli/submit.py", "resume {}")
def submit_a_paused_job(world: World) -> str:
    pause(world.store, submitted(world))
    return world.say("submit", world.spec())


@prints("jobs/cli/submit.py", "retry {}")
def submit_a_cancelled_job(world: World) -> str:
    cancel(world.store, submitted(world))
    return world.say("submit", world.spec())


@prints("jobs/cli/submit.py", "fetch {}")
def submit_a_finished_job(world: World) -> str:
    outputs = "outputs=[png, {format: tiff, depth: 16}, deepzoom]"
    spec = write_poster_spec(world.folder, world.picture, world.weights, outputs)
    return world.say("submit", spec, store=world.poster.store)


def drafts(world: World, *more: object) -> str:
    settings = ("size=150xauto", "dream.octaves=3", "dream.octave_scale=1.5", "dream.steps=1")
    spec = write_poster_spec(world.folder, world.picture, world.weights, *settings)
    seeds = ("--vary", "dream.seed=1,2", "--draft", "100px")
    return world.shell("variations", spec, *seeds, *more, "--out", world.folder / "a sheet").err


@prints("jobs/cli/variations.py", "finish {} 1")
def a_sheet_here(world: World) -> str:
    return drafts(world)


@prints("jobs/cli/variations.py", "work --store {}")
def a_sheet_in_a_store(world: World) -> str:
    Path(world.store.address).mkdir()
    return drafts(world, "--store", world.store.address)


REGION = ("--region", "20%,20%,50%x50%")


@prints("jobs/cli/redo.py", "work")
def redo_a_region(world: World) -> str:
    shutil.copytree(world.poster.store, world.store.address)
    return world.say("redo", world.poster.job, *REGION)


@prints("jobs/poster/redo.py", "show {}")
def redo_what_is_not_finished(world: World) -> str:
    return world.say("redo", submitted(world), *REGION)


@prints("jobs/spec/notify.py", "work --notify NAME=ADDRESS")
def a_spec_with_an_address(world: World) -> str:
    submitted(world)
    return world.say("submit", world.spec(), "--set", "notify=['https://example.org/']")


@prints("jobs/notify/notice.py", "work")
def a_name_without_an_address(world: World) -> str:
    submitted(world)
    return complete(str(Audience().unknown_names(["phone"])))


@prints("jobs/cli/watch.py", "pause {}", "watch {}")
def interrupt_a_watch(world: World) -> str:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    write_job(world.store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.services.job_handle.Job.watch", interrupt)
        return world.say("watch", JOB)


@prints("jobs/poster/fetch/fetch.py", "show {}")
def fetch_a_failed_poster(world: World) -> str:
    job_in_state(world.store, "failed")
    return world.say("fetch", JOB, "--out", world.folder / "out")


@prints("jobs/dataset/fetch.py", "show {}")
def fetch_a_queued_dataset(world: World) -> str:
    world.say("submit", write_dataset_spec(world.folder, world.photos, world.weights))
    return world.say("fetch", "set", "--out", world.folder / "out")


@prints("jobs/dataset/inputs/index.py", "show {}")
def ledger_of_a_poster(world: World) -> str:
    return world.say("ledger", world.poster.job, store=world.poster.store)


@prints("jobs/dataset/ledger/writer.py", "{} {}{}{}")
def too_many_failures_here(world: World) -> str:
    spec = write_dataset_spec(world.folder, world.photos, world.weights, "limits.max_failures=0")
    ended = world.shell("render", spec, "--in-process", "--out", world.folder / "my out")
    assert "ledger" in ended.err
    return ended.err


@prints("jobs/dataset/ledger/writer.py", "{} {}{}{}")
def too_many_failures_in_a_store(world: World) -> str:
    spec = write_dataset_spec(world.folder, world.photos, world.weights, "limits.max_failures=0")
    world.say("submit", spec)
    (job,) = world.store.list_folders("jobs/")
    claim_job(world.store, job, world.folder).run()
    text = world.say("watch", job)
    assert "ledger" in text
    return text


@prints("jobs/dataset/ledger/writer.py", "{} {}{}{}")
def an_item_with_a_bug(world: World) -> str:
    write_photo = world.photos / "1" / "0001.jpg"
    write_photo.parent.mkdir()
    shutil.copyfile(world.picture, write_photo)
    world.say("submit", write_dataset_spec(world.folder, world.photos, world.weights))
    (job,) = world.store.list_folders("jobs/")
    claim_job(world.store, job, world.folder, pool=pool_of(FailingWorker)).run()
    text = world.say("ledger", job)
    assert "logs" in text
    return text


@prints("jobs/records/job.py", "list")
def show_no_job(world: World) -> str:
    write_job(world.store)
    return world.say("show", "sea")


@prints("jobs/records/job.py", "resume {}")
def show_a_job_whose_marker_is_a_folder(world: World) -> str:
    write_job(world.store)
    marker = Path(world.store.address) / active_marker(JOB, 0)
    marker.mkdir(parents=True)
    text = world.say("show", JOB)
    marker.rmdir()
    return text


@prints("jobs/services/doctor/local_checks.py", "plan PICTURE")
def doctor_of_a_small_disk(world: World) -> str:
    class Usage(NamedTuple):
        total: int = 30 << 30
        used: int = 0
        free: int = 2 << 30

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: Usage())
        return world.shell("doctor").out


@prints("jobs/services/scheduler/coordinator.py", "logs {}")
def a_job_with_a_bug(world: World) -> str:
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    job = submitted(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.poster.runner.PosterRunner.run", fail)
        claim_job(world.store, job, world.folder).run()
    return world.say("list") + world.say("show", job)


@prints("jobs/spec/base.py", "networks")
def plan_without_a_network(world: World) -> str:
    spec = world.folder / "spec.yaml"
    spec.write_text("{input: sky.png, network: {weights: pretrained}}")
    return world.shell("plan", spec).err


@prints("jobs/store/address.py", "submit PICTURE --create")
def list_no_store(world: World) -> str:
    return world.say("list")


@prints("render/networks/classes.py", "layers {} --classes")
def an_unknown_class_among_many(_: World) -> str:
    with pytest.raises(LayerError) as refused:
        class_index("vgg16", None, "zzzzzz")
    return str(refused.value)


class Transposed(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features.transpose(1, 2)


@prints("render/engine/network_profile.py", "layers {}")
def network_without_an_exact_layer(world: World) -> str:
    network = saved(small_model([node("GlobalAveragePool", "x")]), world.folder / "a net.onnx")
    return world.shell("plan", world.picture, "--network", network).err


@prints("render/networks/receptive_field.py", "layers {}")
def a_layer_without_rows_and_columns(_: World) -> str:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), Transposed())
    with pytest.raises(LayerError) as refused:
        layer_grid(model, "alexnet", ("1",))
    return str(refused.value)


_PRINTED = re.compile(r"`(dreamfarm [^`]+)`|(?<=next )\s*(dreamfarm .+)")


def printed_commands(text: str, suggestion: Suggestion) -> list[str]:
    """The commands in a text that a suggestion made."""
    pattern = re.escape(suggestion.text).replace(r"\{\}", ".*")
    found = [quoted or plain for quoted, plain in _PRINTED.findall(text)]
    return [one for one in found if re.match(rf"{pattern}(?= |$)", one)]


def run(world: World, command: str) -> None:
    """Run a suggested command, as a shell would."""
    address = "phone=http://127.0.0.1:9/"
    values = {"PICTURE": str(world.picture), "NETWORK": "pareidolia", "NAME=ADDRESS": address}
    words = [values.get(word, word) for word in shlex.split(command)[1:]]
    if words[0] == "work":
        for job in world.store.list_folders("jobs/"):
            if load_job(world.store, job).state == "queued":
                cancel(world.store, job)
        words.append("--until-idle")
    if words[0] == "watch":
        world.store.put(JobKeys(words[1]).manifest, b'{"version": 1}')
    ended = world.shell(*words)
    assert ended.code == 0, (command, ended.err)
    assert ended.out or ended.err


@pytest.mark.parametrize("suggestion", sorted(SCENARIOS), ids=str)
def test_a_suggested_command_succeeds(world: World, suggestion: Suggestion, tmp_path: Path) -> None:
    for number, scenario in enumerate(SCENARIOS[suggestion]):
        text = scenario(world)
        commands = printed_commands(text, suggestion)
        assert commands, (scenario.__name__, text)
        for command in commands:
            run(world, command)
        if (tmp_path / "a store").exists():
            (tmp_path / "a store").rename(tmp_path / f"store of {number}")


def test_every_suggested_command_has_a_scenario(project: Path) -> None:
    assert set(SCENARIOS) == suggested_commands(project)


def test_a_usual_store_is_not_named(
    shell: Shell, store: FolderStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    spec = write_poster_spec(tmp_path, picture, weights)
    for address in ([], ["--store", store.address]):
        assert "`dreamfarm w" in shell("submit", spec, *address).err
    assert "--store" not in shell("submit", spec).err


def test_a_store_is_named_once_and_only_in_backticks(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DREAMFARM_STORE", raising=False)
    store = FolderStore(tmp_path / "x")
    held = claim_next_lease(store, write_job(store))
    fail_job(store, held)
    status = store.get(held.keys.status(1))
    for reason, shown in {
        "dreamfarm show x": "dreamfarm show x\n",
        "`dreamfarm show x --store y`": "`dreamfarm show x --store y`",
        "`dreamfarm plan x`": "`dreamfarm plan x`",
        "`dreamfarm showing x`": "`dreamfarm showing x`",
        "`dreamfarm show x`": f"`dreamfarm show x --store {store.address}`",
    }.items():
        store.put(held.keys.status(1), status.replace(b"no memory", reason.encode()))
        assert f": {shown}" in shell("show", JOB, "--store", store.address).out


def commands() -> dict[str, click.Command]:
    group: Any = typer.main.get_command(app)
    found: dict[str, click.Command] = group.commands
    return found


def options_of(command: str) -> set[str]:
    parameters = commands()[command].params
    return {name for one in parameters for name in (*one.opts, *one.secondary_opts)}


def test_the_commands_with_a_store_are_known() -> None:
    found = {name for name in commands() if "--store" in options_of(name)}
    assert found == {*STORE_COMMANDS, "doctor"}


ASKED = ("plan", "render", "submit")
INTO_FOLDERS = ("render", "fetch")
DRAFTED = ("render", "submit")
FILLING = ("submit", "work")

_PRINTED_BY_FILE: dict[str, dict[str, tuple[str, ...]]] = {
    "jobs/cli/arguments.py": {"--fit": ASKED, "--set": ASKED, "--size": ASKED},
    "jobs/cli/clean.py": {"--older-than": ("clean",)},
    "jobs/cli/finish.py": {"--out": ("finish",)},
    "jobs/cli/format.py": {"--store": STORE_COMMANDS, "--yes": ("delete",)},
    "jobs/cli/list.py": {"--since": ("list",), "--state": ("list",)},
    "jobs/cli/requests.py": {"--only": ("retry",)},
    "jobs/cli/variations.py": {"--vary": ("variations",)},
    "jobs/cli/work.py": {"--address": ("work",), "--grows-to": ("work",)},
    "jobs/dataset/fetch.py": {"--out": ("fetch",)},
    "jobs/dataset/inputs/listing.py": {"--out": ("render",)},
    "jobs/dataset/kind.py": dict.fromkeys(
        ("--gpu", "--network-gbps", "--price", "--workers"), ("plan",)
    )
    | {"--until": DRAFTED, "--draft": DRAFTED, "--set": ASKED},
    "jobs/notify/notice.py": {"--notify": ("work",), "--store": ("work",)},
    "jobs/planning/disk.py": {"--out": ("render",)},
    "jobs/planning/draft.py": dict.fromkeys(("--draft", "--until"), DRAFTED),
    "jobs/poster/local_draft.py": {"--until": ("render",)},
    "jobs/planning/source.py": {"--fit": ASKED},
    "jobs/planning/estimate/probe.py": {"--no-probe": ("plan",)},
    "jobs/planning/estimate/report.py": {"--price": ("plan",)},
    "jobs/planning/estimate/request.py": {"--gpu": ("plan",), "--workers": ("plan",)},
    "jobs/planning/estimate/speed.py": {"--gpu": ("plan",)},
    "jobs/poster/fetch/folder.py": {"--out": ("fetch",)},
    "jobs/poster/fetch/print_outputs.py": {"--panels": ("fetch",)},
    "jobs/poster/local_redo.py": {"--store": ("redo",)},
    "jobs/poster/redo.py": {"--render-older": ("redo",)},
    "jobs/poster/redo_spec.py": {"--octaves": ("redo",), "--set": ("redo",)},
    "jobs/records/request.py": {"--raise": ("resume",)},
    "jobs/runtime/access.py": {"--allow": ("work",)},
    "jobs/runtime/kind.py": {"--max-pixels": ("work",)},
    "jobs/runtime/local_workdir.py": {"--out": INTO_FOLDERS, "--store": ("ledger", "logs")},
    "jobs/runtime/metrics/exporter.py": {"--metrics": ("work",)},
    "jobs/runtime/publish.py": {"--out": INTO_FOLDERS, "--overwrite": INTO_FOLDERS},
    "jobs/runtime/spending.py": {"--price": ("work",)},
    "jobs/services/doctor/local_checks.py": {"--workers": ("render",)},
    "jobs/services/recipe/like.py": {"--weights": ASKED},
    "jobs/services/variations/sheet.py": {"--out": ("variations",)},
    "jobs/services/variations/vary.py": {"--vary": ("variations",)},
    "jobs/services/scheduler/capacity.py": {"--grows-to": ("work",)},
    "jobs/services/scheduler/day_budget.py": {"--budget": ("work",)},
    "jobs/spec/base.py": {"--fit": ASKED, "--network": ASKED},
    "jobs/spec/document.py": {"--set": ASKED},
    "jobs/services/doctor/store_checks.py": {"--create": FILLING, "--store": ("doctor",)},
    "jobs/store/address.py": {"--create": FILLING, "--store": STORE_COMMANDS},
    "jobs/services/training.py": {"--out": ("train",)},
    "jobs/web/server.py": {"--host": ("serve",), "--port": ("serve",)},
    "jobs/web/settings.py": {
        "--host": ("serve",),
        "--max-upload": ("serve",),
        "--token-file": ("serve",),
    },
    "jobs/web/spec_files.py": {"--allow": ("serve",)},
    "render/networks/weight_paths.py": {"--network": ASKED},
    "render/networks/weights.py": {"--network": ASKED},
}

PRINTED_BY = {
    Suggestion(path, option): names
    for path, options in _PRINTED_BY_FILE.items()
    for option, names in options.items()
}
"""The commands that print a message which names an option, or that it tells to run with it."""

NOT_OURS = {
    Suggestion("jobs/cli/app.py", "--debug"),  # `main` takes it anywhere
    Suggestion("jobs/cli/app.py", "--help"),  # Typer's
    Suggestion("jobs/dataset/inputs/tar_samples.py", "--sparse"),  # tar's
    Suggestion("jobs/dataset/inputs/tar_samples.py", "--dereference"),
    Suggestion("jobs/dataset/inputs/tar_samples.py", "--hard-dereference"),
    Suggestion("jobs/services/doctor/local_checks.py", "--constraint"),  # pip's
    Suggestion("jobs/services/doctor/local_checks.py", "--upgrade"),
}


def test_every_suggested_option_exists_where_it_is_suggested(project: Path) -> None:
    assert set(PRINTED_BY) | NOT_OURS == suggested_options(project)
    for suggestion, names in PRINTED_BY.items():
        for name in names:
            assert suggestion.text in options_of(name), (suggestion, name)


def field_names(model: Any, prefix: str = "") -> set[str]:
    """The dotted names of the fields of a model or dataclass."""
    found: set[str] = set()
    if prefix.count(".") > 5:
        return found  # a spec within the `redo` of a spec
    for name, annotation in get_type_hints(model).items():
        found.add(f"{prefix}{name}")
        for kind in nested_models(annotation):
            found |= field_names(kind, f"{prefix}{name}.")
    return found


def nested_models(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or is_dataclass(annotation)
    ):
        return [annotation]
    return [one for part in get_args(annotation) for one in nested_models(part)]


def test_every_suggested_field_exists(project: Path) -> None:
    known = set().union(*map(field_names, (PosterSpec, DatasetSpec, AtlasSpec)))
    found = {one.text for one in suggested_fields(project)} - {"key"}
    assert found - known == set()
