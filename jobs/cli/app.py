"""The commands put together, and what the shell is told: one line for an error, an exit code."""

import sys
import warnings
from types import TracebackType
from typing import Annotated

import typer

from jobs.cli.layers import layers
from jobs.cli.networks import networks
from jobs.cli.plan import plan
from jobs.cli.render import render

app = typer.Typer(
    name="dreamfarm",
    help="DeepDream at any size: exact tiles, any crew, the same bytes.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")] = False,
) -> None:
    sys.excepthook = _with_trace if debug else _one_line


app.command()(render)
app.command()(plan)
app.command()(networks)
app.command()(layers)


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.excepthook = _one_line
    if not sys.warnoptions:
        # What libraries say to programmers is not for users.
        warnings.simplefilter("ignore")
    try:
        outcome = typer.main.get_command(app)(
            args=sys.argv[1:] or ["--help"], standalone_mode=False
        )
    except typer.TyperException as wrong:
        _complain(wrong.format_message())
        sys.exit(wrong.exit_code)
    # Typer makes Ctrl-C an outcome of its own, without a word.
    if outcome == INTERRUPTED:
        _complain("interrupted; nothing was left half-written")
    sys.exit(outcome)


def _one_line(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """What Python calls for an exception that nobody caught."""
    if issubclass(kind, KeyboardInterrupt):
        _complain("interrupted; nothing was left half-written")
        raise SystemExit(INTERRUPTED)
    from jobs.cli.failure import described, exit_code

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
