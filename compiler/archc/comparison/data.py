"""A comparison as data, and as the table that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.comparison.measures import MEASURES, Compared
from archc.dims import Dim, Poly
from archc.tables.rows import Cell, Column, Grid, Line
from archc.tables.view import rounded

if TYPE_CHECKING:
    from archc.comparison import Comparison

__all__ = ["csv_rows", "grid", "ratio", "to_dict", "word_of"]

_KEYS = {"memory": "activation_bytes", "params": "params"}


def to_dict(found: Comparison) -> dict[str, Any]:
    """The comparison as JSON has it; formulas are text, and a ratio of one is null."""
    return {
        "batch": found.batch,
        "dtype": found.dtype,
        "count": found.count,
        "relative": found.relative,
        "nets": [_net(net, found) for net in found.nets],
        "stages": [
            {"stage": _label(place), "nets": [_stage(stage, found) for stage in place]}
            for place in found.stages
        ],
    }


def csv_rows(found: Comparison) -> list[list[object]]:
    """The rows of the CSV, the head first."""
    keys = [_KEYS.get(measure, found.count) for measure in MEASURES]
    head: list[object] = ["name", "input", *keys, *[f"{key}_ratio" for key in keys], "year", "top1"]
    rows = []
    for net in found.nets:
        figures = [_plain(net.measure(measure)) for measure in MEASURES]
        ratios = [ratio(net, measure, found) for measure in MEASURES]
        facts = [net.facts.get("year"), net.facts.get("top1")]
        rows.append([net.name, net.inputs.replace(" × ", "x"), *figures, *ratios, *facts])
    return [head, *rows]


def grid(found: Comparison) -> Grid:
    """The table: a line for each net, with each figure how many times that of another it is."""
    columns = [Column("net"), Column("input", shapes=True)]
    for title in ("memory (KB)", "params", word_of(found.count)):
        columns += [Column(title, "right"), Column("×", "right")]
    lines = []
    for net in found.nets:
        cells: list[Cell] = [net.name, net.inputs]
        for measure in MEASURES:
            cells += [_cell(net.measure(measure), measure), _times(ratio(net, measure, found))]
        lines.append(Line(tuple(cells)))
    return Grid("", tuple(columns), tuple(lines), _notes(found))


def ratio(net: Compared, measure: str, found: Comparison) -> float | None:
    """How many times the figure of the first net, or the smallest one, a figure is."""
    numbers = [other.measure(measure) for other in found.nets]
    value, base = net.measure(measure), numbers[0]
    if found.relative == "smallest":
        known = [number for number in numbers if isinstance(number, int)]
        base = min(known, default=0)
    if isinstance(value, Poly) or isinstance(base, Poly):
        return 1.0 if value == base else None
    return round(value / base, 4) if base else None


def word_of(count: str) -> str:
    """What is counted, in words."""
    return "multiply-adds" if count == "macs" else "operations"


def _notes(found: Comparison) -> tuple[str, ...]:
    base = found.nets[0].name if found.relative == "first" else "the smallest of the column"
    batch = f", batch {found.batch}" if found.batch != 1 else ""
    return (
        f"× is how many times that of {base}",
        f"memory is that of the outputs of all operators as {found.dtype}{batch}",
    )


def _net(net: Compared, found: Comparison) -> dict[str, Any]:
    ratios = {_key(measure, found): ratio(net, measure, found) for measure in MEASURES}
    return {
        "name": net.name,
        "input": net.inputs,
        **_figures(net, found),
        "ratios": ratios,
        "published": net.facts,
    }


def _stage(stage: Compared | None, found: Comparison) -> dict[str, Any] | None:
    if stage is None or stage.parts is None:
        return None
    first, last = stage.parts
    return {"from": first, "to": last, **_figures(stage, found)}


def _figures(net: Compared, found: Comparison) -> dict[str, int | str]:
    return {_key(measure, found): _plain(net.measure(measure)) for measure in MEASURES}


def _key(measure: str, found: Comparison) -> str:
    return _KEYS.get(measure, found.count)


def _label(place: tuple[Compared | None, ...]) -> str:
    return next(stage.name for stage in place if stage is not None)


def _plain(value: Dim) -> int | str:
    return str(value) if isinstance(value, Poly) else value


def _cell(value: Dim, measure: str) -> Cell:
    if measure != "memory":
        return value
    return f"{value} B" if isinstance(value, Poly) else rounded(value, 1024)


def _times(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
