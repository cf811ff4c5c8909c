"""What the shell offers when a user presses Tab: jobs, networks, layers, looks, states, kinds.

Typer calls these functions. They load nothing heavy, ask the store once, and stay silent when it
does not answer.
"""

import os
import threading
from collections.abc import Callable, Iterable, MutableMapping
from itertools import islice
from typing import get_args

import typer

_SECONDS = 2.0
"""The most seconds to wait for a store."""

_PAGE = 1000
"""The most jobs, because a store lists so many in one request."""

_ASKED = "_DREAMFARM_COMPLETE"
"""The variable by which a shell asks; its name follows from the program's."""

_BASH_WORDS, _BASH_INDEX = "COMP_WORDS", "COMP_CWORD"

_BASH_BREAKS = (":", "=")
"""Characters that bash gives as words of their own."""


def complete_jobs(ctx: typer.Context, incomplete: str) -> list[str]:
    """The ids of jobs in the store that the command would use."""
    address, given = str(ctx.params["store"]), ctx.params.get("jobs") or ()
    found = _within(_SECONDS, lambda: _job_ids(address, incomplete))
    return [job for job in found if job not in given]


def complete_networks(incomplete: str) -> list[str]:
    """The names of networks."""
    from render.networks.names import names_without_torch

    return _starting(names_without_torch(), incomplete)


def complete_layers(ctx: typer.Context, incomplete: str) -> list[str]:
    """The layers of the network, or of the look's, that the command line names so far.

    It knows the layers that this machine has measured before.
    """
    from render.engine.network_profile import known_layers
    from render.errors import RenderError

    try:
        return _starting(known_layers(_network(ctx)), incomplete)
    except RenderError:
        return []


def complete_looks(incomplete: str) -> list[tuple[str, str]]:
    """The looks, and what each shows."""
    from jobs.spec.looks import describe_look, look_names

    return [(name, describe_look(name)) for name in _starting(look_names(), incomplete)]


def complete_states(incomplete: str) -> list[str]:
    """The states of jobs."""
    from jobs.records.state import State

    return _starting(get_args(State), incomplete)


def complete_failures(incomplete: str) -> list[str]:
    """The classes of failures."""
    from jobs.records.status import FailureClass

    return _starting(get_args(FailureClass), incomplete)


def complete_kinds(incomplete: str) -> list[str]:
    """The kinds of specs."""
    from jobs.spec.kinds import SPEC_KINDS

    return _starting(SPEC_KINDS, incomplete)


def complete_fits(incomplete: str) -> list[str]:
    """The ways to fit a picture into another aspect."""
    from jobs.spec.size import Fit

    return _starting(get_args(Fit), incomplete)


def complete_gpus(incomplete: str) -> list[str]:
    """The GPUs whose time a plan can estimate."""
    from jobs.planning.estimate.speed import GPUS

    return _starting(GPUS, incomplete)


def join_bash_words(environment: MutableMapping[str, str]) -> None:
    """Join the words of the command line that bash has taken apart: `s3`, `:`, `//bucket`."""
    words = environment.get(_BASH_WORDS, "").split("\n")
    try:
        index = int(environment.get(_BASH_INDEX, ""))
    except ValueError:
        return
    joined: list[str] = []
    at = 0
    for number, word in enumerate(words):
        if joined and word and (word in _BASH_BREAKS or joined[-1].endswith(_BASH_BREAKS)):
            joined[-1] += word
        else:
            joined.append(word)
        if number == index:
            at = len(joined) - 1
    environment[_BASH_WORDS] = "\n".join(joined)
    environment[_BASH_INDEX] = str(at if index < len(words) else len(joined))


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _network(ctx: typer.Context) -> str:
    from jobs.spec.looks import load_look, look_names
    from render.networks.builtin import PAREIDOLIA

    network, look = ctx.params.get("network"), ctx.params.get("look")
    if network is None and look in look_names():
        network = load_look(str(look))["network"]["name"]
    return str(network or PAREIDOLIA)


def _job_ids(address: str, start: str) -> list[str]:
    from jobs.records.job import list_job_ids
    from jobs.store.address import open_existing_store
    from jobs.text.errors import JobsError

    try:
        return list(islice(list_job_ids(open_existing_store(address), start), _PAGE))
    except (JobsError, OSError):
        return []


def _within(seconds: float, ask: Callable[[], list[str]]) -> list[str]:
    """The answer to a question; nothing if there is none after so long."""
    found: list[str] = []
    # Nobody waits for a daemon at the end of the process.
    thread = threading.Thread(target=lambda: found.extend(ask()), daemon=True)
    thread.start()
    thread.join(seconds)
    return list(found)


def is_completion() -> bool:
    """Whether a shell asks for completions."""
    return _ASKED in os.environ
