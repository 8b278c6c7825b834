"""Products of the input and the state side by side are taken apart, so that a part can be hoisted.

`{ x[t] | h[t-1] } -> FC(n)` is `W x[t] + U h[t-1]` with the columns of one matrix. The module stays
where it is, with its weights; the two products use parts of them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from archc.graph import Node, Operation, Region, Scan, Wire, wires_of
from archc.op import Constant, Expression, Family, Op, TorchForm
from archc.ops.concat import Concatenate
from archc.ops.join import Add
from archc.ops.linear import FullyConnected
from archc.recognition.rewriting import rewired, wire_shape
from archc.shapes import Axis, Shape

__all__ = ["split_products", "waiting"]


class WeightPart(Op):
    """Some columns of the weights of a fully connected layer; no file names it."""

    family: ClassVar[Family] = "linear"
    inputs: ClassVar[tuple[int, int | None]] = (0, 0)
    batchless: ClassVar[bool] = True
    module: str = ""
    first: Any = 0
    last: Any = None

    @property
    def modules(self) -> tuple[tuple[str, str], ...]:
        """The module whose weights it uses."""
        return (("layer", self.module),)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        ends = (("first", self.first), ("last", self.last))
        values: tuple[tuple[str, Constant], ...] = tuple([e for e in ends if e[1] not in (0, None)])
        start = "{first}" if self.first else ""
        stop = "{last}" if self.last is not None else ""
        return Expression(f"{{layer}}.weight[:, {start}:{stop}]", values)


class Product(Op):
    """A product with given weights, and the bias of the layer they are of; no file names it."""

    family: ClassVar[Family] = "linear"
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)
    module: str = ""
    bias: bool = False
    units: Any = 0

    @property
    def modules(self) -> tuple[tuple[str, str], ...]:
        """The module whose bias it adds."""
        return (("layer", self.module),) if self.bias else ()

    def infer(self, *inputs: Shape) -> Shape:
        return inputs[0].with_sizes({inputs[0].rank - 1: self.units})

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        bias = ", {layer}.bias" if self.bias else ""
        return Expression(f"F.linear({{0}}, {{1}}{bias})")


def waiting(step: Region) -> set[int]:
    """The nodes of a step that need what was remembered."""
    found: set[int] = set()
    before = -1
    while len(found) != before:
        before = len(found)
        for number, node in enumerate(step.nodes):
            if any(wire.delay or wire.node in found for wire in wires_of(node)):
                found.add(number)
    return found


def split_products(scan: Scan) -> Scan:
    """The scan with products taken apart where one part needs the memory and another does not."""
    late = waiting(scan.region)
    splitting = _Splitting(scan.region, late)
    for number, node in enumerate(scan.region.nodes):
        splitting.take(number, node)
    if not splitting.changed:
        return scan
    states = tuple([s.replace(wire=splitting.moved(s.wire)) for s in scan.states])
    return scan.replace(region=splitting.region(), states=states)


class _Splitting:
    def __init__(self, step: Region, late: set[int]) -> None:
        self.step, self.late = step, late
        self.nodes: list[Node | _Marked] = []
        self.numbers: dict[int, int] = {}
        self.changed = False

    def take(self, number: int, node: Node) -> None:
        """One node more, behind it the parts of its product."""
        self.nodes.append(node)
        self.numbers[number] = len(self.nodes) - 1
        parts = self._parts(node)
        if parts is None:
            return
        assert isinstance(node, Operation)
        self.changed = True
        self.numbers[number] = self._sum(node, parts)

    def _parts(self, node: Node) -> tuple[Wire, ...] | None:
        if not isinstance(node, Operation) or not isinstance(node.op, FullyConnected):
            return None
        wire = node.inputs[0]
        source = self.step.nodes[wire.node] if wire.node >= 0 and not wire.delay else None
        joined = isinstance(source, Operation) and isinstance(source.op, Concatenate)
        if source is None or not joined or node.shared is not None:
            return None
        vectors = all(wire_shape(self.step, one).rank == 1 for one in source.inputs)
        early = {self._is_early(one) for one in source.inputs}
        return source.inputs if vectors and len(early) == 2 else None

    def _sum(self, node: Operation, parts: tuple[Wire, ...]) -> int:
        """The parts of a product, added; gives the number of the sum."""
        assert isinstance(node.op, FullyConnected)
        first: Any = 0
        total: Wire | None = None
        for place, part in enumerate(parts):
            size = wire_shape(self.step, part).sizes[0]
            last = None if place == len(parts) - 1 else first + size
            matrix = Shape((Axis(node.op.units, "c", "features"), Axis(size, "d", "carried")))
            columns = WeightPart(module=node.name, first=first, last=last)
            label = None if self._is_early(part) else f"{node.name}_weight"
            weights = self._add(columns, (), matrix, label=label)
            bias = node.op.bias and place == self._bias_place(parts)
            product = Product(module=node.name, bias=bias, units=node.op.units)
            made = self._add(product, (part, weights), node.outputs[0], old=1)
            first = first + size
            total = made if total is None else self._add(Add(), (total, made), node.outputs[0])
        assert total is not None
        return total.node

    def _bias_place(self, parts: tuple[Wire, ...]) -> int:
        return [self._is_early(wire) for wire in parts].index(True)

    def _is_early(self, wire: Wire) -> bool:
        """Whether a stream of the step needs nothing that was remembered."""
        return not wire.delay and wire.node not in self.late

    def _add(
        self,
        op: Op,
        wires: tuple[Wire, ...],
        shape: Shape,
        old: int = 0,
        label: str | None = None,
    ) -> Wire:
        """A new node; the first `old` of its wires have the old numbers."""
        span = self.step.nodes[0].span
        node = Operation("", wires, (shape,), span, label, op)
        self.nodes.append(_Marked(node, old))
        return Wire(len(self.nodes) - 1, 0)

    def moved(self, wire: Wire) -> Wire:
        """A wire of the step with the new numbers."""
        return wire if wire.node < 0 else wire.replace(node=self.numbers[wire.node])

    def region(self) -> Region:
        """The step with the new nodes."""
        nodes = [self._finished(node) for node in self.nodes]
        outputs = tuple([o.replace(wire=self.moved(o.wire)) for o in self.step.outputs])
        return self.step.replace(nodes=tuple(nodes), outputs=outputs)

    def _finished(self, node: Node | _Marked) -> Node:
        if not isinstance(node, _Marked):
            return rewired(node, self.moved)
        old = [self.moved(wire) for wire in node.node.inputs[: node.old]]
        return node.node.replace(inputs=(*old, *node.node.inputs[node.old :]))


class _Marked:
    """A new node, of whose wires the first ones have the old numbers."""

    def __init__(self, node: Operation, old: int) -> None:
        self.node, self.old = node, old
