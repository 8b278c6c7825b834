"""Tables as data: the JSON of `archc stats`, and the cells of its CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.cost import Totals
from archc.dims import Dim, Poly
from archc.shapes import Shape
from archc.tables.differences import difference_data
from archc.tables.rows import Row, plain_sizes
from archc.tables.view import View, counted, value_text

__all__ = ["csv_rows", "plain", "to_dict"]

More = Callable[[Row], dict[str, Any]]

_DETAILS = ("kernel", "stride", "pad", "dilation", "groups", "filters")
_CSV_HEAD = (
    "path", "op", "repeat", "input", "output", *_DETAILS, "params", "buffers", "macs", "flops",
    "activation_bytes", "shared_with", "inactive", "line", "column",
)  # fmt: skip


def to_dict(view: View, more: More = lambda row: {}) -> dict[str, Any]:
    """The table as JSON has it: names and sizes as interfaces.md fixes them.

    Sizes are without the batch dimension; formulas are text. Beside the fixed keys stand `batch`
    and `dtype`, with a convention `convention` and everywhere `counted`, and in a row
    `inactive` where it does not run outside training, and `file` where it stands in another file
    than the net; `more` gives what a row has besides.
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
        **_training(view),
        **_convention(view),
        "layers": [
            {**_layer(row, view), **more(row)} for row in view.rows if row.kind != "heading"
        ],
    }


def plain(value: Any) -> Any:
    """A hyperparameter's value as JSON can hold it; blocks and formulas as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value_text(value)


def csv_rows(view: View, more: More = lambda row: {}) -> list[list[object]]:
    """The rows of the CSV, the head first; a shape is 64x56x56, several stand with spaces."""
    layers = [_layer(row, view) for row in view.rows if row.kind != "heading"]
    rows = [row for row in view.rows if row.kind != "heading"]
    further = [more(row) for row in rows]
    names = list(dict.fromkeys([name for found in further for name in found]))
    head = [*_CSV_HEAD, *(() if view.counting is None else ("counted",))]
    if view.training is not None:
        head.insert(head.index("activation_bytes") + 1, "saved_bytes")
    table: list[list[object]] = [[*head, *names]]
    for row, layer, found in zip(rows, layers, further, strict=True):
        shown = {**layer, "input": _sizes(row.inputs), "output": _sizes(row.outputs)}
        table.append([_csv_cell(shown.get(name)) for name in head])
        table[-1].extend([_csv_cell(_axes(found.get(name))) for name in names])
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
    if view.training is not None:
        layer["saved_bytes"] = _number(view.training.in_bytes(row.saved))
    if row.shared_with is not None:
        layer["shared_with"] = row.shared_with
    if row.inactive:
        layer["inactive"] = True
    if row.span.source.name != view.program.file:
        layer["file"] = row.span.source.name
    return {**layer, "line": position.line, "column": position.column}


def _training(view: View) -> dict[str, Any]:
    training = view.training
    if training is None:
        return {}
    peaks = [_number(size) for size in training.forward_peak]
    return {
        "optimizer": training.plan.optimizer,
        "master_weights": training.plan.master_weights,
        "gradient_bytes": _number(training.gradients),
        "optimizer_bytes": _number(training.optimizer),
        "master_weight_bytes": _number(training.master_weights),
        "saved_bytes": _number(training.saved),
        "training_bytes": _number(training.total),
        "forward_peak_bytes": peaks[0] if len(peaks) == 1 else _one_of(peaks),
    }


def _one_of(sizes: list[int | str]) -> str | None:
    """The largest of several formulas, which one depends on open dimensions."""
    return f"max({', '.join(map(str, sizes))})" if sizes else None


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


def _axes(value: object) -> object:
    """What is said axis by axis as one text: h=11..427 w=11..427."""
    if isinstance(value, dict):
        return " ".join([f"{name}={_range(one)}" for name, one in value.items()])
    return _range(value)


def _range(value: object) -> object:
    if not isinstance(value, list):
        return value
    return "..".join(dict.fromkeys([str(end) for end in value]))


def _csv_cell(value: object) -> object:
    if isinstance(value, list):
        return "x".join(["/".join(map(str, v)) if isinstance(v, list) else str(v) for v in value])
    if isinstance(value, bool):
        return "yes" if value else ""
    return value
