"""Looking at the nodes of a region, and taking some of them out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from archc.graph import INPUTS, Node, Operation, Region, Repeat, Wire
from archc.op import Op
from archc.shapes import Shape

__all__ = ["only_used", "operation_at", "wire_shape", "without_nodes"]

_NOWHERE = -2


def wire_shape(region: Region, wire: Wire) -> Shape:
    """The shape of what flows on a wire."""
    if wire.node == INPUTS:
        return region.inputs[wire.port].shape
    return region.nodes[wire.node].outputs[wire.port]


def operation_at(region: Region, number: int, kind: type[Op]) -> Operation | None:
    """The operation with that number where its operator is of a kind; None elsewhere."""
    node = region.nodes[number] if number >= 0 else None
    return node if isinstance(node, Operation) and isinstance(node.op, kind) else None


def only_used(region: Region, wire: Wire) -> int:
    """The number of the node that a wire comes from, where nothing else uses what leaves it."""
    uses = [w for node in region.nodes for w in _wires(node)]
    uses += [output.wire for output in region.outputs]
    return wire.node if sum([one.node == wire.node for one in uses]) == 1 else _NOWHERE


def _wires(node: Node) -> Iterator[Wire]:
    yield from node.inputs
    if isinstance(node, Repeat):
        for run in node.runs:
            yield from run.captures


def without_nodes(region: Region, gone: Collection[int]) -> Region:
    """The region without some nodes, which nothing uses."""
    kept = [number for number in range(len(region.nodes)) if number not in gone]
    numbers = {INPUTS: INPUTS, **{old: new for new, old in enumerate(kept)}}
    nodes = tuple([_moved(region.nodes[number], numbers) for number in kept])
    outputs = tuple([o.replace(wire=_wire(o.wire, numbers)) for o in region.outputs])
    return region.replace(nodes=nodes, outputs=outputs)


def _moved(node: Any, numbers: dict[int, int]) -> Node:
    inputs = tuple([_wire(wire, numbers) for wire in node.inputs])
    changed: Node = node.replace(inputs=inputs)
    if not isinstance(changed, Repeat):
        return changed
    captures = [tuple([_wire(w, numbers) for w in run.captures]) for run in changed.runs]
    pairs = zip(changed.runs, captures, strict=True)
    return changed.replace(runs=tuple([run.replace(captures=c) for run, c in pairs]))


def _wire(wire: Wire, numbers: dict[int, int]) -> Wire:
    return wire.replace(node=numbers[wire.node])
