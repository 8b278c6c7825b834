"""The copies of repeats: which are alike, and how one is made and called."""

from __future__ import annotations

from typing import Any

from archc.emit.align import Mismatch, Signatures, captures_of, unify
from archc.emit.copies import CopiesScope, Entry
from archc.emit.forms import only_node
from archc.emit.making import Making, first_of
from archc.emit.slots import Scope
from archc.emit.steps import Construct, Copies, Segment
from archc.emit.vectors import ANY, Values
from archc.graph import Call, Region, Repeat, Run

__all__ = ["Repeating"]


class Repeating:
    """Makes the copies of the repeats of one class.

    Args:
        making: how its modules are made.
    """

    def __init__(self, making: Making) -> None:
        self.making = making
        self.unit, self.forms, self.class_of = making.unit, making.forms, making.class_of

    def copies(
        self, nodes: list[Any], scope: Scope, name: str, captures: tuple[Any, ...]
    ) -> Copies:
        """How the copies of a repeat are made and called."""
        runs = [() if n is None else tuple([r for r in n.runs if r.count]) for n in nodes]
        totals = tuple([ANY if n is None else n.count for n in nodes])
        lends = dict(first_of(nodes).lends)
        if self._mixed(runs):
            return Copies(tuple(self._segments(runs, scope, name, lends, captures)))
        entries, flat = [], []
        for parent, some in enumerate(runs):
            start = 0
            for run in some:
                entries.append(Entry(parent, start, run.count))
                flat.append(run)
                start += run.count
        known = _mentioned([run.region for run in flat])
        inner = CopiesScope(
            self.unit.scope, scope, entries, totals, name, known, self.unit.reserved
        )
        segment = self.segment(flat, inner, name, lends, captures)
        return Copies((segment.replace(scope=inner),))

    def _mixed(self, runs: list[tuple[Run, ...]]) -> bool:
        signatures = Signatures(self.forms, self.class_of)
        known: Any = {}
        try:
            for run in [run for some in runs for run in some]:
                known = unify(known, {"body": signatures.body(run.region)})
        except Mismatch:
            return True
        return False

    def _segments(
        self,
        runs: list[tuple[Run, ...]],
        scope: Scope,
        name: str,
        lends: dict[str, str],
        captures: tuple[Any, ...],
    ) -> list[Segment]:
        segments, start = [], 0
        longest = max(runs, key=len)
        for i, run in enumerate(longest):
            flat = [some[i] if some else None for some in runs]
            taken = captures[: len(run.captures)]
            parts = tuple(
                [c[start : start + run.count] if isinstance(c, list) else c for c in taken]
            )
            segments.append(self.segment(flat, scope, name, lends, parts))
            start += run.count
        return segments

    def segment(
        self,
        runs: list[Any],
        scope: Scope,
        name: str,
        lends: dict[str, str],
        captures: tuple[Any, ...],
    ) -> Segment:
        """Runs of one kind, one for each entry of the scope."""
        regions = [None if run is None else run.region for run in runs]
        region = first_of(regions)
        count, ports = first_of(runs).count, tuple(range(len(region.inputs)))
        node = only_node(region, self.forms)
        if node is None:
            unit = self.class_of[region]
            results = tuple(range(len(region.outputs)))
            if unit.vanishes and len(ports) == len(results) == 1:
                made: Any = Construct("nn.Identity", ())
                return Segment(made, None, count, "{module}({0})", {}, ports, 1, results, captures)
            call, filling = self.making.calling(unit, regions, lends, len(ports), scope)
            made = self.making.instance(regions, scope)
            return Segment(made, None, count, call, filling, ports, len(results), results, captures)
        nodes = [None if r is None else r.nodes[0] for r in regions]
        wired = tuple([wire.port for wire in node.inputs])
        results = tuple([~o.wire.port if o.wire.node < 0 else o.wire.port for o in region.outputs])
        if isinstance(node, Repeat):
            below = tuple([_port_capture(c) for c in captures_of(region, node)])
            made = self.copies(nodes, scope, node.name or name, below)
            call = "{module}({0})"
            return Segment(made, None, count, call, {}, wired, len(node.outputs), results, captures)
        op = None
        if isinstance(node, Call):
            inner = [None if n is None else n.region for n in nodes]
            unit = self.class_of[node.region]
            lent = {inside: lends.get(here, here) for inside, here in node.lends}
            call, filling = self.making.calling(unit, inner, lent, len(wired), scope)
            made = self.making.instance(inner, scope)
        else:
            op = node.op
            forms = self.making.forms_of(nodes, regions)
            filling = self.making.placeholders(node.op, forms, scope, "")
            made, call = self.making.construct(forms, scope, name), first_of(forms).call
        return Segment(
            made, None, count, call, filling, wired, len(node.outputs), results, captures, op
        )


def _mentioned(regions: list[Region]) -> list[tuple[str, Values]]:
    """The values that copies mention, by name, one for each copy."""
    arguments = [dict(region.arguments) for region in regions]
    names = dict.fromkeys([name for given in arguments for name in given])
    return [(name, tuple([given.get(name, ANY) for given in arguments])) for name in names]


def _port_capture(pattern: Any) -> tuple[str, list[int]]:
    """What the copies of a repeat inside a copy capture: ports of the copy."""
    kind, *rest = pattern
    wires = [rest[0]] if kind == "one" else list(rest[0])
    return "ports", [wire[1] for wire in wires]
