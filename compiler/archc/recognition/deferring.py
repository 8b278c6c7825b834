"""Deferring: what leaves a cell and is not remembered is computed behind the loop, for all steps.

`y = h[t] -> FC(n) -> SOFTMAX` takes no part in the recurrence: the loop hands out h, and one large
product behind it takes the place of one for each step. Before anything else is recognised, since a
cell with such an output may be one that a fused kernel computes but for that.
"""

from __future__ import annotations

from collections.abc import Collection

from archc.cost import regions_of
from archc.graph import INPUTS, Node, Operation, Region, RegionOutput, Scan, Wire, wires_of
from archc.recognition.notes import Note
from archc.recognition.over_time import HEAVY, Flow, lifted, over_time
from archc.recognition.products import waiting
from archc.recognition.rewriting import (
    rewired,
    rewired_region,
    wire_shape,
    without_unused,
)

__all__ = ["defer"]

_RANDOM = ("DROPOUT", "NOISE")


def defer(region: Region) -> tuple[Region, tuple[Note, ...]]:
    """Take out of the scans of a region what only their outputs need."""
    notes: list[Note] = []
    for position in reversed(range(len(region.nodes))):
        node = region.nodes[position]
        if not isinstance(node, Scan):
            continue
        late = _Late(region, node)
        if late.pays:
            notes.append(late.note)
            region = _Moving(region, position, late).done()
    return region, tuple(notes)


class _Late:
    """Which nodes of a step may wait for the end of the loop.

    Attributes:
        nodes: each that could by itself, as it is behind the loop.
        numbers: of those that do, in order.
        leaving: the streams of the step that leave the loop then.
    """

    def __init__(self, region: Region, scan: Scan) -> None:
        self.region, self.scan, self.step = region, scan, scan.region
        self.once, self.waiting = self._once(), waiting(self.step)
        plain = all(s.axes[0].role == "steps" for s in scan.outputs[: len(self.step.outputs)])
        made = {n: self._lifted(n) for n in range(len(self.step.nodes)) if plain}
        self.nodes = {n: node for n, node in made.items() if node is not None}
        self.numbers = sorted(self._narrowed(self._closed(set(self.nodes))))
        kept = self._kept(self.numbers)
        self.leaving = tuple(dict.fromkeys([*kept, *self._needs(self.numbers)]))

    @property
    def pays(self) -> bool:
        """Whether there is a layer with weights among them, or no more leaves the loop."""
        nodes = [self.step.nodes[number] for number in self.numbers]
        heavy = any(not isinstance(n, Operation) or n.op.family in HEAVY for n in nodes)
        made = [wire for wire in self.leaving if wire.node in self.waiting]
        fewer = len(made) <= len({output.wire for output in self.step.outputs})
        return bool(nodes and self.leaving) and (heavy or fewer)

    @property
    def note(self) -> Note:
        """What is said of them."""
        fact = "computes what leaves it behind its loop, for all steps at once"
        drawn = [name for n in self.numbers for name in _drawing(self.step.nodes[n])]
        if drawn:
            fact += f"; {drawn[0]} draws other numbers there"
        return Note(self.region.name or "a cell", fact, self.region.span)

    # --- which ---

    def _once(self) -> set[int]:
        """The nodes that make the same at every step."""
        first, found = self.scan.timed, set[int]()
        for number, node in enumerate(self.step.nodes):
            wires = list(wires_of(node))
            if all(w.node in found or (w.node == INPUTS and w.port >= first) for w in wires):
                found.add(number)
        return found

    def _lifted(self, number: int) -> Node | None:
        """A node as it is behind the loop, if it could stand there by itself."""
        node = self.step.nodes[number]
        wires = list(wires_of(node))
        if any(wire.delay for wire in wires):
            return None
        if number in self.once:
            return node if isinstance(node, Operation) and node.shared is None else None
        flows = [Flow(wire_shape(self.step, wire), self._is_whole(wire)) for wire in wires]
        return lifted(node, flows, self.scan.outputs[0].axes[0])

    def _is_whole(self, wire: Wire) -> bool:
        if wire.node == INPUTS:
            return wire.port >= self.scan.timed
        return wire.node in self.once

    def _closed(self, found: set[int]) -> set[int]:
        """Those that only outputs need, and that need nothing made once in the loop."""
        held = {state.wire.node for state in self.scan.states}
        leaving = {output.wire.node for output in self.step.outputs}
        while True:
            stays = [n for n in range(len(self.step.nodes)) if n not in found]
            used = held | self._used_by(stays)
            wanted = leaving | self._used_by(found)
            gone = {n for n in found if n in used or n not in wanted or self._misses(n, found)}
            if not gone:
                return found
            found = found - gone

    def _used_by(self, numbers: Collection[int]) -> set[int]:
        return {wire.node for n in numbers for wire in wires_of(self.step.nodes[n])}

    def _misses(self, number: int, found: set[int]) -> bool:
        wires = wires_of(self.step.nodes[number])
        return any(wire.node in self.once and wire.node not in found for wire in wires)

    def _narrowed(self, found: set[int]) -> set[int]:
        """Without those that would have several streams leave the loop for one of theirs."""
        for number in sorted(found):
            node = self.step.nodes[number]
            rest = [n for n in found if n != number]
            others = {*self._needs(rest), *self._kept(found)}
            # What waits for nothing is taken out in front of the loop, and known for all steps.
            alone = {w for w in wires_of(node) if w.node in self.waiting and w not in others}
            first = all(wire.node not in found for wire in wires_of(node))
            light = isinstance(node, Operation) and node.op.family not in HEAVY
            if first and light and len(alone) > 1:
                found = found - {number}
        return found

    def _kept(self, numbers: Collection[int]) -> list[Wire]:
        """What leaves the loop whatever is behind it."""
        return [o.wire for o in self.step.outputs if o.wire.node not in numbers]

    def _needs(self, numbers: Collection[int]) -> list[Wire]:
        """What of the loop some nodes need, each once."""
        wires = [wire for number in numbers for wire in wires_of(self.step.nodes[number])]
        return [w for w in dict.fromkeys(wires) if w.node != INPUTS and w.node not in numbers]


