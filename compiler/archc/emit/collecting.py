"""Which regions of a net need a class, and in which order the classes are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archc.emit.align import Mismatch
from archc.emit.forms import Forms, only_node
from archc.emit.names import singular
from archc.graph import INPUTS, Call, Choice, Node, Operation, Region, Repeat, Scan, Wire

__all__ = ["Collected", "collect", "regions_below"]


class Collected:
    """Regions by what makes them one class, each group after those that it uses."""

    def __init__(self, forms: Forms, *, by_height: bool = False) -> None:
        self.forms = forms
        self.by_height = by_height
        self._heights: dict[Region, int] = {}
        self.groups: dict[Any, list[Region]] = {}
        self.names: dict[Any, str] = {}
        self.labels: dict[Any, dict[int, str]] = {}
        self.below: dict[Any, dict[Any, None]] = {}
        self._seen: set[Region] = set()

    def add(self, region: Region, name: str) -> Any:
        """Take in a region that needs a class, and all below it."""
        key = self._key(region)
        if region in self._seen:
            return key
        self._seen.add(region)
        self.groups.setdefault(key, []).append(region)
        self.names.setdefault(key, name)
        below = self.below.setdefault(key, {})
        for shared in region.shares:
            if isinstance(shared.what, Region):
                below[self.add(shared.what, shared.what.name)] = None
        for node in region.nodes:
            below.update(dict.fromkeys(self._inside(region, node, node.name)))
        return key

    def _key(self, region: Region) -> Any:
        return _key(region), self.height(region) if self.by_height else 0

    def height(self, region: Region) -> int:
        """How many regions are nested in it at most."""
        known = self._heights.get(region)
        if known is None:
            below = [self.height(inner) for inner in regions_inside(region)]
            known = self._heights[region] = 1 + max(below, default=0)
        return known

    def _inside(self, region: Region, node: Node, name: str) -> list[Any]:
        if isinstance(node, Call):
            self._label(region, node.region, node.inputs)
            return [self.add(node.region, node.region.name)]
        if isinstance(node, (Choice, Scan)):
            inner = node.region
            return [key for n in inner.nodes for key in self._inside(inner, n, n.name)]
        if not isinstance(node, Repeat):
            return []
        keys = []
        for run in node.runs:
            only = only_node(run.region, self.forms)
            if only is None:
                self._label(region, run.region, (*node.inputs, *run.captures))
                keys.append(self.add(run.region, run.region.name or _group_name(name)))
            else:
                keys += self._inside(run.region, only, only.name or name)
        return keys

    def _label(self, outer: Region, inner: Region, wires: tuple[Wire, ...]) -> None:
        """Captured streams are called as the file does inside, or else as they are outside."""
        labels = self.labels.setdefault(self._key(inner), {})
        known = self.labels.get(self._key(outer), {})
        for port in range(len(inner.inputs) - inner.captured, min(len(inner.inputs), len(wires))):
            wire = wires[port]
            label = inner.inputs[port].name or stream_name(outer, wire)
            if label is None and wire.node == INPUTS:
                label = known.get(wire.port)
            labels.setdefault(port, label or _source_name(outer, wire))

    def ordered(self) -> list[Any]:
        """The keys, each behind those that it uses.

        Raises:
            Mismatch: when two use each other.
        """
        done: dict[Any, bool] = {}
        order: list[Any] = []

        def visit(key: Any) -> None:
            if key in done:
                if not done[key]:
                    raise Mismatch
                return
            done[key] = False
            for other in self.below[key]:
                visit(other)
            done[key] = True
            order.append(key)

        for key in self.groups:
            visit(key)
        return order


def regions_below(root: Region) -> Iterator[Region]:
    """All regions of a net, each once."""
    seen: set[Region] = {root}
    stack = [root]
    while stack:
        region = stack.pop()
        yield region
        for inner in regions_inside(region):
            if inner not in seen:
                seen.add(inner)
                stack.append(inner)


def _key(region: Region) -> Any:
    span = getattr(region.origin, "span", None)
    origin = (id(region.origin),) if span is None else (span.source.name, span.start, span.end)
    return region.kind, origin, region.variant, region.name


def stream_name(region: Region, wire: Wire) -> str | None:
    """What the file calls a stream, or None."""
    if wire.node == INPUTS:
        return region.inputs[wire.port].name or None
    node = region.nodes[wire.node]
    if isinstance(node, Repeat) and wire.port >= len(node.inputs):
        return node.collected[(wire.port - len(node.inputs)) // node.count]
    return node.label


def _source_name(region: Region, wire: Wire) -> str:
    """What a stream without a name is: `gru` for what a GRU makes."""
    node = None if wire.node == INPUTS else region.nodes[wire.node]
    name = getattr(node, "name", "") or (node.op.name if isinstance(node, Operation) else "")
    return name.lower().rstrip("_0123456789") or "outer"


def _group_name(name: str) -> str:
    words = [word for word in singular(name.rstrip("_0123456789")).split("_") if word]
    return "".join([word[0].upper() + word[1:] for word in words]) or "Group"


def collect(roots: list[Region], name: str, forms: Forms) -> tuple[Collected, list[Any]]:
    """All classes below some nets, and their keys, each behind those that it uses."""
    collected = Collected(forms)
    for root in roots:
        collected.add(root, name)
    try:
        return collected, collected.ordered()
    except Mismatch:
        # A block inside itself, as an argument of itself: one class for each depth.
        collected = Collected(forms, by_height=True)
        for root in roots:
            collected.add(root, name)
        return collected, collected.ordered()


def regions_inside(region: Region) -> list[Region]:
    """The regions that a region uses directly."""
    found = [shared.what for shared in region.shares if isinstance(shared.what, Region)]
    for node in region.nodes:
        if isinstance(node, Repeat):
            found += [run.region for run in node.runs]
        elif isinstance(node, (Call, Choice, Scan)):
            found.append(node.region)
    return found
