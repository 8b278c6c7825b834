"""Hoisting: what a step of a cell computes without its memory is computed for all steps at once.

One large product takes the place of many small ones. Layers of the input alone run on the whole
sequence before the loop, what depends on nothing that runs in time is computed once, and the loop
keeps what needs the state. Figures and the state_dict stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.graph import INPUTS, Node, Operation, Port, Region, Scan, Wire, wires_of
from archc.recognition.notes import Note
from archc.recognition.over_time import HEAVY, Flow, lifted
from archc.recognition.products import split_products, waiting
from archc.recognition.rewriting import (
    is_used,
    rewired,
    rewired_region,
    wire_shape,
    without_unused,
)
from archc.shapes import Axis

__all__ = ["hoist"]


def hoist(region: Region) -> tuple[Region, tuple[Note, ...]]:
    """Take out of the scans of a region what does not need their memory."""
    position = 0
    while position < len(region.nodes):
        node = region.nodes[position]
        if isinstance(node, Scan) and is_used(region, position):
            split = split_products(node)
            nodes = (*region.nodes[:position], split, *region.nodes[position + 1 :])
            moving = _Moving(region.replace(nodes=nodes), position, split)
            if moving.pays:
                region = moving.done()
                position += len(moving.moved)
            region = _passed_by(region, position)
        position += 1
    return region, ()


def _passed_by(region: Region, position: int) -> Region:
    """The region in which nothing leaves a scan as it came in, but for an output that is alone."""
    scan: Any = region.nodes[position]
    outputs = scan.region.outputs
    found: dict[int, Wire] = {}
    for port, output in enumerate(outputs):
        wire = output.wire
        if wire.node == INPUTS and wire.port < scan.timed and not wire.delay:
            source = scan.inputs[wire.port]
            if wire_shape(region, source) == scan.outputs[port]:
                found[port] = source
    if not 0 < len(found) < len(outputs):
        return region
    stays = [port for port in range(len(scan.outputs)) if port not in found]

    def changed(wire: Wire) -> Wire:
        if wire.node != position:
            return wire
        return found.get(wire.port) or wire.replace(port=stays.index(wire.port))

    kept = [output for port, output in enumerate(outputs) if port not in found]
    scan = scan.replace(
        region=scan.region.replace(outputs=tuple(kept)),
        outputs=tuple([scan.outputs[port] for port in stays]),
    )
    nodes = (*region.nodes[:position], without_unused(scan), *region.nodes[position + 1 :])
    return rewired_region(region, nodes, changed)


class _Moving:
    """One scan whose step gives nodes to the cell around it."""

    def __init__(self, region: Region, position: int, scan: Scan) -> None:
        self.region, self.position, self.scan = region, position, scan
        self.step = scan.region
        self.sequences: dict[int, Node] = {}  # moved nodes that work on all steps
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
        return any(not isinstance(n, Operation) or n.op.family in HEAVY for n in nodes)

    # --- what may move ---

    def _is_plain(self) -> bool:
        sequences = [wire_shape(self.region, w) for w in self.scan.inputs[: self.scan.timed]]
        return all(shape.axes[0].role == "steps" for shape in sequences) and bool(sequences)

    def _try(self, number: int, node: Node) -> None:
        wires = list(wires_of(node))
        fed = all(wire.node == INPUTS or wire.node in self.moved for wire in wires)
        if not fed or (not isinstance(node, Operation) and node.lends):
            return
        if all(self._is_once(wire) for wire in wires):
            self.once.add(number)
            self.moved.append(number)
            return
        flows = [Flow(wire_shape(self.step, wire), self._is_once(wire)) for wire in wires]
        made = lifted(node, flows, self._steps)
        if made is not None:
            self.moved.append(number)
            self.sequences[number] = made

    def _is_once(self, wire: Wire) -> bool:
        if wire.node == INPUTS:
            return wire.port >= self.scan.timed
        return wire.node in self.once

    def _outside(self, wire: Wire) -> Wire:
        """The stream of the cell that feeds an input of the step."""
        starts = 0 if wire.port < self.scan.timed else self.scan.starts
        return self.scan.inputs[wire.port + starts]

    @property
    def _steps(self) -> Axis:
        return wire_shape(self.region, self.scan.inputs[0]).axes[0]

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
        return self.sequences.get(number, self.step.nodes[number])

    def _rest(self, outside: Callable[[Wire], Wire]) -> Scan:
        """The scan with a step of what stays."""
        stays = [n for n in range(len(self.step.nodes)) if n not in self.moved]
        numbers = {old: new for new, old in enumerate(stays)}
        used = [wire.replace(delay=0) for n in stays for wire in wires_of(self.step.nodes[n])]
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
