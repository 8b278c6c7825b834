"""In which order a stream's numbers lie: what needs them row by row copies those that do not.

Generated code turns axes by views, so what leaves a CONV on a sequence, an RNN or TRANSPOSE lies
column by column. An operator that needs rows makes a copy, and keeps that instead.
"""

from __future__ import annotations

from typing import Literal

from archc.op import Expression, Op
from archc.shapes import Shape

__all__ = ["Order", "copied", "order_of", "stays"]

# Row by row; the last two axes exchanged; in some other order; with gaps, as parts of rows have;
# one step that stands for all.
Order = Literal["rows", "turned", "apart", "cut", "spread"]
Shapes = tuple[Shape, ...]
Orders = tuple[Order, ...]

_ROWS = frozenset(
    {
        "FC", "ATTENTION", "BILINEAR", "ROPE", "MATMUL", "SOFTMAX", "LOGSOFTMAX", "MASK", "RELPOS",
        "SHUFFLE", "ROLL", "MAX", "MEAN", "ARGMAX", "GAP", "GMP", "EMBED", "UNEMBED",
    }
)  # fmt: skip
_CONVOLVING = frozenset({"CONV", "DWCONV", "DECONV"})
_RECURRENT = frozenset({"RNN", "GRU", "LSTM"})
_ROW_NORMS = frozenset({"LN", "RMSNORM"})
_GROUP_NORMS = frozenset({"GN", "IN"})
_OF_MAPS = frozenset({"CONV", "DWCONV", "BN", "MAXPOOL"})
_TURNING = frozenset({"TRANSPOSE", "TRANSPOSED"})
_CUTTING = frozenset({"SPLIT", "CROP", "SELECT", "LAST", "FIRST"})
_TURNED: dict[Order, Order] = {"rows": "turned", "turned": "rows"}


def copied(op: Op, inputs: Shapes, orders: Orders) -> tuple[int, ...]:
    """The inputs of which it keeps a copy instead."""
    return tuple([i for i, order in enumerate(orders) if _copies(op, inputs[i], order)])


def _copies(op: Op, shape: Shape, order: Order) -> bool:
    if shape.rank < 2:
        return False
    if op.name in _GROUP_NORMS:
        # On a sequence it looks through a transposition, behind which columns are rows.
        return order != ("turned" if _is_sequence(shape) else "rows")
    if op.name == "MATMUL":
        return shape.rank > 2 and order in ("apart", "cut", "spread")
    if op.name in ("FC", "ATTENTION", "BILINEAR"):
        return order != "rows"
    return op.name in _OF_MAPS and _is_sequence_of_maps(shape) and order != "rows"


def stays(op: Op, inputs: Shapes, outputs: Shapes, orders: Orders) -> bool:
    """Whether what is a view of rows is one of what lies as its first input does."""
    if not orders or orders[0] == "rows":
        return True
    if op.name == "FLATTEN":
        return inputs[0].rank < 2
    return op.name != "RESHAPE" or not _joins(_template(op, inputs, outputs))


def order_of(op: Op, inputs: Shapes, output: Shape, orders: Orders) -> Order:
    """How an output lies."""
    if output.rank < 2 or not inputs or op.name in _ROWS:
        return "rows"
    if op.name in _RECURRENT:
        return "apart"  # step by step, each with all examples
    if op.name in _CONVOLVING or op.name in _GROUP_NORMS:
        return "turned" if _is_sequence(inputs[0]) else "rows"
    if op.name in _ROW_NORMS:
        return "apart" if inputs[0].space else "rows"
    if op.name == "AVGPOOL" and len(inputs[0].space) == 3:
        return "rows"  # on volumes it has no kernel for other orders
    if op.name == "REPEAT":
        return "spread" if op.shares(inputs, (output,), training=True) else "rows"
    if op.name in _CUTTING or op.name in _TURNING or op.name in ("FLATTEN", "RESHAPE"):
        return _moved(op, inputs, output, orders[0])
    if op.name == "UPSAMPLE" and _is_sequence(inputs[0]):
        return "turned"
    if op.name in ("CONCAT", "PAD") and output.rank == 2 and len(orders) > (op.name == "CONCAT"):
        return "rows"
    if op.name == "CONCAT" and len(orders) > 1:
        return "apart" if set(orders) == {"apart"} else "rows"
    return _followed(op, inputs, output, orders)


def _moved(op: Op, inputs: Shapes, output: Shape, order: Order) -> Order:
    if op.name in _TURNING:
        return _TURNED.get(order, "apart")
    if op.name in _CUTTING:
        return "cut" if order == "rows" else "apart"
    template = "" if op.name == "FLATTEN" else _template(op, inputs, (output,))
    moved = max(template.find(".transpose("), template.find(".permute("))
    if moved >= 0 and not _joins(template[moved:]):
        return "turned" if output.rank == 2 else "apart"
    return "rows" if order == "rows" or moved >= 0 or _joins(template) or not template else "apart"


def _template(op: Op, inputs: Shapes, outputs: Shapes) -> str:
    form = op.torch(inputs, outputs)
    assert isinstance(form, Expression)
    return form.template


def _joins(template: str) -> bool:
    return ".flatten(" in template or ".reshape(" in template


def _followed(op: Op, inputs: Shapes, output: Shape, orders: Orders) -> Order:
    """As the first input of that shape lies; what had gaps has none in a new tensor."""
    if op.name in _OF_MAPS and _is_sequence_of_maps(inputs[0]):
        return "rows"
    for shape, order in zip(inputs, orders, strict=True):
        if order != "spread" and (shape.sizes == output.sizes or len(inputs) == 1):
            return "rows" if order == "cut" else order
    return "rows"


def _is_sequence(shape: Shape) -> bool:
    return shape.rank == 2 and not shape.space


def _is_sequence_of_maps(shape: Shape) -> bool:
    return shape.rank > 3 and shape.axes[0].role == "steps"
