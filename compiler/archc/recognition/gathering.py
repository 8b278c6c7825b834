"""What the weights of a loop learn is gathered: one large product behind it, not one for each step.

The gradient of a recurrent weight is a sum over the steps of dy[t]' h[t-1]. Where the product is
added to something that is known for all steps, that stream's gradient is dy of all steps, so one
product gives the whole sum. Fused kernels do the same.

Inside the loop the weight is a constant, so a second derivative would lack a part. What leaves the
loop refuses it, by whatever way it is asked for.
"""

from __future__ import annotations

from typing import Any, ClassVar

from archc.graph import INPUTS, Node, Operation, Port, Region, Scan, Wire, wires_of
from archc.op import Expression, Family, Op, TorchForm
from archc.ops.join import Add
from archc.ops.linear import FullyConnected
from archc.recognition.notes import Note
from archc.recognition.products import Product, WeightPart
from archc.recognition.rewriting import (
    is_used,
    only_used,
    operation_at,
    rewired_region,
    wire_shape,
)
from archc.shapes import Axis, Shape
from archlang.record import Record

__all__ = ["gather"]

_FUNCTION = '''class GatherSteps(torch.autograd.Function):
    """Hands on what is added at each step; learns the weight from all steps in one product."""

    @staticmethod
    def forward(ctx: Any, added: Tensor, weight: Tensor, states: Any) -> Tensor:
        ctx.states = states
        return added.view_as(added)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        states = torch.stack(ctx.states, dim=1).flatten(0, 1).to(gradient.dtype)
        return gradient, gradient.flatten(0, 1).t() @ states, None
'''

_ONCE = '''def differentiated_once(gradient: Tensor) -> None:
    """Refuses second derivatives through a loop that gathers what its weights learn."""
    if torch.is_grad_enabled():
        raise RuntimeError(
            "a loop that gathers what its weights learn has no second derivatives; "
            "archc compile --no-recognize writes it without"
        )
'''

_WEIGHT = '''class RecurrentWeight:
    """A weight (C, D) by which each step of a loop multiplies a state (B, D)."""

    def __init__(self, weight: Tensor) -> None:
        learns = torch.is_grad_enabled() and weight.requires_grad
        self.gathers = learns and not torch.compiler.is_compiling()
        self.weight = weight
        self.factor = (weight.detach() if self.gathers else weight).t()
        self.states: list[Tensor] = []

    def all_steps(self, added: Tensor) -> Tensor:
        """What is added at each step (B, T, C): the way on which gradients come back."""
        if not self.gathers:
            return added
        gather: Any = GatherSteps.apply
        gathered: Tensor = gather(added, self.weight, self.states)
        return gathered

    def step(self, added: Tensor, state: Tensor) -> Tensor:
        """added + state @ weight'"""
        if self.gathers:
            self.states.append(state.detach())
        return torch.addmm(added, state, self.factor)

    def result(self, made: Tensor) -> Tensor:
        """What leaves the loop."""
        if self.gathers and made.requires_grad:
            hooked: Any = made
            hooked.register_hook(differentiated_once)
        return made
'''


_HELPERS = (
    ("GatherSteps", _FUNCTION),
    ("differentiated_once", _ONCE),
    ("RecurrentWeight", _WEIGHT),
)


class GatheredWeight(WeightPart):
    """The weight of a loop's product; no file names it."""

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        part: Any = super().torch(inputs, outputs)
        template = part.template if self.first or self.last is not None else "{layer}.weight"
        return Expression(
            f"RecurrentWeight({template})",
            part.values,
            helper=_HELPERS,
            imports=("from typing import Any",),
        )


class AllSteps(Op):
    """What a loop's product is added to, with a bias; no file names it."""

    family: ClassVar[Family] = "linear"
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)
    module: str = ""

    @property
    def modules(self) -> tuple[tuple[str, str], ...]:
        """The module whose bias it adds."""
        return (("layer", self.module),) if self.module else ()

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        bias = " + {layer}.bias" if self.module else ""
        return Expression(f"{{1}}.all_steps({{0}}{bias})")


