"""The commands put together, and what the shell is told: one line for an error, an exit code."""

import signal
import sys
import warnings
from types import FrameType, TracebackType
from typing import Annotated

import typer

from jobs.cli.clean import clean, delete
from jobs.cli.doctor import doctor
from jobs.cli.fetch import fetch
from jobs.cli.following import watch
from jobs.cli.ledger import ledger
from jobs.cli.list import list_jobs
from jobs.cli.logs import logs
from jobs.cli.networks import layers, looks, networks
from jobs.cli.plan import plan
from jobs.cli.render import render
from jobs.cli.requests import cancel, pause, resume, retry
from jobs.cli.show import show
from jobs.cli.submit import submit
from jobs.cli.work import work

app = typer.Typer(
    name="dreamfarm",
    help="DeepDream at any size: exact tiles, any crew, the same bytes.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130
DEBUG = "--debug"

_STOPPED = (
    "interrupted; nothing was left half-written; a render goes on where the same is asked again"
)


class _Ended(BaseException):
    """A signal told this process to end.

    No SystemExit: that, in the midst of a member of a crew in this process, is its loss.
    """

    def __init__(self, ending: int) -> None:
        super().__init__(ending)
        self.code = 128 + ending


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option(DEBUG, help="Show an error's trace.")] = False,
) -> None:
    # `main` takes the option from wherever it stands; this one is for --help.
    del debug


app.command()(render)
app.command()(plan)
app.command()(submit)
app.command()(work)
app.command("list")(list_jobs)
for command in (show, watch, logs, ledger, pause, resume, cancel, retry, fetch, delete, clean):
    app.command()(command)
app.command()(networks)
app.command()(layers)
app.command()(looks)
app.command()(doctor)


def main() -> None:
    """Run the command line and leave with its exit code."""
    arguments = [word for word in sys.argv[1:] if word != DEBUG]
    sys.excepthook = _with_trace if DEBUG in sys.argv else _one_line
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _leave)
    if not sys.warnoptions:
        # What libraries say to programmers is not for users.
        warnings.simplefilter("ignore")
    try:
        outcome = typer.main.get_command(app)(args=arguments or ["--help"], standalone_mode=False)
    except typer.TyperException as wrong:
        _complain(wrong.format_message())
        sys.exit(wrong.exit_code)
    # Typer makes Ctrl-C an outcome of its own, without a word.
    if outcome == INTERRUPTED:
        _complain(_STOPPED)
    sys.exit(outcome)


def _leave(ending: int, _: FrameType | None) -> None:
    """Leave as if by an error, so that everything open is closed and cleaned."""
    raise _Ended(ending)


def _one_line(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    """What Python calls for an exception that nobody caught."""
    if isinstance(error, KeyboardInterrupt | _Ended):
        _complain(_STOPPED)
        raise SystemExit(error.code if isinstance(error, _Ended) else INTERRUPTED)
    from jobs.cli.exit_codes import described, exit_code

    _complain(described(error))
    raise SystemExit(exit_code(error))


def _with_trace(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """The same with --debug."""
    sys.__excepthook__(kind, error, trace)
    _one_line(kind, error, trace)


def _complain(message: str) -> None:
    typer.echo(f"dreamfarm: {' '.join(message.split())}", err=True)
