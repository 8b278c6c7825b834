"""The columns of the usual table: layer, operator, output, memory, parameters, multiply-adds."""

from __future__ import annotations

from typing import Any

from archc.cost import Totals
from archc.memory.amounts import Amount
from archc.tables.differences import exact_figure
from archc.tables.rows import Cell, Column, Grid, Line, Row, shape_range, shape_text
from archc.tables.view import View, activation_cell, counted, notes_of, saved_cell, title_of

__all__ = ["layer_name", "operator_text", "output_text", "plain_grid"]


def plain_grid(view: View, *, indented: bool) -> Grid:
    """The usual table.

    Args:
        view: what is shown.
        indented: names below headings say only what the heading does not, and are indented (for the
            terminal); else every row has its whole path.
    """
    kept = (Column("kept (KB)", "right"),) if view.training else ()
    columns = (
        Column("layer"),
        Column("operator"),
        Column("output", shapes=True),
        *([] if view.counting else [Column("memory (KB)", "right")]),
        *kept,
        Column("params", "right"),
        *[Column(title, "right") for title in _titles(view)],
    )
    lines = [_line(row, view, indented) for row in view.rows]
    saved = Amount.sum([row.saved for row in view.rows])
    total = ("total", "", "", *_figures(view.totals, saved, view))
    return Grid(title_of(view), columns, (*lines, Line(total, "total")), notes_of(view))


def layer_name(row: Row, indented: bool) -> str:
    """The path of a row, and how many copies there are."""
    name = "  " * row.level + (row.name or row.op) if indented else row.path or row.op
    name = f"{name} ×{row.repeat}" if row.repeat != 1 else name
    return f"{name} †" if row.inactive and row.kind != "heading" else name


def operator_text(row: Row) -> str:
    """The operator with what distinguishes it: `CONV 3×3 /2`."""
    details = dict(row.details)
    parts = [row.op]
    if "kernel" in details:
        parts.append(axes_text(details["kernel"]))
    if any(step != 1 for step in details.get("stride", ())):
        parts.append("/" + axes_text(_one_if_equal(details["stride"])))
    if any(step != 1 for step in details.get("dilation", ())):
        parts.append("d" + axes_text(_one_if_equal(details["dilation"])))
    if details.get("groups", 1) != 1:
        parts.append(f"g{details['groups']}")
    if row.shared_with is not None:
        parts.append("(shared)" if row.shared_with == row.path else f"of {row.shared_with}")
    return " ".join(parts)


def axes_text(sizes: Any) -> str:
    """Sizes of several axes: 3×3."""
    return "×".join([str(size) for size in sizes])


def output_text(row: Row) -> str:
    """The shape that leaves; of copies that differ, the range."""
    if len(row.copies) > 1:
        return shape_range(row.copies)
    return ", ".join([shape_text(shape) for shape in row.outputs])


def _line(row: Row, view: View, indented: bool) -> Line:
    name, figures = layer_name(row, indented), _figures(row.figures, row.saved, view)
    if row.kind == "heading":
        return Line((name, row.op, "", *[""] * len(figures)), "heading", row.family)
    return Line((name, operator_text(row), output_text(row), *figures), row.kind, row.family)


def _titles(view: View) -> tuple[str, ...]:
    """The names of the columns that count, the exact one first."""
    exact = "multiply-adds" if view.count == "macs" else "flops"
    return (exact,) if view.counting is None else (exact, view.counting.title)


def _figures(figures: Totals, saved: Amount, view: View) -> tuple[Cell, ...]:
    """Memory, parameters and what is counted; a second count takes the place of the memory."""
    if view.counting is None:
        kept = (saved_cell(saved, view.training),) if view.training else ()
        return activation_cell(figures, view), *kept, figures.params, counted(figures, view)
    exact = exact_figure(figures, view.counting) * view.batch
    return figures.params, exact, counted(figures, view)


def _one_if_equal(sizes: Any) -> Any:
    return sizes[:1] if len(set(sizes)) == 1 else sizes
