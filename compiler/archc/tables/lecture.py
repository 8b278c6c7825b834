"""The columns of the lectures' tables: input, layer, output, memory, parameters, multiply-adds."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from archc.dims import Poly
from archc.graph import Operation
from archc.shapes import Shape
from archc.tables.measure import is_shown
from archc.tables.places import join
from archc.tables.plain import axes_text, layer_name
from archc.tables.rows import Cell, Column, Grid, Line, Row
from archc.tables.view import View, activation_cell, counted, notes_of, thousands, title_of

__all__ = ["is_printed", "lecture_grid"]

# The lectures print layers that shape what flows; what works on each number is left out.
_LEFT_OUT = frozenset({"activation", "regularisation", "normalisation", "elementwise"})

_SPACE_AND_STEPS = ("space", "steps", "carried")


def is_printed(node: Operation) -> bool:
    """Whether the lectures' tables have a row for an operator."""
    return is_shown(node) and node.op.family not in _LEFT_OUT


def lecture_grid(view: View, *, indented: bool) -> Grid:
    """The table as the lectures print it.

    Memory is that of the output in KB (1,024 bytes), parameters are in thousands and multiply-adds
    (which the lectures call flop) in millions, all rounded. Activations, normalisation, dropout and
    element-wise operators have no row; the last row is the whole net, with them.

    Args:
        view: what is shown.
        indented: blocks have headings, and names below them say only what those do not (for the
            terminal); else every row has its whole path.
    """
    columns = (
        Column("Layer"),
        Column("C", "right"),
        Column("H/W", "right"),
        Column("filters", "right"),
        Column("kernel", "right"),
        Column("stride", "right"),
        Column("pad", "right"),
        Column("C", "right"),
        Column("H/W", "right"),
        Column("memory (KB)", "right"),
        Column("params (k)", "right"),
        Column("flop (M)", "right"),
    )
    rows = [row for row in _shown(view.rows) if indented or row.kind != "heading"]
    lines = [_line(row, view, indented) for row in rows]
    total: tuple[Cell, ...] = ("total", *[""] * 8, *_figures(view.totals, view))
    notes = ("C and H/W are those of the input, then those of the output", *notes_of(view))
    if any(isinstance(figure, Poly) for figure in _figures(view.totals, view)[1:]):
        notes = ("formulas are exact, and not in thousands or millions", *notes)
    return Grid(title_of(view), columns, (*lines, Line(total, "total")), notes)


def _shown(rows: tuple[Row, ...]) -> list[Row]:
    """The rows that the lectures print, and the headings that have some below them."""
    kept: list[Row] = []
    level = 0  # of the row below, whose headings are still to come
    for row in reversed(rows):
        if (row.kind == "heading" and row.level < level) or _has_line(row):
            kept.append(row)
            level = row.level
    return _joined(kept[::-1])


def _joined(rows: list[Row]) -> list[Row]:
    """Headings with a single row below them give that row their name: `stage.0.conv`."""
    joined = list(rows)
    for start in range(len(joined) - 1, -1, -1):
        heading = joined[start]
        if heading.kind != "heading":
            continue
        below = _below(joined, start)
        if sum([row.level == heading.level + 1 for row in below]) != 1:
            continue
        raised = [row.replace(level=row.level - 1) for row in below]
        raised[0] = raised[0].replace(name=join(heading.name, raised[0].name))
        joined[start : start + 1 + len(below)] = raised
    return joined


def _below(rows: list[Row], heading: int) -> list[Row]:
    level = rows[heading].level
    return list(takewhile(lambda row: row.level > level, rows[heading + 1 :]))


def _has_line(row: Row) -> bool:
    return row.kind != "heading" and row.family not in _LEFT_OUT


def _line(row: Row, view: View, indented: bool) -> Line:
    name = layer_name(row, indented)
    if row.kind == "heading":
        return Line((name, *[""] * 11), "heading", row.family)
    details = dict(row.details)
    cells: tuple[Cell, ...] = (
        name,
        *_channels_and_space(row.inputs[:1]),
        _filters(row, details),
        _axes(details.get("kernel")),
        _axes(details.get("stride")),
        _axes(details.get("pad")),
        *_channels_and_space(row.outputs[:1]),
        *_figures(row.figures, view),
    )
    return Line(cells, row.kind, row.family)


def _figures(figures: Any, view: View) -> tuple[Cell, Cell, Cell]:
    return (
        activation_cell(figures, view),
        thousands(figures.params, 1_000),
        thousands(counted(figures, view), 1_000_000),
    )


def _channels_and_space(shapes: tuple[Shape, ...]) -> tuple[Cell, Cell]:
    if not shapes:
        return "", ""
    shape = shapes[0]
    channels = "" if shape.features is None else str(shape.axes[shape.features].size)
    return channels, _axes([axis.size for axis in shape.axes if axis.role in _SPACE_AND_STEPS])


def _filters(row: Row, details: dict[str, Any]) -> str:
    if "filters" in details:
        return str(details["filters"])
    if row.family != "linear":
        return ""
    shape = row.outputs[0]
    return "" if shape.features is None else str(shape.axes[shape.features].size)


def _axes(sizes: Any) -> str:
    """One number where all axes agree, as the lectures write it."""
    if not sizes:
        return ""
    texts = [_side(size) for size in sizes]
    return texts[0] if len(set(texts)) == 1 else axes_text(texts)


def _side(size: Any) -> str:
    if isinstance(size, (list, tuple)):
        return "/".join([str(part) for part in size])
    text = str(size)
    return f"({text})" if isinstance(size, Poly) and " " in text else text
