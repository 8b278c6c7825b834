"""A table on the terminal: as wide as that is, and no figure cut.

It is laid out here and not by rich, which costs a command another 40 ms (a fifth of `archc stats`)
and breaks lines where it likes.
"""

from __future__ import annotations

from archc.tables.rows import TIMES, Cell, Column, Grid, Line, figure
from archlang.display import escape, width

__all__ = ["fold", "terminal_text"]

_BOLD, _DIM, _END = "\x1b[1m", "\x1b[2m", "\x1b[0m"

# Colours by kind of operator.
_COLOURS = {
    "convolution": "\x1b[34m", "linear": "\x1b[35m", "pooling": "\x1b[32m",
    "normalisation": "\x1b[33m", "activation": "\x1b[31m", "join": "\x1b[36m",
    "embedding": "\x1b[35m", "recurrent": "\x1b[34m",
    "attention": "\x1b[34m", "block": _BOLD,
}  # fmt: skip

_GAP = 2
_LEAST = 10  # what names keep of their column
_LONGEST = 24  # what a word keeps of its column


def terminal_text(grid: Grid, columns: int, *, color: bool) -> str:
    """A grid as lines of at most `columns` characters, each ended by a newline.

    Paths that are too long are shortened in the middle; other text, shapes and formulas go on in
    the next line.
    """
    if sum(_wanted(grid)) + _GAP * (len(grid.columns) - 1) > columns:
        grid = _compact(grid)
    widths, gap = _widths(grid, columns)
    paint = _paint if color else _plain
    total = sum(widths) + gap * (len(widths) - 1)
    rule = paint("─" * total, _DIM)
    printed = []
    if grid.title:
        printed += [*[paint(line, _BOLD) for line in fold(escape(grid.title), columns)], ""]
    printed += [*_head(grid, widths, gap), rule]
    for line in grid.lines:
        if line.kind == "total":
            printed.append(rule)
        printed += _row(line, grid.columns, widths, gap, color=color)
    printed.append("")
    for note in grid.notes:
        printed += fold(escape(note), columns)
    return "\n".join([line.rstrip() for line in printed]) + "\n"


def fold(text: str, columns: int) -> list[str]:
    """The text in lines of at most so many columns, parted between words where that is possible."""
    if width(text) <= columns:
        return [text]
    lines, line = [], ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if width(joined) <= columns:
            line = joined
            continue
        if line:
            lines.append(line)
        while width(word) > columns:
            start = _start(word, columns) or word[0]
            lines.append(start)
            word = word[len(start) :]
        line = word
    return [*lines, line] if line else lines


# --- lines ----------------------------------------------------------------------------------------


def _head(grid: Grid, widths: list[int], gap: int) -> list[str]:
    titles = [fold(column.title, size) for column, size in zip(grid.columns, widths, strict=True)]
    height = max([len(title) for title in titles])
    lifted = [[""] * (height - len(title)) + title for title in titles]
    return _beside(lifted, grid.columns, widths, gap)


def _row(
    line: Line, columns: tuple[Column, ...], widths: list[int], gap: int, *, color: bool
) -> list[str]:
    texts = [_text(cell) for cell in line.cells]
    cells = [fold(text, size) for text, size in zip(texts, widths, strict=True)]
    cells[0] = [_shortened(texts[0], widths[0])]
    if line.kind == "heading" and len(cells[1]) > 1:
        cells[1] = [_start(texts[1], widths[1] - 1) + "…"]
    printed = _beside(cells, columns, widths, gap)
    style = _BOLD if line.kind in ("heading", "total") else _COLOURS.get(line.family, "")
    if color and style:
        # Of an operator's line only the name has its colour.
        end = len(printed[0]) if line.kind in ("heading", "total") else len(cells[0][0])
        printed[0] = _paint(printed[0][:end], style) + printed[0][end:]
    return printed


