"""How long the generated forward holds a stream: to the end of the statement that uses it last.

`x = F.relu(self.bn(self.conv(x)))` is one statement: its temporaries are gone with the call that
takes them, but what `x` was before lives until the whole of it is done. Where statements end
follows the rules by which forward is written (`archc/emit/forward.py`): a layer with weights to
multiply begins a line of its own, and at most three layers stand in one another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archc.cost import TRANSPARENT
from archc.graph import Call, Node, Operation, Region, Repeat, Wire
from archc.liveness import Demand

__all__ = ["last_uses"]

_DEEPEST = 3
_HEAVY = frozenset({"convolution", "linear", "embedding", "recurrent", "attention", "user"})

_Place = tuple[int, int]


def last_uses(region: Region, ports: Sequence[Demand]) -> dict[_Place, int]:
    """For each stream, the number of the node behind which it is freed.

    Args:
        region: the region.
        ports: for each node, which of its outputs are wanted.

    Returns:
        By the number of a node and of its output; what leaves the region outlives all nodes.
    """
    nodes = [number for number, demand in enumerate(ports) if any(demand)]
    leaving = [output.wire for output in region.outputs if not output.training]
    uses = Counter([_place(w) for n in nodes for w in _taken(region.nodes[n])])
    uses.update([_place(wire) for wire in leaving])
    inlined = _inlined(region, nodes, uses)
    found: dict[_Place, int] = {}
    for number in nodes:
        end = number
        while (end, 0) in inlined:
            end = inlined[end, 0]
        for wire in _taken(region.nodes[number]):
            last = number if _place(wire) in inlined else end
            found[_place(wire)] = max(last, found.get(_place(wire), 0))
    later = [w for n in nodes for w in _taken(region.nodes[n]) if w.delay]
    found.update({_place(wire): len(region.nodes) for wire in (*leaving, *later)})
    return found


def _inlined(region: Region, nodes: Sequence[int], uses: Counter[_Place]) -> dict[_Place, int]:
    """The streams that are written inside the expression of the node that takes them, with it."""
    depth: dict[_Place, int] = {}
    found: dict[_Place, int] = {}
    joined = _joined(region, nodes, uses)
    for number in nodes:
        node = region.nodes[number]
        below = 0
        for wire in _taken(node):
            place = _place(wire)
            nested = depth.get(place, 0)
            heavy = _is_heavy(node) and (number, 0) not in joined
            if nested and not heavy and nested < _DEEPEST + _is_join(node):
                below = max(below, nested)
                found[place] = number
        # The label of a module is its attribute, that of an expression a local.
        nests = isinstance(node, Operation | Call) and (node.label is None or bool(node.name))
        if nests and uses[number, 0] == 1:
            depth[number, 0] = max(1, below + (not _is_sum(node)))
    return found


def _joined(region: Region, nodes: Sequence[int], uses: Counter[_Place]) -> set[_Place]:
    """The streams that flow through nothing but single layers into a concatenation of several:
    they are written as its operands."""
    found: set[_Place] = set()
    for number in reversed(nodes):
        node = region.nodes[number]
        joins = _is_join(node) and len(node.inputs) > 2
        if joins or ((number, 0) in found and len(node.inputs) == 1):
            found.update([_place(wire) for wire in node.inputs if uses[_place(wire)] == 1])
    return found


def _place(wire: Wire) -> _Place:
    return wire.node, wire.port


def _taken(node: Node) -> tuple[Wire, ...]:
    """The streams that a node takes, those that the copies of a repeat capture among them."""
    if not isinstance(node, Repeat):
        return node.inputs
    return (*node.inputs, *[wire for run in node.runs for wire in run.captures])


def _is_heavy(node: Node) -> bool:
    return not isinstance(node, Operation) or node.op.family in _HEAVY


def _is_join(node: Node) -> bool:
    return isinstance(node, Operation) and node.op.name == "CONCAT"


def _is_sum(node: Node) -> bool:
    """Whether it is written as a sum or a product, which is no level of its own."""
    if not isinstance(node, Operation):
        return False
    return node.op.name in TRANSPARENT or (node.op.family == "join" and not _is_join(node))
