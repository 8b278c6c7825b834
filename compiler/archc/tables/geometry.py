"""The columns of `--style geometry`: receptive field, effective stride, depth, intensity."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

from archc.sight import Field, Sight
from archc.tables.plain import layer_name, operator_text, output_text
from archc.tables.rows import Cell, Column, Grid, Line, Row
from archc.tables.view import View, notes_of, title_of
from archc.traffic import Load, Traffic

__all__ = ["geometry_data", "geometry_grid", "load_of", "plain_number"]

_COLUMNS = (
    Column("layer"),
    Column("operator"),
    Column("output", shapes=True),
    Column("sees", shapes=True),
    Column("stride", "right"),
    Column("depth", "right"),
    Column("operations/byte", "right"),
)
_NOTES = (
    "sees: positions of the input that one position of the output depends on, over branches (and "
    "copies) the fewest to the most",
    "depth: layers with weights on the way from the input; operations/byte: arithmetic operations "
    "for each byte read or written",
)


def geometry_grid(view: View, traffic: Traffic, *, indented: bool) -> Grid:
    """The table of what layers see, how far apart, how deep, and what they do with each byte."""
    lines = [_line(row, traffic, indented) for row in view.rows]
    return Grid(title_of(view), _COLUMNS, tuple(lines), (*_NOTES, *notes_of(view)))


def geometry_data(row: Row, traffic: Traffic) -> dict[str, Any]:
    """What JSON has of it: for each axis of the input, from the fewest to the most."""
    load = load_of(row, traffic)
    found: dict[str, Any] = {
        "intensity": plain_number(load.intensity),
        "bytes_moved": plain_number(load.moved),
    }
    if row.seen is None:
        return found
    fields = {name: field for name, field in row.seen.fields.items() if field.known}
    return {
        "receptive_field": {
            name: [_size(field.smallest), _size(field.largest)] for name, field in fields.items()
        },
        "effective_stride": {
            name: plain_number(field.jump)
            for name, field in fields.items()
            if field.jump is not None
        },
        "depth": [row.seen.shallow, row.seen.deep],
        **found,
    }


def load_of(row: Row, traffic: Traffic) -> Load:
    """What all copies of a row do."""
    if row.part is None:
        return Load()
    part, node = row.part, row.part.node
    if node is None:
        return traffic.region(part.region, part.demand).times(row.repeat)
    count = getattr(node, "count", 1) if row.kind == "block" else 1
    copies = row.repeat if count in (0, 1) else row.repeat // count
    return traffic.node(part.region, node, part.demand).times(copies)


def _line(row: Row, traffic: Traffic, indented: bool) -> Line:
    name = layer_name(row, indented)
    if row.kind == "heading":
        return Line((name, row.op, "", "", "", "", ""), "heading", row.family)
    seen = row.seen or Sight({})
    cells = (name, operator_text(row), output_text(row), _seen_text(seen), _stride_text(seen))
    return Line((*cells, _depth(seen), _intensity(load_of(row, traffic))), row.kind, row.family)


def _seen_text(sight: Sight) -> str:
    return _of_axes([_range_text(field) for field in sight.fields.values()])


def _range_text(field: Field) -> str:
    if not field.known:
        return "?"
    least, most = _size_text(field.smallest), _size_text(field.largest)
    return least if least == most else f"{least}..{most}"


def _stride_text(sight: Sight) -> str:
    strides = [f.jump for f in sight.fields.values() if f.known and f.jump is not None]
    return _of_axes([str(stride) for stride in strides])


def _of_axes(texts: list[str]) -> str:
    """One text where the axes agree, else one for each."""
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)


def _depth(sight: Sight) -> str:
    if sight.shallow == sight.deep:
        return str(sight.deep)
    return f"{sight.shallow}..{sight.deep}"


def _intensity(load: Load) -> Cell:
    value = load.intensity
    return "" if value is None else f"{value:,.1f}" if isinstance(value, float) else str(value)


def _size_text(size: float) -> str:
    return "all" if size == inf else str(size)


def _size(size: float) -> int | str:
    return "all" if size == inf else int(size)


def plain_number(value: Any) -> Any:
    """A number as JSON has it; a formula as text."""
    if isinstance(value, Fraction):
        return float(value)
    return value if value is None or isinstance(value, (int, float)) else str(value)
