"""A gate between two streams, `(1 - z) * a + z * b`, is `a + z * (b - a)`: half the kernels."""

from __future__ import annotations

from typing import ClassVar

from archc.graph import Operation, Region, Scan, Wire
from archc.op import Expression, Family, Op, TorchForm
from archc.ops.join import Add, Multiply, Subtract
from archc.recognition.notes import Note
from archc.recognition.rewriting import wire_shape
from archc.shapes import Shape

__all__ = ["blend"]


class Blend(Op):
    """a + z * (b - a) of the streams a, z, b, a; no file names it."""

    family: ClassVar[Family] = "join"
    inputs: ClassVar[tuple[int, int | None]] = (4, 4)

    def infer(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("torch.addcmul({0}, {1}, {2} - {3})")


def blend(region: Region) -> tuple[Region, tuple[Note, ...]]:
    """Write the gates of the scans of a region that way."""
    nodes = tuple(
        [
            node.replace(region=_blended(node.region)) if isinstance(node, Scan) else node
            for node in region.nodes
        ]
    )
    return (region if nodes == region.nodes else region.replace(nodes=nodes)), ()


def _blended(step: Region) -> Region:
    # What is not needed any more stays, so that states keep their numbers; it is not written.
    nodes = list(step.nodes)
    for number, node in enumerate(nodes):
        wires = _gate(step, Wire(number, 0))
        if wires is not None and isinstance(node, Operation):
            nodes[number] = node.replace(op=Blend(), inputs=wires)
    changed = tuple(nodes)
    return step if changed == step.nodes else step.replace(nodes=changed)


def _gate(step: Region, wire: Wire) -> tuple[Wire, ...] | None:
    """The streams a, z, b, a of such a sum."""
    terms = _operands(step, wire, Add)
    for rest, gated in (terms, terms[::-1]) if terms else ():
        for factor, a in _ordered(step, rest):
            z = _under_one(step, factor)
            for gate, b in _ordered(step, gated):
                if gate == z and _alike(step, (wire, a, gate, b)):
                    return a, gate, b, a
    return None


def _ordered(step: Region, wire: Wire) -> tuple[tuple[Wire, Wire], ...]:
    """The two factors of a product, in both orders."""
    factors = _operands(step, wire, Multiply)
    return () if factors is None else (factors, (factors[1], factors[0]))


def _operands(step: Region, wire: Wire, kind: type[Op]) -> tuple[Wire, Wire] | None:
    node = _at(step, wire, kind)
    if node is None or len(node.inputs) != 2:
        return None
    return node.inputs[0], node.inputs[1]


def _under_one(step: Region, wire: Wire) -> Wire | None:
    """The z of 1 - z."""
    node = _at(step, wire, Subtract)
    found = node is not None and len(node.inputs) == 1 and getattr(node.op, "left", None) == 1
    return node.inputs[0] if found and node is not None else None


def _at(step: Region, wire: Wire, kind: type[Op]) -> Operation | None:
    node = step.nodes[wire.node] if wire.node >= 0 and not wire.delay else None
    return node if isinstance(node, Operation) and isinstance(node.op, kind) else None


def _alike(step: Region, wires: tuple[Wire, ...]) -> bool:
    return len({wire_shape(step, wire).sizes for wire in wires}) == 1
