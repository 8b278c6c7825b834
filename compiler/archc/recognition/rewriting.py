"""Looking at the nodes of a region, and taking some of them out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from archc.graph import INPUTS, Node, Operation, Program, Region, Repeat, Scan, Wire, wires_of
from archc.op import Op
from archc.shapes import Shape

__all__ = [
    "is_used", "only_used", "operation_at", "rewired", "rewired_region", "rewritten", "wire_shape",
    "without_nodes", "without_unused",
]  # fmt: skip

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


def is_used(region: Region, number: int) -> bool:
    """Whether anything takes what leaves a node: what became a kernel stays, for its modules."""
    uses = [wire for node in region.nodes for wire in wires_of(node)]
    return any(w.node == number for w in (*uses, *[output.wire for output in region.outputs]))


def only_used(region: Region, wire: Wire) -> int:
    """The number of the node that a wire comes from, where nothing else uses what leaves it."""
    uses = [w for node in region.nodes for w in wires_of(node)]
    uses += [output.wire for output in region.outputs]
    return wire.node if sum([one.node == wire.node for one in uses]) == 1 else _NOWHERE


def without_nodes(region: Region, gone: Collection[int]) -> Region:
    """The region without some nodes, which nothing uses."""
    kept = [number for number in range(len(region.nodes)) if number not in gone]
    numbers = {INPUTS: INPUTS, **{old: new for new, old in enumerate(kept)}}
    nodes = tuple([region.nodes[number] for number in kept])
    return rewired_region(region, nodes, lambda wire: wire.replace(node=numbers[wire.node]))


def rewired_region(
    region: Region, nodes: tuple[Node, ...], wired: Callable[[Wire], Wire]
) -> Region:
    """The region with those nodes, every wire of theirs and of the outputs exchanged."""
    outputs = tuple([o.replace(wire=wired(o.wire)) for o in region.outputs])
    moved = tuple([rewired(node, wired) for node in nodes])
    return region.replace(nodes=moved, outputs=outputs)


def rewired(node: Any, wired: Callable[[Wire], Wire]) -> Node:
    """A node whose streams come from elsewhere."""
    changed: Node = node.replace(inputs=tuple([wired(wire) for wire in node.inputs]))
    if not isinstance(changed, Repeat):
        return changed
    captures = [tuple([wired(wire) for wire in run.captures]) for run in changed.runs]
    pairs = zip(changed.runs, captures, strict=True)
    return changed.replace(runs=tuple([run.replace(captures=c) for run, c in pairs]))


def without_unused(scan: Scan) -> Scan:
    """The scan with those inputs alone that its step or what it remembers uses."""
    step, first = scan.region, scan.timed
    wires = [wire for node in step.nodes for wire in wires_of(node)]
    wires += [output.wire for output in step.outputs] + [state.wire for state in scan.states]
    used = {wire.port for wire in wires if wire.node == INPUTS}
    if scan.counted is not None:
        used.add(scan.counted - scan.starts)
    timed = [port for port in range(first) if port in used] or [0]
    kept = [*timed, *[port for port in range(first, len(step.inputs)) if port in used]]
    places = {port: place for place, port in enumerate(kept)}

    def inside(wire: Wire) -> Wire:
        return wire.replace(port=places[wire.port]) if wire.node == INPUTS else wire

    gone = first - len(timed)
    states = [
        s.replace(wire=inside(s.wire), initial=None if s.initial is None else s.initial - gone)
        for s in scan.states
    ]
    starts = scan.inputs[first : first + scan.starts]
    whole = [scan.inputs[port + scan.starts] for port in kept[len(timed) :]]
    inner = rewired_region(step, step.nodes, inside)
    inner = inner.replace(
        inputs=tuple([step.inputs[port] for port in kept]), captured=len(kept) - len(timed)
    )
    counted = None
    if scan.counted is not None:
        counted = places[scan.counted - scan.starts] + scan.starts
    return scan.replace(
        inputs=(*[scan.inputs[port] for port in timed], *starts, *whole), region=inner,
        timed=len(timed), states=tuple(states), counted=counted,
    )  # fmt: skip


def rewritten(program: Program, rewrite: Callable[[Region], Region]) -> Program:
    """The program with each region rewritten, inner ones first; itself where nothing changes."""
    region = _Rewriting(rewrite).region(program.region)
    return program if region is program.region else program.replace(region=region)


class _Rewriting:
    """Rewrites each different region once, so that equal ones stay one object."""

    def __init__(self, rewrite: Callable[[Region], Region]) -> None:
        self._rewrite = rewrite
        self._known: dict[Region, Region] = {}

    def region(self, region: Region) -> Region:
        known = self._known.get(region)
        if known is None:
            known = self._rewritten(region)
            self._known[region] = known
        return known

    def _rewritten(self, region: Region) -> Region:
        nodes = tuple([self._node(node) for node in region.nodes])
        shares = tuple([self._shared(shared) for shared in region.shares])
        if any(new is not old for new, old in zip(nodes, region.nodes, strict=True)) or any(
            new is not old for new, old in zip(shares, region.shares, strict=True)
        ):
            region = region.replace(nodes=nodes, shares=shares)
        return self._rewrite(region)

    def _shared(self, shared: Any) -> Any:
        if not isinstance(shared.what, Region):
            return shared
        inside = self.region(shared.what)
        return shared if inside is shared.what else shared.replace(what=inside)

    def _node(self, node: Node) -> Node:
        # What a scan keeps from step to step refers to the nodes of its region by their numbers.
        if isinstance(node, Operation | Scan):
            return node
        if isinstance(node, Repeat):
            runs = [(run, self.region(run.region)) for run in node.runs]
            if all(region is run.region for run, region in runs):
                return node
            return node.replace(runs=tuple([run.replace(region=new) for run, new in runs]))
        inside = self.region(node.region)
        return node if inside is node.region else node.replace(region=inside)
