"""The commands put together, and what the shell is told: one line for an error, an exit code."""

import sys
from types import TracebackType
from typing import Annotated

import click
import typer

from jobs.cli.layers import layers
from jobs.cli.networks import networks
from jobs.cli.plan import plan
from jobs.cli.render import render

app = typer.Typer(
    name="dreamfarm",
    help="DeepDream at any size: exact tiles, any crew, the same bytes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")] = False,
) -> None:
    sys.excepthook = sys.__excepthook__ if debug else _one_line


app.command()(render)
app.command()(plan)
app.command()(networks)
app.command()(layers)


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.excepthook = _one_line
    try:
        outcome = typer.main.get_command(app)(standalone_mode=False)
    except click.ClickException as wrong:
        _complain(wrong.format_message())
        sys.exit(wrong.exit_code)
    except click.Abort:
        _complain("interrupted; nothing was left half-written")
        sys.exit(INTERRUPTED)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _one_line(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """What Python calls for an exception that nobody caught."""
    from jobs.cli.failure import exit_code

    if issubclass(kind, KeyboardInterrupt):
        _complain("interrupted; nothing was left half-written")
        raise SystemExit(INTERRUPTED)
    _complain(str(error) or kind.__name__)
    raise SystemExit(exit_code(error))


def _complain(message: str) -> None:
    typer.echo(f"dreamfarm: {' '.join(message.split())}", err=True)
