"""Convolutions of one kernel on the same stream, side by side, are one convolution with more
filters, whose output is split (Inception's 1 by 1 branches). So are linear layers (queries, keys
and values)."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.graph import Call, Node, Operation, Region, Wire
from archc.op import Expression, Family, Op, TorchForm
from archc.ops.convolution import Conv
from archc.ops.identity import Identity
from archc.ops.linear import FullyConnected
from archc.recognition.rewriting import rewired_region, wire_shape
from archc.shapes import Shape

__all__ = ["merge_branches", "merged_name", "mergers"]

_ELEMENTWISE = frozenset({"activation"})


class Split(Op):
    """One stream taken apart along its channels; no file names it."""

    family: ClassVar[Family] = "shape"
    axis: int = 0
    parts: tuple[int, ...] = ()

    def infer(self, *inputs: Shape) -> Any:
        return tuple([inputs[0].with_sizes({self.axis: part}) for part in self.parts])

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        places = tuple([(f"part{i}", part) for i, part in enumerate(self.parts)])
        inside = ", ".join([f"{{{name}}}" for name, _ in places])
        return Expression(f"{{0}}.split([{inside}], {self.axis + 1})", places)


def merge_branches(region: Region) -> Region:
    """Merge each group of `mergers`."""
    for group in reversed(mergers(region)):
        region = _merged(region, group)
    return region


def mergers(region: Region) -> tuple[tuple[int, ...], ...]:
    """The numbers of the nodes of each group that becomes one, in order."""
    groups: dict[Any, list[int]] = {}
    for number, node in enumerate(region.nodes):
        key = _key(region, node)
        if key is not None:
            groups.setdefault(key, []).append(number)
    return tuple([tuple(group) for group in groups.values() if len(group) > 1])


def merged_name(region: Region, group: tuple[int, ...]) -> str:
    """The name of the module that a group becomes."""
    taken = {node.name for node in region.nodes}
    name = "_".join([region.nodes[number].name for number in group])
    return name if name not in taken else f"{name}_merged"


def _key(region: Region, node: Node) -> Any:
    """What is equal for nodes that can be merged; None for one that cannot."""
    if not node.name or len(node.inputs) != 1 or len(node.outputs) != 1:
        return None
    if isinstance(node, Operation) and node.shared is None and _plain(region, node):
        return node.inputs[0], _narrow(node.op)
    if isinstance(node, Call) and node.shared is None and not node.lends:
        inside = _chain(node.region)
        return None if inside is None else (node.inputs[0], id(node.region.origin), inside)
    return None


def _narrow(op: Any) -> Op:
    """The operator without its number of outputs."""
    made: Op = op.replace(filters=1) if isinstance(op, Conv) else op.replace(units=1)
    return made


def _plain(region: Region, node: Operation) -> bool:
    op = node.op
    if isinstance(op, FullyConnected):
        # The gates of a cell are left to its recognition.
        return isinstance(op.units, int) and region.kind != "cell"
    if not isinstance(op, Conv) or op.groups != 1 or not isinstance(op.filters, int):
        return False
    return wire_shape(region, node.inputs[0]).rank > 1 and _axis(node) is not None


def _axis(node: Node) -> int | None:
    shape = node.outputs[0]
    if isinstance(node, Operation) and isinstance(node.op, FullyConnected):
        return shape.rank - 1
    return 0 if shape.space and shape.features == 0 else None


def _chain(region: Region) -> Any:
    """A block that is one convolution and then works on each element: its operators, in order."""
    if region.kind != "block" or region.captured or region.shares or len(region.inputs) != 1:
        return None
    if len(region.outputs) != 1 or region.outputs[0].wire.node != len(region.nodes) - 1:
        return None
    ops: list[Op] = []
    for number, node in enumerate(region.nodes):
        if not isinstance(node, Operation) or node.inputs != (Wire(number - 1),):
            return None
        ops.append(node.op)
    first = region.nodes[0] if region.nodes else None
    if not isinstance(first, Operation) or first.shared is not None or not _plain(region, first):
        return None
    if not all(isinstance(op, Identity) or _elementwise(op, region) for op in ops[1:]):
        return None
    if not isinstance(first.op, Conv):
        return None
    return (_narrow(first.op), *ops[1:])


def _elementwise(op: Op, region: Region) -> bool:
    return op.family in _ELEMENTWISE and not op.parameters(region.outputs[0].shape)


def _merged(region: Region, group: tuple[int, ...]) -> Region:
    nodes: list[Any] = list(region.nodes)
    first = nodes[group[0]]
    axis = _axis(first) or 0
    parts = tuple([nodes[number].outputs[0].sizes[axis] for number in group])
    whole = _widened(first, axis, sum(parts)).replace(name=merged_name(region, group), label=None)
    outputs = tuple([nodes[number].outputs[0] for number in group])
    split = Operation(
        "", (Wire(group[0]),), outputs, first.span, None, Split(axis=axis, parts=parts), None
    )
    kept = [number for number in range(len(nodes)) if number not in group[1:]]
    places = {old: new + (old > group[0]) for new, old in enumerate(kept)}

    def wired(wire: Wire) -> Wire:
        if wire.node in group:
            return wire.replace(node=group[0] + 1, port=group.index(wire.node))
        return wire.replace(node=places.get(wire.node, wire.node))

    made = [whole if number == group[0] else nodes[number] for number in kept]
    changed = rewired_region(region, tuple(made), wired)
    before, after = changed.nodes[: group[0] + 1], changed.nodes[group[0] + 1 :]
    return changed.replace(nodes=(*before, split, *after))


def _widened(node: Any, axis: int, channels: int) -> Any:
    """The node with as many filters as those of its group together."""
    outputs = tuple([shape.with_sizes({axis: channels}) for shape in node.outputs])
    node = node.replace(outputs=outputs)
    if isinstance(node, Operation):
        op: Any = node.op
        changed = op.replace(filters=channels) if isinstance(op, Conv) else op
        changed = op.replace(units=channels) if isinstance(op, FullyConnected) else changed
        return node.replace(op=changed)
    inside = tuple([_widened(one, axis, channels) for one in node.region.nodes])
    ends = tuple([o.replace(shape=outputs[0]) for o in node.region.outputs])
    return node.replace(region=node.region.replace(nodes=inside, outputs=ends))
