"""Tables as data: the JSON of `archc stats`, and the cells of its CSV."""

from __future__ import annotations

from typing import Any

from archc.cost import Totals
from archc.dims import Dim, Poly
from archc.shapes import Shape
from archc.tables.differences import difference_data
from archc.tables.rows import Row, plain_sizes
from archc.tables.view import View, counted, value_text

__all__ = ["csv_rows", "plain", "to_dict"]

_DETAILS = ("kernel", "stride", "pad", "dilation", "groups", "filters")
_CSV_HEAD = (
    "path", "op", "repeat", "input", "output", *_DETAILS, "params", "buffers", "macs", "flops",
    "activation_bytes", "shared_with", "inactive", "line", "column",
)  # fmt: skip


def to_dict(view: View) -> dict[str, Any]:
    """The table as JSON has it: names and sizes as interfaces.md fixes them.

    Sizes are without the batch dimension; formulas are text. Beside the fixed keys stand `batch`
    and `dtype`, with a convention `convention` and everywhere `counted`, and in a row
    `inactive` where it does not run outside training, and `file` where it stands in another file
    than the net.
    """
    region, program = view.program.region, view.program
    outputs = [output for output in region.outputs if not output.training]
    return {
        "name": program.name,
        "file": program.file,
        "hyperparameters": {name: plain(value) for name, value in program.hyperparameters},
        "inputs": {port.name: plain_sizes(port.shape) for port in region.inputs},
        "outputs": {output.name: plain_sizes(output.shape) for output in outputs},
        "batch": view.batch,
        "dtype": view.dtype,
        **_figures(view.totals, view),
        "param_bytes": _number(view.totals.param_bytes(view.dtype)),
        **_convention(view),
        "layers": [_layer(row, view) for row in view.rows if row.kind != "heading"],
    }


def plain(value: Any) -> Any:
    """A hyperparameter's value as JSON can hold it; blocks and formulas as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value_text(value)


def csv_rows(view: View) -> list[list[object]]:
    """The rows of the CSV, the head first; a shape is 64x56x56, several stand with spaces."""
    layers = [_layer(row, view) for row in view.rows if row.kind != "heading"]
    rows = [row for row in view.rows if row.kind != "heading"]
    head = (*_CSV_HEAD, *(() if view.counting is None else ("counted",)))
    table: list[list[object]] = [list(head)]
    for row, layer in zip(rows, layers, strict=True):
        shown = {**layer, "input": _sizes(row.inputs), "output": _sizes(row.outputs)}
        table.append([_csv_cell(shown.get(name)) for name in head])
    return table


def _layer(row: Row, view: View) -> dict[str, Any]:
    position = row.span.position
    layer: dict[str, Any] = {
        "path": row.path,
        "op": row.op,
        "repeat": _number(row.repeat),
        "input": _shapes(row.inputs),
        "output": _shapes(row.outputs),
        **{name: plain(value) for name, value in row.details},
        **_figures(row.figures, view),
    }
    if row.shared_with is not None:
        layer["shared_with"] = row.shared_with
    if row.inactive:
        layer["inactive"] = True
    if row.span.source.name != view.program.file:
        layer["file"] = row.span.source.name
    return {**layer, "line": position.line, "column": position.column}


def _convention(view: View) -> dict[str, Any]:
    """What another convention counts, where one is asked for."""
    if view.counting is None:
        return {}
    found = difference_data(view.program, view.totals, view.counting, view.batch)
    return {"convention": found}


def _figures(figures: Totals, view: View) -> dict[str, int | str]:
    chosen = {} if view.counting is None else {"counted": _number(counted(figures, view))}
    return {
        "params": _number(figures.params),
        "buffers": _number(figures.buffers),
        "macs": _number(figures.macs * view.batch),
        "flops": _number(figures.flops * view.batch),
        "activation_bytes": _number(figures.activation_bytes(view.dtype, view.batch)),
        **chosen,
    }


def _number(value: Dim) -> int | str:
    return str(value) if isinstance(value, Poly) else value


def _shapes(shapes: tuple[Shape, ...]) -> list[Any]:
    if len(shapes) == 1:
        return plain_sizes(shapes[0])
    return [plain_sizes(shape) for shape in shapes]


def _sizes(shapes: tuple[Shape, ...]) -> str:
    return " ".join(["x".join([f"{size}" for size in plain_sizes(shape)]) for shape in shapes])


def _csv_cell(value: object) -> object:
    if isinstance(value, list):
        return "x".join(["/".join(map(str, v)) if isinstance(v, list) else str(v) for v in value])
    if isinstance(value, bool):
        return "yes" if value else ""
    return value
