"""Tables on standard output, as wide as their content, so that they survive pipes."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

_WIDEST = 1000  # characters: nothing is cut, and terminals wrap what is longer than they are


def show_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their heads; numbers stand to the right."""
    listed = [list(row) for row in rows]
    table = Table(box=box.SIMPLE)
    for column, head in enumerate(heads):
        numbers = all(isinstance(row[column], int | float) for row in listed)
        table.add_column(head, justify="right" if numbers else "left", no_wrap=True)
    for row in listed:
        table.add_row(*(str(value) for value in row))
    Console(width=_WIDEST).print(table)
