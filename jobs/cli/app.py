"""The command `dreamfarm`: all its commands, its one-line errors, and its exit codes."""

import io
import logging
import os
import signal
import sys
import traceback
import warnings
from types import FrameType, TracebackType
from typing import Annotated

import typer

from jobs.cli.clean import clean, delete
from jobs.cli.completion import is_completion, join_bash_words
from jobs.cli.diff import diff
from jobs.cli.doctor import doctor
from jobs.cli.fetch import fetch
from jobs.cli.finish import finish
from jobs.cli.format import echo, set_suggested_store
from jobs.cli.init import init, schema
from jobs.cli.ledger import ledger
from jobs.cli.like import like
from jobs.cli.list import list_jobs
from jobs.cli.logs import logs
from jobs.cli.networks import layers, looks, networks
from jobs.cli.plan import plan
from jobs.cli.redo import redo
from jobs.cli.render import render
from jobs.cli.requests import cancel, pause, resume, retry
from jobs.cli.serve import serve
from jobs.cli.show import show
from jobs.cli.submit import submit
from jobs.cli.train import train
from jobs.cli.variations import variations
from jobs.cli.watch import watch
from jobs.cli.work import work
from jobs.runtime.logs import VisibleText
from jobs.text.report import one_line

app = typer.Typer(
    name="dreamfarm",
    help="DeepDream at any size: exact tiles, any crew, the same bytes.",
    pretty_exceptions_enable=False,
)

JOB_FAILED, WRONG_REQUEST, NO_SERVICE, INTERRUPTED = 1, 2, 3, 130
"""Exit codes.

WRONG_REQUEST: the request is wrong, or this machine cannot do it. NO_SERVICE: the store or the
cluster did not answer, or refused. INTERRUPTED: Ctrl-C.
"""


DEBUG = "--debug"

_INTERRUPTED_MESSAGE = "interrupted; no file is half-written; rerun the same command to resume"


class _Terminated(BaseException):
    """A signal asked this process to end.

    Not a SystemExit: an in-process crew would take that for the loss of a member.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        from render.version import PIXEL_VERSION

        echo(f"dreamfarm {version('dreamfarm')} (pixels: {PIXEL_VERSION})")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    # `main` accepts the first anywhere, and the other prints at once: they are here for --help.
    del debug, version


app.command()(render)
app.command()(plan)
app.command()(submit)
app.command()(work)
app.command()(serve)
app.command("list")(list_jobs)
for command in (show, watch, logs, ledger, pause, resume, finish, redo, cancel, retry):
    app.command()(command)
app.command()(fetch)
app.command()(variations)
app.command()(like)
app.command()(diff)
app.command()(delete)
app.command()(clean)
app.command()(networks)
app.command()(layers)
app.command()(looks)
app.command()(train)
app.command()(init)
app.command()(schema)
app.command()(doctor)


def main() -> None:
    """Run the command line, and exit with its exit code."""
    arguments = [word for word in sys.argv[1:] if word != DEBUG]
    sys.excepthook = _print_traceback if DEBUG in sys.argv else _exit_with_error
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    _accept_any_text()
    if is_completion():
        sys.excepthook = _fail_silently
        join_bash_words(os.environ)
    set_suggested_store(None)
    if not sys.warnoptions:
        # Libraries address their warnings to programmers, not to users.
        warnings.simplefilter("ignore")
    try:
        outcome = typer.main.get_command(app)(args=arguments or ["--help"], standalone_mode=False)
    except typer.TyperException as error:
        _print_error(_usage_message(error))
        sys.exit(error.exit_code)
    # On Ctrl-C, Typer returns this code and prints nothing.
    if outcome == INTERRUPTED:
        _print_error(_INTERRUPTED_MESSAGE)
    sys.exit(outcome)


def _accept_any_text() -> None:
    """Escape characters that a stream cannot encode, and control characters in log lines."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(VisibleText())


def _usage_message(error: typer.TyperException) -> str:
    """What is wrong with the words of a command line, and where its options are listed."""
    context: typer.Context | None = getattr(error, "ctx", None)
    message = error.format_message().removesuffix(".")
    if context is None or message.endswith("?"):  # it suggests the right word already
        return message
    return f"{message}; see `{context.command_path} --help`"


def exit_code(error: BaseException) -> int:
    """The exit code for an error. An error that is not ours means that the job failed."""
    from cluster.errors import ClusterError, InsufficientCapacity, MemberLost
    from jobs.text.errors import JobsError
    from render.errors import DamagedTiles, RenderError

    if isinstance(error, JobsError):
        return error.exit_code
    if isinstance(error, DamagedTiles):
        return JOB_FAILED
    if isinstance(error, RenderError | InsufficientCapacity):
        return WRONG_REQUEST
    if isinstance(error, ClusterError) and not isinstance(error, MemberLost):
        return NO_SERVICE
    return JOB_FAILED


def error_message(error: BaseException) -> str:
    """The message of an error for the user. Our own errors already say everything."""
    from cluster.errors import ClusterError
    from jobs.store.errors import ObjectNotFound
    from jobs.text.errors import JobsError
    from render.errors import RenderError

    if isinstance(error, JobsError | RenderError | ClusterError):
        return str(error)
    if isinstance(error, ObjectNotFound):
        return f"{error.key}: has vanished from the store meanwhile; run the same command again"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; check the path, and run the same command again"
    return f"unexpected {type(error).__name__}: {error}; run it again with --debug for a traceback"


def _terminate(number: int, _: FrameType | None) -> None:
    """Raise an exception, so that everything open is closed and cleaned up."""
    raise _Terminated(number)


def _exit_with_error(
    _: type[BaseException], error: BaseException, __: TracebackType | None
) -> None:
    """Print an uncaught exception in one line, and exit."""
    if isinstance(error, KeyboardInterrupt | _Terminated):
        _print_error(_INTERRUPTED_MESSAGE)
        raise SystemExit(error.code if isinstance(error, _Terminated) else INTERRUPTED)
    _print_error(error_message(error))
    raise SystemExit(exit_code(error))


def _print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print the traceback first, for --debug."""
    for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
        echo(line, err=True)
    _exit_with_error(kind, error, trace)


def _fail_silently(_: type[BaseException], __: BaseException, ___: TracebackType | None) -> None:
    """Print nothing between what a user types, and exit."""
    raise SystemExit(JOB_FAILED)


def _print_error(message: str) -> None:
    echo(f"dreamfarm: {one_line(message)}", err=True)
