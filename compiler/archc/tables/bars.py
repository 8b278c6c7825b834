"""`--style bars`: what each stage has of the net's memory, parameters and multiply-adds."""

from __future__ import annotations

from archc.dims import Dim, Poly
from archc.tables.plain import layer_name
from archc.tables.rows import Column, Grid, Line, Row
from archc.tables.view import View, counted, notes_of, title_of

__all__ = ["bars_grid"]

_WIDTH = 11
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bars_grid(view: View, *, indented: bool) -> Grid:
    """The table of shares, a bar for each; formulas have none."""
    operations = "multiply-adds" if view.count == "macs" else "flops"
    columns = (
        Column("stage"),
        *[
            column
            for title in ("memory", "params", operations)
            for column in (Column(title, shapes=True), Column("%", "right"))
        ],
    )
    lines = [_line(row, view, indented) for row in view.rows]
    return Grid(title_of(view), columns, tuple(lines), notes_of(view))


def _line(row: Row, view: View, indented: bool) -> Line:
    name = f"{layer_name(row, indented)} {row.op}" if row.kind == "block" else ""
    name = name or layer_name(row, indented)
    if row.kind == "heading":
        return Line((name, *[""] * 6), "heading", row.family)
    own, all_of = row.figures, view.totals
    pairs = (
        (own.activation_bytes(), all_of.activation_bytes()),
        (own.params, all_of.params),
        (counted(own, view), counted(all_of, view)),
    )
    return Line((name, *[cell for pair in pairs for cell in _bar(*pair)]), row.kind, row.family)


def _bar(part: Dim, whole: Dim) -> tuple[str, str]:
    """A bar, and the percentage."""
    if isinstance(part, Poly) or isinstance(whole, Poly):
        return str(part), ""
    share = part / whole if whole else 0.0
    eighths = round(share * _WIDTH * 8)
    bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return bar, f"{share * 100:.1f}"
