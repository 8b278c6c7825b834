"""A table on the terminal: as wide as that is, and no figure cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.tables.formats import without_controls
from archc.tables.rows import TIMES, Cell, Grid, Line, figure

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["terminal_text"]

# Colours by kind of operator.
_COLOURS = {
    "convolution": "blue", "linear": "magenta", "pooling": "green", "normalisation": "yellow",
    "activation": "red", "join": "cyan", "embedding": "magenta", "recurrent": "blue",
    "attention": "blue", "block": "bold",
}  # fmt: skip

_GAP = 2
_LEAST = 10  # what names keep of their column
_LONGEST = 24  # what a word keeps of its column


def terminal_text(grid: Grid, width: int, *, color: bool) -> str:
    """A grid as lines of at most `width` characters, each ended by a newline.

    Paths that are too long are shortened in the middle; other text, shapes and formulas go on in
    the next line.
    """
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    into = StringIO()
    console = Console(
        file=into,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    if grid.title:
        console.print(Text(without_controls(grid.title), style="bold"))
        console.print()
    console.print(_table(grid, width))
    console.print()
    for note in grid.notes:
        console.print(Text(without_controls(note)))
    return "\n".join([line.rstrip() for line in into.getvalue().split("\n")])


def _table(grid: Grid, width: int) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    if sum(_wanted(grid)) + _GAP * (len(grid.columns) - 1) > width:
        grid = _compact(grid)
    widths, gap = _widths(grid, width)
    body, footer = _split(grid)
    table = Table(
        box=SIMPLE,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
        show_footer=footer is not None,
    )
    for number, (column, size) in enumerate(zip(grid.columns, widths, strict=True)):
        foot = "" if footer is None else _text(footer.cells[number])
        title = Text(column.title)
        table.add_column(
            title, Text(foot), justify=column.align, width=size, overflow="fold", style=""
        )
    for line in body:
        table.add_row(*_cells(line, widths))
    return table


def _cells(line: Line, widths: list[int]) -> list[Text]:
    from rich.text import Text

    style = "bold" if line.kind == "heading" else ""
    cells = [Text(_text(cell), style=style) for cell in line.cells]
    name = _shortened(_text(line.cells[0]), widths[0])
    cells[0] = Text(name, style=style or _COLOURS.get(line.family, ""))
    if line.kind == "heading":
        cells[1].truncate(widths[1], overflow="ellipsis")
    return cells


def _split(grid: Grid) -> tuple[tuple[Line, ...], Line | None]:
    if grid.lines and grid.lines[-1].kind == "total":
        return grid.lines[:-1], grid.lines[-1]
    return grid.lines, None


def _widths(grid: Grid, width: int) -> tuple[list[int], int]:
    """What the cells of each column take, the columns of text less where that is too much.

    Also the gap between two columns.
    """
    columns = range(len(grid.columns))
    wanted = _wanted(grid)
    least = [_least(grid, i, wanted[i]) for i in columns]
    gaps = len(wanted) - 1
    gap = _GAP if sum(least) + _GAP * gaps <= width else 1
    over = sum(wanted) + gap * gaps - width
    while over > 0:
        slack = [w - m for w, m in zip(wanted, least, strict=True)]
        if max(slack) <= 0:
            break
        # The widest gives way first, so that no column is squeezed for another's sake.
        widest = max(columns, key=lambda i: (slack[i] > 0, wanted[i]))
        wanted[widest] -= 1
        over -= 1
    return wanted, gap


def _wanted(grid: Grid) -> list[int]:
    """What the cells of each column take in one line."""
    from rich.cells import cell_len

    return [
        max([_longest_word(column.title), *[cell_len(_text(line.cells[i])) for line in grid.lines]])
        for i, column in enumerate(grid.columns)
    ]


def _compact(grid: Grid) -> Grid:
    """Shapes without spaces, 64×56×56, where there is little room."""
    lines = [
        line.replace(
            cells=tuple([c.replace(TIMES, "×") if isinstance(c, str) else c for c in line.cells])
        )
        for line in grid.lines
    ]
    return grid.replace(lines=tuple(lines))


def _least(grid: Grid, column: int, wanted: int) -> int:
    title = _longest_word(grid.columns[column].title)
    if column == 0:
        return min(wanted, max(_LEAST, title))
    # A number and a shape stand in one line; a formula may break between its terms.
    word = max([title, *[_longest_word(_text(line.cells[column])) for line in grid.lines]])
    return word if grid.columns[column].align == "right" else min(word, _LONGEST)


def _longest_word(text: str) -> int:
    from rich.cells import cell_len

    return max([cell_len(word) for word in text.split()], default=0)


def _shortened(name: str, width: int) -> str:
    """A name with `…` for its middle where it is too long; indentation and ×N stay."""
    from rich.cells import cell_len

    if cell_len(name) <= width:
        return name
    body = name.lstrip(" ")
    indent = name[: min(len(name) - len(body), width // 3)]
    head, times, count = body.partition(" ×")
    tail = times + count
    room = width - len(indent) - cell_len(tail) - 1
    if room < 2:
        return name
    front = room // 2
    start, end = _start(head, front).rstrip("."), _end(head, room - front).lstrip(".")
    return f"{indent}{start}…{end}{tail}"


def _start(text: str, width: int) -> str:
    from rich.cells import cell_len

    while cell_len(text) > width:
        text = text[:-1]
    return text


def _end(text: str, width: int) -> str:
    from rich.cells import cell_len

    while cell_len(text) > width:
        text = text[1:]
    return text


def _text(cell: Cell) -> str:
    return without_controls(cell if isinstance(cell, str) else figure(cell))
