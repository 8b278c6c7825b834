"""Which operators and blocks make of all steps at once what they make of each step."""

from __future__ import annotations

from collections.abc import Sequence

from archc.graph import INPUTS, Call, Choice, Node, Operation, Region, Repeat, Wire, wires_of
from archc.op import Module, Op, OpError, TorchForm
from archc.shapes import Axis, Shape
from archlang.record import Record

__all__ = ["HEAVY", "Flow", "lifted", "over_time"]

HEAVY = frozenset({"convolution", "linear", "embedding"})
_LIGHT = frozenset({"activation", "elementwise", "join", "pooling", "shape", "regularisation"})
_STEP_BY_STEP = frozenset({"LN", "RMSNORM"})
# On a whole sequence these would look at several steps together, or draw once for all of them.
_ALONE = frozenset(
    {"FLATTEN", "RESHAPE", "TRANSPOSE", "MEAN", "MAX", "SHUFFLE", "REVERSE", "DROPPATH"}
)


def over_time(shape: Shape, steps: Axis) -> Shape:
    """The shape of what has that shape at each step."""
    return shape.replace(axes=(steps, *shape.axes))


class Flow(Record):
    """A stream of a step, and what it is for all steps.

    Args:
        step: its shape in the step.
        whole: whether it is the same at each step, and does not run in time.
    """

    step: Shape
    whole: bool

    def arriving(self, steps: Axis) -> Shape:
        """Its shape in front of the loop or behind it."""
        return self.step if self.whole else over_time(self.step, steps)


def lifted(node: Node, flows: Sequence[Flow], steps: Axis) -> Node | None:
    """The node of a step as one that works on all steps; None where that gives other numbers.

    Args:
        node: the node.
        flows: what flows into it, and what its copies capture.
        steps: the axis of time.
    """
    outputs = tuple([over_time(shape, steps) for shape in node.outputs])
    if isinstance(node, Operation):
        works = _works(node, flows, steps)
        return node.replace(outputs=outputs) if works else None
    if getattr(node, "lends", ()) or getattr(node, "shared", None) is not None:
        return None
    if isinstance(node, Repeat):
        return _lifted_repeat(node, flows, steps)
    if not isinstance(node, Call | Choice):
        return None
    region = _lifted_region(node.region, flows, steps)
    return None if region is None else node.replace(region=region, outputs=outputs)


def _lifted_repeat(node: Repeat, flows: Sequence[Flow], steps: Axis) -> Node | None:
    carried = flows[: len(node.inputs)]
    if any(flow.whole for flow in carried):
        return None
    runs, place = [], len(carried)
    for run in node.runs:
        captured = flows[place : place + len(run.captures)]
        place += len(run.captures)
        entering = [Flow(port.shape, False) for port in run.region.inputs[: len(carried)]]
        region = _lifted_region(run.region, [*entering, *captured], steps)
        if region is None:
            return None
        runs.append(run.replace(region=region))
    outputs = tuple([over_time(shape, steps) for shape in node.outputs])
    return node.replace(runs=tuple(runs), outputs=outputs)


def _lifted_region(region: Region, flows: Sequence[Flow], steps: Axis) -> Region | None:
    """A block or a branch, each node of which works on all steps."""
    if region.shares or region.borrowed or any(output.training for output in region.outputs):
        return None
    whole: set[int] = set()

    def flow(wire: Wire) -> Flow:
        if wire.node == INPUTS:
            return flows[wire.port]
        return Flow(region.nodes[wire.node].outputs[wire.port], wire.node in whole)

    nodes: list[Node] = []
    for number, node in enumerate(region.nodes):
        entering = [flow(wire) for wire in wires_of(node)]
        if all(one.whole for one in entering):
            whole.add(number)
        made = node if number in whole else lifted(node, entering, steps)
        if made is None:
            return None
        nodes.append(made)
    leaving = [flow(output.wire) for output in region.outputs]
    if any(one.whole for one in leaving):
        return None
    ports = [p.replace(shape=f.arriving(steps)) for p, f in zip(region.inputs, flows, strict=True)]
    outputs = [output.replace(shape=over_time(output.shape, steps)) for output in region.outputs]
    return region.replace(inputs=tuple(ports), nodes=tuple(nodes), outputs=tuple(outputs))


def _works(node: Operation, flows: Sequence[Flow], steps: Axis) -> bool:
    op = node.op
    known = op.family in HEAVY | _LIGHT or op.name in _STEP_BY_STEP
    if not known or op.name in _ALONE or node.shared is not None or _counts_axes(op):
        return False
    arriving = [flow.arriving(steps) for flow in flows]
    counts = [s for s in arriving if s.rank == 0 and s.vocabulary is not None]
    if counts or any(shape.padded for shape in node.outputs):
        return False  # what reads lengths itself stays in the step
    whole = tuple([shape.whole() for shape in arriving])
    outputs = tuple([over_time(shape, steps).whole() for shape in node.outputs])
    try:
        made = op.infer(*whole)
    except OpError:
        return False
    if (made if isinstance(made, tuple) else (made,)) != outputs:
        return False
    inside = tuple([flow.step.whole() for flow in flows])
    return _weights(op.torch(inside, node.outputs)) == _weights(op.torch(whole, outputs))


def _counts_axes(op: Op) -> bool:
    """Whether it names an axis by its number from the front, where time comes in."""
    axes = getattr(op, "axis", None)
    listed = axes if isinstance(axes, tuple) else (axes,)
    return any(isinstance(axis, int) and axis >= 0 for axis in listed)


def _weights(form: TorchForm) -> object:
    """What makes the module, which the state_dict shows."""
    if not isinstance(form, Module):
        return None
    return form.constructor, form.arguments, form.keywords