class GatheredProduct(Op):
    """One step: what is added, the state, the weight; no file names it."""

    family: ClassVar[Family] = "linear"
    inputs: ClassVar[tuple[int, int | None]] = (3, 3)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{2}.step({0}, {1})")


class Gathered(Op):
    """What leaves a loop, and a weight of the loop; no file names it."""

    family: ClassVar[Family] = "join"
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{1}.result({0})")


class _Sum(Record):
    """A sum in a step of what is known for all steps and of a product with the state.

    Args:
        number: of the sum.
        early: the port of the step of what is known.
        state: what is multiplied.
        weight: the layer's name, and the first and the last column of its weights.
        captured: the port of the weight, where the step has one.
        bias: whether the layer has a bias.
    """

    number: int
    early: int
    state: Wire
    weight: tuple[str, Any, Any]
    captured: int | None
    bias: bool


def gather(region: Region) -> tuple[Region, tuple[Note, ...]]:
    """Gather the products of the scans of a region."""
    position = 0
    while position < len(region.nodes):
        node = region.nodes[position]
        found = []
        if isinstance(node, Scan) and not node.reverse and is_used(region, position):
            found = _sums(region, node)
        for one in found:
            region = _gathered(region, position, one)
            position += 1 if one.captured is not None else 2
        if found:
            region = _guarded(region, position, found[-1])
        position += 1
    return region, ()


def _guarded(region: Region, position: int, one: _Sum) -> Region:
    """The region in which all that leaves the scan passes by its last weight."""
    scan: Any = region.nodes[position]
    place = scan.inputs[-1 if one.captured is None else one.captured + scan.starts]
    wires = [wire for node in region.nodes for wire in wires_of(node)]
    wires += [output.wire for output in region.outputs]
    ports = sorted({wire.port for wire in wires if wire.node == position})
    leaving = [
        Operation(
            "", (Wire(position, port), place), (scan.outputs[port],), scan.span, None, Gathered()
        )
        for port in ports
    ]

    def later(wire: Wire) -> Wire:
        if wire.node == position:
            return Wire(position + 1 + ports.index(wire.port), 0)
        return wire.replace(node=wire.node + len(ports)) if wire.node > position else wire

    moved = rewired_region(region, region.nodes, later)
    before, behind = moved.nodes[: position + 1], moved.nodes[position + 1 :]
    return moved.replace(nodes=(*before, *leaving, *behind))


def _sums(region: Region, scan: Scan) -> list[_Sum]:
    found = [_sum(region, scan, number) for number in range(len(scan.region.nodes))]
    return [one for one in found if one is not None]


def _sum(region: Region, scan: Scan, number: int) -> _Sum | None:
    step = scan.region
    node = operation_at(step, number, Add)
    if node is None or len(node.inputs) != 2:
        return None
    for early, late in (node.inputs, node.inputs[::-1]):
        known = early.node == INPUTS and early.port < scan.timed and not early.delay
        product = -1 if late.delay else only_used(step, late)
        if not known or _uses(step, scan, early) != 1 or product < 0:
            continue
        if not _is_vectors(region, scan, early, node.outputs[0]):
            continue
        return _product(region, scan, number, early.port, product)
    return None


def _product(region: Region, scan: Scan, number: int, early: int, product: int) -> _Sum | None:
    step = scan.region
    split = operation_at(step, product, Product)
    if split is not None:
        weight = split.inputs[1]
        outer = _outside(scan, weight)
        part = operation_at(region, only_used(region, outer) if outer else -1, WeightPart)
        plain = isinstance(split.op, Product) and not split.op.bias
        if part is None or not plain or _uses(step, scan, weight) != 1:
            return None
        assert isinstance(part.op, WeightPart)
        columns = (part.op.module, part.op.first, part.op.last)
        return _Sum(number, early, split.inputs[0], columns, weight.port, False)
    layer = operation_at(step, product, FullyConnected)
    if layer is None or layer.shared is not None or wire_shape(step, layer.inputs[0]).rank != 1:
        return None
    assert isinstance(layer.op, FullyConnected)
    columns = (layer.name, 0, None)
    return _Sum(number, early, layer.inputs[0], columns, None, layer.op.bias)