def _beside(
    cells: list[list[str]], columns: tuple[Column, ...], widths: list[int], gap: int
) -> list[str]:
    height = max([len(cell) for cell in cells])
    lines = []
    for number in range(height):
        parts = []
        for cell, column, size in zip(cells, columns, widths, strict=True):
            text = cell[number] if number < len(cell) else ""
            space = " " * (size - width(text))
            parts.append(space + text if column.align == "right" else text + space)
        lines.append((" " * gap).join(parts))
    return lines


def _paint(text: str, style: str) -> str:
    return f"{style}{text}{_END}" if text else text


def _plain(text: str, style: str) -> str:
    return text


# --- widths ---------------------------------------------------------------------------------------


def _widths(grid: Grid, total: int) -> tuple[list[int], int]:
    """What the cells of each column take, the columns of text less where that is too much.

    Also the gap between two columns.
    """
    wanted = _wanted(grid)
    least = [_least(grid, i, size) for i, size in enumerate(wanted)]
    gaps = len(wanted) - 1
    gap = _GAP if sum(least) + _GAP * gaps <= total else 1
    over = sum(wanted) + gap * gaps - total
    while over > 0:
        slack = [w - m for w, m in zip(wanted, least, strict=True)]
        if max(slack) <= 0:
            return _squeezed(wanted, over), gap
        # The widest gives way first, so that no column is squeezed for another's sake.
        widest = max(range(len(wanted)), key=lambda i: (slack[i] > 0, wanted[i]))
        wanted[widest] -= 1
        over -= 1
    return wanted, gap


def _squeezed(widths: list[int], over: int) -> list[int]:
    """Where nothing else helps, figures go on in the next line as well."""
    widths = list(widths)
    while over > 0 and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
        over -= 1
    return widths


def _wanted(grid: Grid) -> list[int]:
    """What the cells of each column take in one line."""
    return [
        max([_longest_word(column.title), *[width(_text(line.cells[i])) for line in grid.lines]])
        for i, column in enumerate(grid.columns)
    ]


def _least(grid: Grid, column: int, wanted: int) -> int:
    title = _longest_word(grid.columns[column].title)
    if column == 0:
        return min(wanted, max(_LEAST, title))
    # A number and a shape stand in one line; a formula may break between its terms.
    word = max([title, *[_longest_word(_text(line.cells[column])) for line in grid.lines]])
    return word if grid.columns[column].align == "right" else min(word, _LONGEST)


def _longest_word(text: str) -> int:
    return max([width(word) for word in text.split()], default=0)


# --- text -----------------------------------------------------------------------------------------


def _compact(grid: Grid) -> Grid:
    """Shapes without spaces, 64×56×56, where there is little room."""
    lines = []
    for line in grid.lines:
        cells = [c.replace(TIMES, "×") if isinstance(c, str) else c for c in line.cells]
        lines.append(line.replace(cells=tuple(cells)))
    return grid.replace(lines=tuple(lines))


def _shortened(name: str, columns: int) -> str:
    """A name with `…` for its middle where it is too long; indentation and ×N stay."""
    if width(name) <= columns:
        return name
    body = name.lstrip(" ")
    indent = name[: min(len(name) - len(body), columns // 3)]
    head, times, count = body.partition(" ×")
    tail = times + count
    room = columns - len(indent) - width(tail) - 1
    if room < 2:
        return _start(name, columns - 1) + "…"
    front = room // 3  # the end says more than the beginning
    start, end = _start(head, front).rstrip("."), _end(head, room - front).lstrip(".")
    return f"{indent}{start}…{end}{tail}"


def _start(text: str, columns: int) -> str:
    while width(text) > columns:
        text = text[:-1]
    return text


def _end(text: str, columns: int) -> str:
    while width(text) > columns:
        text = text[1:]
    return text


def _text(cell: Cell) -> str:
    return escape(cell) if isinstance(cell, str) else figure(cell)
