"""What a picture must know of a region: which copies look alike, what is there in training only,
which operators stand in one box."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

from archc.graph import INPUTS, Call, Choice, Node, Operation, Region, Repeat, Scan, Wire, wires_of
from archc.shapes import Shape

__all__ = ["Items", "Looks", "by_name", "shape_of", "stacks", "training_only"]

T = TypeVar("T")

# Small operators that share a box with what feeds them.
_FOLLOWERS = frozenset({"normalisation", "activation", "regularisation"})
_NO_BOX = frozenset({"input", "join"})
_WIDEST = 4


class Looks:
    """Tells which regions look alike: equal operators and blocks wired alike, whatever the sizes.

    Args:
        exact: arguments must be equal too, so that only shapes may differ.
    """

    def __init__(self, *, exact: bool) -> None:
        self._exact = exact
        self._known: dict[Region, int] = {}
        self._numbers: dict[object, int] = {}

    def of(self, region: Region) -> int:
        """A number that regions share exactly when they look alike."""
        found = self._known.get(region)
        if found is not None:
            return found
        outputs = tuple((output.wire, output.training) for output in region.outputs)
        nodes = tuple(self._node(node) for node in region.nodes)
        # A group's arguments are the variables of its loop: what they change shows inside.
        named = self._exact and region.kind != "group"
        arguments = repr(region.arguments) if named else None
        key = (region.name, len(region.inputs), nodes, outputs, arguments)
        number = self._numbers.setdefault(key, len(self._numbers))
        self._known[region] = number
        return number

    def _node(self, node: Node) -> object:
        match node:
            case Operation():
                what: object = repr(node.op) if self._exact else node.op.name
                return (what, node.inputs, node.shared is not None)
            case Call():
                return ("call", self.of(node.region), node.inputs, node.shared is not None)
            case Repeat():
                looks = [self.of(run.region) for run in node.runs]
                changes = tuple([look for look, _ in groupby(looks)])
                counts = tuple([run.count for run in node.runs]) if self._exact else None
                return ("repeat", changes, counts, node.inputs, len(node.collected))
            case Choice():
                return ("choice", self.of(node.region), node.inputs)
            case Scan():
                return ("scan", self.of(node.region), node.inputs, node.timed, node.states)


def shape_of(region: Region, wire: Wire) -> Shape:
    """The shape that flows through a wire of a region."""
    if wire.node == INPUTS:
        return region.inputs[wire.port].shape
    return region.nodes[wire.node].outputs[wire.port]


def training_only(region: Region) -> frozenset[int]:
    """The numbers of the nodes that serve training outputs alone."""
    always = _behind(region, training=False)
    return frozenset(_behind(region, training=True) - always)


def _behind(region: Region, *, training: bool) -> set[int]:
    waiting = [o.wire.node for o in region.outputs if o.training == training]
    found: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number != INPUTS and number not in found:
            found.add(number)
            waiting.extend(wire.node for wire in wires_of(region.nodes[number]))
    return found


def by_name(gathered: Sequence[T], names: Sequence[str]) -> list[list[T]]:
    """What one copy of a repeat lets out under each of the collected names: mostly one stream, and
    several where a name stands for the bundle of an inner repeat."""
    if len(names) == 1:
        return [list(gathered)]
    return [[stream] for stream in gathered]


def stacks(region: Region) -> dict[int, tuple[int, ...]]:
    """Chains of operators that are drawn as one box, by the number of their first node.

    A box begins with any operator and takes the normalisation, activation and regularisation behind
    it; in the orders of pre-activation (BN, RELU, CONV and RELU, CONV, BN) it takes the convolution
    too.
    """
    users: dict[int, int] = {}
    for wire in _wires(region):
        users[wire.node] = users.get(wire.node, 0) + 1
    found: dict[int, tuple[int, ...]] = {}
    head_of: dict[int, int] = {}
    for number, node in enumerate(region.nodes):
        if not _boxed(node):
            continue
        head = head_of.get(node.inputs[0].node) if len(node.inputs) == 1 else None
        alone = head is not None and users[node.inputs[0].node] == 1 and not node.inputs[0].delay
        if head is not None and alone and _joins(region, found[head], number):
            found[head] = (*found[head], number)
            head_of[number] = head
        else:
            found[number] = (number,)
            head_of[number] = number
    return found


class Items:
    """Counts the items that regions are drawn as, each region once.

    Args:
        looks: says which copies of a repeat are drawn together.
    """

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._known: dict[Region, int] = {}

    def of(self, region: Region) -> int:
        """0 for the identity, 1 for what needs no frame around, more for what does."""
        if region not in self._known:
            heads = stacks(region)
            nodes = enumerate(region.nodes)
            self._known[region] = sum(self._node(node, number in heads) for number, node in nodes)
        return self._known[region]

    def _node(self, node: Node, heads_box: bool) -> int:
        match node:
            case Operation():
                return int(heads_box or not _boxed(node))
            case Call():
                return min(self.of(node.region), 1)
            case Choice():
                return self.of(node.region)
            case Scan():
                return self.of(node.region) + 1
            case Repeat():
                inside = max((self.of(run.region) for run in node.runs), default=0)
                together = groupby(self._looks.of(run.region) for run in node.runs)
                drawings = sum(1 for _ in together)
                return min(inside, 1) if drawings == 1 else inside * drawings


def _wires(region: Region) -> list[Wire]:
    wires = [wire for node in region.nodes for wire in wires_of(node)]
    return wires + [output.wire for output in region.outputs]


def _boxed(node: Node) -> bool:
    return isinstance(node, Operation) and node.op.family not in _NO_BOX


def _joins(region: Region, stack: tuple[int, ...], number: int) -> bool:
    families = [_family(region, member) for member in stack]
    own = _family(region, number)
    if len(stack) >= _WIDEST or len(region.nodes[stack[-1]].outputs) > 1:
        return False
    opened = families[0] in _FOLLOWERS and families[-1] not in _FOLLOWERS
    if own in _FOLLOWERS:
        return not opened or (families[0], own) == ("activation", "normalisation")
    if own not in ("convolution", "linear") or families[-1] != "activation":
        return False
    return families == ["normalisation", "activation"] or _begins(region, stack[0], families)


def _begins(region: Region, head: int, families: list[str]) -> bool:
    """Whether a lone activation opens what follows, rather than closing a join before it."""
    before = region.nodes[head].inputs[0].node
    return families == ["activation"] and (before == INPUTS or _family(region, before) != "join")


def _family(region: Region, number: int) -> str:
    node = region.nodes[number]
    return node.op.family if isinstance(node, Operation) else ""
