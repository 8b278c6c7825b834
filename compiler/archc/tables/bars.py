"""`--style bars`: what each stage has of the net's memory, parameters and multiply-adds."""

from __future__ import annotations

from archc.cost import Totals
from archc.dims import Dim, Poly
from archc.tables.plain import layer_name
from archc.tables.rows import Column, Grid, Line, Row
from archc.tables.stages import Stage, stages_of
from archc.tables.view import View, counted, notes_of, title_of

__all__ = ["bars_grid"]

_WIDTH = 11
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bars_grid(view: View, *, indented: bool, stages: bool) -> Grid:
    """The table of shares, a bar for each; formulas have none.

    Args:
        view: what is shown.
        indented: whether names stand below each other as blocks nest.
        stages: show the net's stages, as charts that compare nets do, instead of the view's rows.
    """
    operations = "multiply-adds" if view.count == "macs" else "flops"
    shares = tuple(
        [
            column
            for title in ("memory", "params", operations)
            for column in (Column(title, shapes=True), Column("%", "right"))
        ]
    )
    if stages:
        view = view.replace(depth=view.deepest)  # stages are no depth that one could open further
        lines = [_stage_line(stage, view) for stage in stages_of(view.program)]
        columns = (Column("stage", shapes=True), Column("from"), *shares)
    else:
        lines = [_line(row, view, indented) for row in view.rows]
        columns = (Column("stage"), *shares)
    return Grid(title_of(view), columns, tuple(lines), notes_of(view))


def _stage_line(stage: Stage, view: View) -> Line:
    return Line((stage.label, stage.parts[0], *_bars(stage.figures, view)))


def _line(row: Row, view: View, indented: bool) -> Line:
    name = f"{layer_name(row, indented)} {row.op}" if row.kind == "block" else ""
    name = name or layer_name(row, indented)
    if row.kind == "heading":
        return Line((name, *[""] * 6), "heading", row.family)
    return Line((name, *_bars(row.figures, view)), row.kind, row.family)


def _bars(own: Totals, view: View) -> tuple[str, ...]:
    all_of = view.totals
    pairs = (
        (own.activation_bytes(), all_of.activation_bytes()),
        (own.params, all_of.params),
        (counted(own, view), counted(all_of, view)),
    )
    return tuple([cell for pair in pairs for cell in _bar(*pair)])


def _bar(part: Dim, whole: Dim) -> tuple[str, str]:
    """A bar, and the percentage."""
    if isinstance(part, Poly) or isinstance(whole, Poly):
        return str(part), ""
    share = part / whole if whole else 0.0
    eighths = round(share * _WIDTH * 8)
    bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return bar, f"{share * 100:.1f}"
