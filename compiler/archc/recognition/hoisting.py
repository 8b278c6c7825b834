"""Hoisting: what a step of a cell computes without its memory is computed for all steps at once.

One large product takes the place of many small ones. Layers of the input alone run on the whole
sequence before the loop, what depends on nothing that runs in time is computed once, and the loop
keeps what needs the state. Figures and the state_dict stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.graph import INPUTS, Node, Operation, Port, Region, Scan, Wire
from archc.op import OpError
from archc.recognition.notes import Note
from archc.recognition.products import split_products, waiting
from archc.recognition.rewriting import rewired, wire_shape
from archc.shapes import Shape

__all__ = ["hoist"]

_HEAVY = frozenset({"convolution", "linear", "embedding"})
_LIGHT = frozenset({"activation", "elementwise", "join", "pooling", "shape", "regularisation"})
# On a whole sequence these would look at several steps together.
_ALONE = frozenset({"FLATTEN", "RESHAPE", "TRANSPOSE", "MEAN", "MAX", "SHUFFLE", "REVERSE"})


def hoist(region: Region) -> tuple[Region, tuple[Note, ...]]:
    """Take out of the scans of a region what does not need their memory."""
    position = 0
    while position < len(region.nodes):
        node = region.nodes[position]
        if isinstance(node, Scan):
            split = split_products(node)
            nodes = (*region.nodes[:position], split, *region.nodes[position + 1 :])
            moving = _Moving(region.replace(nodes=nodes), position, split)
            if moving.pays:
                region = moving.done()
                position += len(moving.moved)
        position += 1
    return region, ()


class _Moving:
    """One scan whose step gives nodes to the cell around it."""

    def __init__(self, region: Region, position: int, scan: Scan) -> None:
        self.region, self.position, self.scan = region, position, scan
        self.step = scan.region
        self.sequences: dict[int, tuple[Shape, ...]] = {}  # what moved nodes make of all steps
        self.moved: list[int] = []
        self.once: set[int] = set()
        late = waiting(self.step)
        if self._is_plain():
            for number, node in enumerate(self.step.nodes):
                if number not in late:
                    self._try(number, node)

    @property
    def pays(self) -> bool:
        """Whether there is a layer with weights among what moves."""
        nodes = [self.step.nodes[number] for number in self.moved]
        return any(not isinstance(n, Operation) or n.op.family in _HEAVY for n in nodes)

    # --- what may move ---

    def _is_plain(self) -> bool:
        sequences = [wire_shape(self.region, w) for w in self.scan.inputs[: self.scan.timed]]
        return all(shape.axes[0].role == "steps" for shape in sequences) and bool(sequences)

    def _try(self, number: int, node: Node) -> None:
        fed = all(wire.node == INPUTS or wire.node in self.moved for wire in node.inputs)
        if not fed or (not isinstance(node, Operation) and node.lends):
            return
        if all(self._is_once(wire) for wire in node.inputs):
            self.once.add(number)
            self.moved.append(number)
        elif isinstance(node, Operation) and self._works_on_sequences(node):
            self.moved.append(number)
            self.sequences[number] = tuple([self._over_time(shape) for shape in node.outputs])

    def _is_once(self, wire: Wire) -> bool:
        if wire.node == INPUTS:
            return wire.port >= self.scan.timed
        return wire.node in self.once

    def _works_on_sequences(self, node: Operation) -> bool:
        op = node.op
        known = op.family in _HEAVY | _LIGHT or op.name in ("LN", "RMSNORM")
        if not known or op.name in _ALONE or node.shared is not None:
            return False
        arriving = [self._arriving(wire) for wire in node.inputs]
        counts = [s for s in arriving if s.rank == 0 and s.vocabulary is not None]
        if counts or any(shape.padded for shape in node.outputs):
            return False  # what reads lengths itself stays in the step
        try:
            made = op.infer(*[shape.whole() for shape in arriving])
        except OpError:
            return False
        shapes = made if isinstance(made, tuple) else (made,)
        return shapes == tuple([self._over_time(shape).whole() for shape in node.outputs])

    def _arriving(self, wire: Wire) -> Shape:
        """What flows into a node when it works on all steps."""
        if wire.node in self.sequences:
            return self.sequences[wire.node][wire.port]
        if wire.node != INPUTS:
            return self.step.nodes[wire.node].outputs[wire.port]
        return wire_shape(self.region, self._outside(wire))

    def _outside(self, wire: Wire) -> Wire:
        """The stream of the cell that feeds an input of the step."""
        starts = 0 if wire.port < self.scan.timed else self.scan.starts
        return self.scan.inputs[wire.port + starts]

    def _over_time(self, shape: Shape) -> Shape:
        steps = wire_shape(self.region, self.scan.inputs[0]).axes[0]
        return shape.replace(axes=(steps, *shape.axes))

    # --- moving ---

    def done(self) -> Region:
        """The cell with the nodes in front of the scan."""
        first = self.position
        places = {number: first + place for place, number in enumerate(self.moved)}

        def outside(wire: Wire) -> Wire:
            if wire.node == INPUTS:
                return self._outside(wire)
            return Wire(places[wire.node], wire.port)

        nodes = [
            rewired(self._there(number), outside) for number in self.moved
        ]  # wires of the cell's own nodes in front of the scan keep their numbers
        shift = len(self.moved)

        def later(wire: Wire) -> Wire:
            return wire.replace(node=wire.node + shift) if wire.node >= first else wire

        before = self.region.nodes[:first]
        behind = [rewired(node, later) for node in self.region.nodes[first + 1 :]]
        leaving = tuple([o.replace(wire=later(o.wire)) for o in self.region.outputs])
        scan = self._rest(outside)
        return self.region.replace(nodes=(*before, *nodes, scan, *behind), outputs=leaving)

    def _there(self, number: int) -> Any:
        node = self.step.nodes[number]
        return node.replace(outputs=self.sequences.get(number, node.outputs))

    def _rest(self, outside: Callable[[Wire], Wire]) -> Scan:
        """The scan with a step of what stays."""
        stays = [n for n in range(len(self.step.nodes)) if n not in self.moved]
        numbers = {old: new for new, old in enumerate(stays)}
        used = [wire.replace(delay=0) for n in stays for wire in self.step.nodes[n].inputs]
        used += [output.wire for output in self.step.outputs]
        used += [state.wire for state in self.scan.states]
        used += [] if self._counts is None else [self._counts]
        entering = list(
            dict.fromkeys([w for w in used if w.node == INPUTS or w.node in self.moved])
        )
        timed = [wire for wire in entering if not self._is_once(wire)]
        whole = [wire for wire in entering if self._is_once(wire)]
        timed = timed or [Wire(INPUTS, 0)]
        ports = {wire: place for place, wire in enumerate([*timed, *whole])}

        def inside(wire: Wire) -> Wire:
            plain = wire.replace(delay=0)
            if plain in ports:
                return Wire(INPUTS, ports[plain], wire.delay)
            return wire.replace(node=numbers[wire.node])

        step = self.step.replace(
            inputs=tuple([self._port(wire) for wire in ports]),
            captured=len(whole),
            nodes=tuple([rewired(self.step.nodes[n], inside) for n in stays]),
            outputs=tuple([o.replace(wire=inside(o.wire)) for o in self.step.outputs]),
        )
        first, last = self.scan.timed, self.scan.timed + self.scan.starts
        starts = self.scan.inputs[first:last]
        wires = (*[outside(w) for w in timed], *starts, *[outside(w) for w in whole])
        shift = len(timed) - first
        states = tuple(
            [
                state.replace(
                    wire=inside(state.wire),
                    initial=None if state.initial is None else state.initial + shift,
                )
                for state in self.scan.states
            ]
        )
        counted = None if self._counts is None else ports[self._counts] + len(starts)
        return self.scan.replace(
            inputs=wires, region=step, timed=len(timed), states=states, counted=counted
        )

    @property
    def _counts(self) -> Wire | None:
        """The input of the step that holds the lengths of padded sequences."""
        counted = self.scan.counted
        return None if counted is None else Wire(INPUTS, counted - self.scan.starts)

    def _port(self, wire: Wire) -> Port:
        if wire.node == INPUTS:
            return self.step.inputs[wire.port]
        node = self.step.nodes[wire.node]
        return Port(node.label or f"{node.name or 'part'}_{wire.port}", node.outputs[wire.port])
