"""A table on the terminal, laid out by rich: as wide as that is, and no figure is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.tables.rows import TIMES, Cell, Grid, Line, figure
from archc.tables.shortening import shortened
from archlang.display import escape

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["terminal_text"]

# How names are shown, by kind of operator.
_STYLES = {
    "convolution": "blue", "linear": "magenta", "pooling": "green", "normalisation": "yellow",
    "activation": "red", "join": "cyan", "embedding": "magenta", "recurrent": "blue",
    "attention": "blue", "block": "bold",
}  # fmt: skip

_NAME = 10  # what names keep of their column
_TEXT = 5  # what names and other text keep where figures take the rest


def terminal_text(grid: Grid, columns: int, *, color: bool) -> str:
    """A grid as lines of at most `columns` characters, each ended by a newline.

    Names that are too long are shortened; other text and formulas go on in the next line. Figures
    stay whole: where the terminal is too narrow even for them, the table is wider than it.
    """
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    into = StringIO()
    table, needed = _table(grid, columns)
    # All is said, so that rich does not look around: the caller knows the terminal.
    console = Console(
        file=into, width=max(columns, needed), height=1, no_color=not color, force_terminal=color,
        color_system="standard" if color else None, force_jupyter=False, legacy_windows=False,
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    if grid.title:
        console.print(Text(escape(grid.title), "bold"), width=columns, end="\n\n")
    console.print(table)
    for text in ("", *grid.notes):
        console.print(Text(escape(text)), width=columns)
    return "\n".join([line.rstrip() for line in into.getvalue().split("\n")])


def _table(grid: Grid, columns: int) -> tuple[Table, int]:
    """The table, and the width that it needs at the very least."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    rows, widths, gap = _fitted(grid, columns)
    cells = [_cells(line, row, widths[0]) for line, row in zip(grid.lines, rows, strict=True)]
    has_total = grid.lines != () and grid.lines[-1].kind == "total"
    totals = cells.pop() if has_total else [Text() for _ in widths]
    table = Table(
        box=SIMPLE, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0),
        border_style="dim", show_footer=has_total,
    )  # fmt: skip
    needed = gap * (len(widths) - 1)
    for column, width, total in zip(grid.columns, widths, totals, strict=True):
        table.add_column(
            Text(column.title, no_wrap=False), total, justify=column.align, overflow="fold",
            max_width=width, no_wrap=column.figures,
        )  # fmt: skip
        needed += width if column.figures else min(width, _TEXT)
    for line, row in zip(grid.lines, cells, strict=False):
        table.add_row(*row, style="bold" if line.kind == "heading" else None)
    return table, needed


def _cells(line: Line, row: list[str], width: int) -> list[Text]:
    """What stands in a line, whose name may take `width`; a heading stays in one line."""
    from rich.text import Text

    name = Text(shortened(row[0], width), no_wrap=False)
    if line.kind == "heading":
        return [name, *[Text(text, no_wrap=True, overflow="ellipsis") for text in row[1:]]]
    name.stylize(_STYLES.get(line.family, ""))
    return [name, *[Text(text, no_wrap=False) for text in row[1:]]]


def _fitted(grid: Grid, columns: int) -> tuple[list[list[str]], list[int], int]:
    """The texts of all lines, the most that each column may take, and the gap between two.

    Rich narrows the widest columns without a look at their words. So that words stay whole where
    that is possible, a column may take its longest word, and more only as far as all others may.
    Where there is little room, shapes stand without spaces: 64×56×56.
    """
    gaps = len(grid.columns) - 1
    rows = [[_text(cell) for cell in line.cells] for line in grid.lines]
    spans = _spans(grid, rows)
    if sum([full for _, full in spans]) + 2 * gaps > columns:
        rows = [[text.replace(TIMES, "×") for text in row] for row in rows]
        spans = _spans(grid, rows)
    gap = 2 if sum([word for word, _ in spans]) + 2 * gaps <= columns else 1
    for most in range(columns, -1, -1):
        widths = [max(word, min(full, most)) for word, full in spans]
        if sum(widths) + gap * gaps <= columns:
            break
    return rows, widths, gap


def _spans(grid: Grid, rows: list[list[str]]) -> list[tuple[int, int]]:
    """The longest word of each column and its longest text, of which titles are only words."""
    from rich.cells import cell_len

    spans = []
    for number, column in enumerate(grid.columns):
        texts = [row[number] for row in rows]
        word = max(map(cell_len, " ".join([column.title, *texts]).split()))
        full = max([word, *map(cell_len, texts)])
        spans.append((word if number else min(full, _NAME), full))
    return spans


def _text(cell: Cell) -> str:
    return escape(cell) if isinstance(cell, str) else figure(cell)