def _is_vectors(region: Region, scan: Scan, early: Wire, total: Shape) -> bool:
    """Whether each step adds a vector of a sequence (B, T, C)."""
    sequence = wire_shape(region, scan.inputs[early.port])
    steps = sequence.rank == 2 and sequence.axes[0].role == "steps"
    return steps and wire_shape(scan.region, early).sizes == total.sizes


def _outside(scan: Scan, wire: Wire) -> Wire | None:
    """The stream of the cell that every step sees whole."""
    if wire.node != INPUTS or wire.port < scan.timed:
        return None
    return scan.inputs[wire.port + scan.starts]


def _uses(step: Region, scan: Scan, wire: Wire) -> int:
    wires = [one for node in step.nodes for one in node.inputs]
    wires += [output.wire for output in step.outputs] + [state.wire for state in scan.states]
    return sum([one.node == wire.node and one.port == wire.port for one in wires])


def _gathered(region: Region, position: int, one: _Sum) -> Region:
    """The region with the weight and what it is added to in front of the scan."""
    scan: Any = region.nodes[position]
    matrix = _matrix(scan, one)
    new: list[Node] = []
    name, first, last = one.weight
    op = GatheredWeight(module=name, first=first, last=last)
    if one.captured is None:
        place = Wire(position, 0)
        new.append(Operation("", (), (matrix,), scan.span, f"{name}_weight", op))
    else:
        place = scan.inputs[one.captured + scan.starts]
        known: Any = region.nodes[place.node]
        nodes = list(region.nodes)
        nodes[place.node] = known.replace(op=op)
        region = region.replace(nodes=tuple(nodes))
    sequence = wire_shape(region, scan.inputs[one.early])
    steps = AllSteps(module=name if one.bias else "")
    added = (scan.inputs[one.early], place)
    new.append(Operation("", added, (sequence,), scan.span, None, steps))
    made = Wire(position + len(new) - 1, 0)

    def later(wire: Wire) -> Wire:
        return wire.replace(node=wire.node + len(new)) if wire.node >= position else wire

    moved = rewired_region(region, region.nodes, later)
    changed = _changed(moved.nodes[position], one, made, place, matrix)
    behind = moved.nodes[position + 1 :]
    return moved.replace(nodes=(*moved.nodes[:position], *new, changed, *behind))


def _matrix(scan: Scan, one: _Sum) -> Shape:
    units = scan.region.nodes[one.number].outputs[0].sizes[-1]
    carried = wire_shape(scan.region, one.state).sizes[-1]
    return Shape((Axis(units, "c", "features"), Axis(carried, "d", "carried")))


def _changed(scan: Any, one: _Sum, made: Wire, place: Wire, matrix: Shape) -> Any:
    """The scan that takes what is gathered."""
    step, inputs = scan.region, list(scan.inputs)
    inputs[one.early] = made
    port = one.captured
    if port is None:
        port = len(step.inputs)
        inputs.append(place)
        ports = (*step.inputs, Port(f"{one.weight[0]}_weight", matrix))
        step = step.replace(inputs=ports, captured=step.captured + 1)
    nodes = list(step.nodes)
    wires = (Wire(INPUTS, one.early), one.state, Wire(INPUTS, port))
    nodes[one.number] = nodes[one.number].replace(op=GatheredProduct(), inputs=wires)
    return scan.replace(inputs=tuple(inputs), region=step.replace(nodes=tuple(nodes)))
