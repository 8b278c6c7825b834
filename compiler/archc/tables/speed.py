"""The columns of `--device`: what a roofline says of each layer's time, an estimate.

A layer takes at least as long as its operations at the peak rate, and as its bytes at the full
bandwidth; the longer of the two is the estimate. Williams, Waterman, Patterson 2009, Roofline: an
insightful visual performance model.
"""

from __future__ import annotations

from typing import Any

from archc.devices import Device
from archc.dims import Poly
from archc.tables.geometry import load_of, plain_number
from archc.tables.plain import layer_name, operator_text, output_text
from archc.tables.rows import Column, Grid, Line, Row, figure
from archc.tables.view import View, notes_of, title_of
from archc.traffic import Load, Traffic

__all__ = ["roofline", "speed_data", "speed_grid", "speed_total"]

_COLUMNS = (
    Column("layer"),
    Column("operator"),
    Column("output", shapes=True),
    Column("operations", "right"),
    Column("moved (KB)", "right"),
    Column("ms (estimate)", "right"),
    Column("bound by"),
)


def roofline(device: Device, dtype: str) -> Any:
    """What gives an operator's load its time on a device.

    Raises:
        DeviceError: when no rate is known for the dtype.
    """
    rate, bandwidth = device.rate(dtype), device.bandwidth * 1e9

    def timed(load: Load) -> Load:
        if not isinstance(load.flops, int) or not isinstance(load.moved, int):
            return load
        computing, moving = load.flops / rate, load.moved / bandwidth
        return load.replace(
            seconds=max(computing, moving), bound=computing if computing > moving else 0.0
        )

    return timed


def speed_grid(view: View, traffic: Traffic, device: Device, *, indented: bool) -> Grid:
    """The table of estimated times, with what bounds them."""
    lines = [_line(row, traffic, indented) for row in view.rows]
    total = _sum(view, traffic)
    last = Line(("total", "", "", *_cells(total)), "total")
    notes = (
        f"an estimate for {device.name}: each operator by itself, at the peak rate "
        f"({device.rate(view.dtype) / 1e12:g} TFLOP/s for {view.dtype}) or the full bandwidth "
        f"({device.bandwidth:g} GB/s), whichever takes longer; a real run takes longer, or less "
        "where operators are fused",
        f"figures of the device: {device.source}",
        _share(total),
    )
    return Grid(title_of(view), _COLUMNS, (*lines, last), (*notes, *notes_of(view)))


def speed_data(load: Load) -> dict[str, Any]:
    """What JSON has of it."""
    return {
        "bytes_moved": plain_number(load.moved),
        "milliseconds": None if isinstance(load.moved, Poly) else load.seconds * 1e3,
        "bound": _bound(load) or None,
    }


def speed_total(view: View, traffic: Traffic) -> Load:
    """The load of the whole net."""
    return _sum(view, traffic)


def _sum(view: View, traffic: Traffic) -> Load:
    total = Load()
    for row in view.rows:
        total = total + load_of(row, traffic)
    return total


def _line(row: Row, traffic: Traffic, indented: bool) -> Line:
    name = layer_name(row, indented)
    if row.kind == "heading":
        return Line((name, row.op, "", "", "", "", ""), "heading", row.family)
    cells = _cells(load_of(row, traffic))
    return Line((name, operator_text(row), output_text(row), *cells), row.kind, row.family)


def _cells(load: Load) -> tuple[str, str, str, str]:
    moved = f"{load.moved / 1024:,.0f}" if isinstance(load.moved, int) else f"{load.moved} B"
    time = f"{load.seconds * 1e3:,.4f}" if load.seconds else ""
    return figure(load.flops), moved, time, _bound(load)


def _bound(load: Load) -> str:
    if not load.seconds:
        return ""
    return "compute" if 2 * load.bound > load.seconds else "memory"


def _share(total: Load) -> str:
    if not total.seconds:
        return "times need numbers: bind the open sizes with -p NAME=VALUE"
    part = total.bound / total.seconds
    return f"computing is the bound in {part:.0%} of the time, memory in {1 - part:.0%}"