def _drawing(node: Node) -> list[str]:
    """The names of the operators in a node that draw random numbers in training."""
    if isinstance(node, Operation):
        return [node.op.name] if node.op.name in _RANDOM else []
    return [name for r in regions_of(node) for inner in r.nodes for name in _drawing(inner)]


class _Moving:
    """Moves those nodes behind the scan."""

    def __init__(self, region: Region, position: int, late: _Late) -> None:
        self.region, self.position, self.late = region, position, late
        self.scan, self.step = late.scan, late.step
        self.places = {n: position + 1 + i for i, n in enumerate(late.numbers)}

    def done(self) -> Region:
        """The cell with the nodes behind the scan."""
        moved = rewired_region(self.region, self.region.nodes, self._later)
        nodes = [rewired(self.late.nodes[n], self._outside) for n in self.late.numbers]
        before, behind = moved.nodes[: self.position], moved.nodes[self.position + 1 :]
        return moved.replace(nodes=(*before, self._rest(), *nodes, *behind))

    def _outside(self, wire: Wire) -> Wire:
        """A stream of the step as one of the cell."""
        if wire.node in self.places:
            return Wire(self.places[wire.node], wire.port)
        if wire.node != INPUTS:
            return Wire(self.position, self.late.leaving.index(wire))
        return self.scan.inputs[wire.port + (self.scan.starts if self._is_whole(wire) else 0)]

    def _is_whole(self, wire: Wire) -> bool:
        return wire.port >= self.scan.timed

    def _later(self, wire: Wire) -> Wire:
        """A wire of the cell with the new numbers."""
        if wire.node > self.position:
            return wire.replace(node=wire.node + len(self.places))
        if wire.node != self.position:
            return wire
        count = len(self.step.outputs)
        if wire.port < count:
            return self._outside(self.step.outputs[wire.port].wire)
        return wire.replace(port=wire.port - count + len(self.late.leaving))

    def _rest(self) -> Scan:
        """The scan with what stays in its step."""
        stays = [n for n in range(len(self.step.nodes)) if n not in self.places]
        numbers = {INPUTS: INPUTS, **{old: new for new, old in enumerate(stays)}}

        def inside(wire: Wire) -> Wire:
            return wire.replace(node=numbers[wire.node])

        nodes = tuple([rewired(self.step.nodes[n], inside) for n in stays])
        steps = self.scan.outputs[0].axes[0]
        shapes = [wire_shape(self.step, wire) for wire in self.late.leaving]
        outputs = tuple(
            [
                RegionOutput(self._name(wire), inside(wire), shape)
                for wire, shape in zip(self.late.leaving, shapes, strict=True)
            ]
        )
        states = tuple([s.replace(wire=inside(s.wire)) for s in self.scan.states])
        last = self.scan.outputs[len(self.step.outputs) :]
        scan = self.scan.replace(
            region=self.step.replace(nodes=nodes, outputs=outputs),
            states=states,
            outputs=(*[over_time(shape, steps) for shape in shapes], *last),
        )
        return without_unused(scan)

    def _name(self, wire: Wire) -> str:
        named = [output.name for output in self.step.outputs if output.wire == wire]
        named += [state.name for state in self.scan.states if state.wire == wire]
        return named[0] if named else "made"
