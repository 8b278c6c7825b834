"""The parts of a drawing that single nodes give: cells, signs, words and sources."""

from __future__ import annotations

from pathlib import Path

from archc.graph import Call, Operation, Region
from archc.op import Op
from archc.render.canvas import Point, Source, View
from archc.render.labels import operator_text, spread
from archc.render.scene import Cell
from archc.render.structure import shape_of
from archc.shapes import Shape

__all__ = ["below", "cell", "changes", "hint", "sign", "weights"]

_SIGNS = {
    "ADD": "+", "SUB": "−", "MUL": "×", "DIV": "÷", "POW": "**", "CONCAT": "|", "MATMUL": "@",
}  # fmt: skip


def cell(view: View, member: int) -> Cell:
    """An operator in a box, with what all copies say of it."""
    ops: list[Op] = []
    shapes: list[tuple[Shape, ...]] = []
    for region in view:
        node = region.nodes[member]
        assert isinstance(node, Operation)
        ops.append(node.op)
        shapes.append(tuple([shape_of(region, wire) for wire in node.inputs]))
    if ops[0].name in _SIGNS and len(shapes[0]) == 1:
        return _with_number(ops)
    return Cell(ops[0].family, ops[0].name, operator_text(ops, shapes))


def _with_number(ops: list[Op]) -> Cell:
    """Arithmetic of a stream and a number as it is written: `1 −`, `× 2`."""
    written = _SIGNS[ops[0].name]
    left = [getattr(op, "left", None) for op in ops]
    right = [getattr(op, "right", None) for op in ops]
    if left[0] is not None:
        return Cell(ops[0].family, f"{spread(left)} {written}")
    return Cell(ops[0].family, written, spread(right) if right[0] is not None else "")


def sign(node: Operation) -> str:
    """The sign of a join of streams alone; one with a number or an axis is a box."""
    plain = all(getattr(node.op, a.name) == a.default for a in node.op.arguments)
    return _SIGNS.get(node.op.name, "") if plain and len(node.inputs) > 1 else ""


def weights(node: Operation, region: Region) -> str:
    """Whose weights an operator uses, or under which name it lends its own."""
    if node.shared:
        return f"weights of {node.shared}"
    lent = any(isinstance(n, (Operation, Call)) and n.shared == node.name for n in region.nodes)
    return node.name if lent and node.name else ""


def changes(id: str, before: list[str], after: list[str]) -> list[Source]:
    """The sources that leave a box; a shape is said where it is not the one that entered."""
    unsaid = (*before[:1], "()")  # a lone number has no shape to speak of
    return [(Point(id, "" if text in unsaid else text),) for text in after]


def below(path: str, name: str) -> str:
    """What ids begin with one level down; a name of "" adds no level."""
    return f"{path}{name}." if name else path


def hint(node: Operation | Call) -> str:
    """The file and the line, for tooltips."""
    return f"{Path(node.span.source.name).name}:{node.span.position.line}"
