"""Which streams are needed for given outputs: what a net computes outside training.

A part that only a training-only output needs has parameters, but costs nothing at inference. A
block of which one output is needed runs whole, as its module does. Needs are found per region and
per set of wanted outputs, and kept, so that equal layers are looked at once.

A cell that runs computes all that it remembers, whether an output needs it or not: each step hands
its states to the next, and the last ones may be read from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archc.graph import INPUTS, Call, Node, Operation, Region, Repeat, Scan, Wire, wires_of
from archlang.record import Record

__all__ = ["Demand", "Live", "Liveness", "demand_of", "inside"]

# For each output, whether it is wanted.
Demand = tuple[bool, ...]

# A stream with one value while training and another otherwise: inputs in that order.
_WHEN = "WHEN"


class Live(Record):
    """What is needed inside a region.

    Args:
        inputs: for each input of the region, whether it is needed.
        ports: for each node, for each of its outputs, whether it is needed.
    """

    inputs: Demand
    ports: tuple[Demand, ...]


def demand_of(region: Region, *, training: bool = False) -> Demand:
    """The outputs of a net that are wanted: all while training, else those that always exist."""
    return tuple([training or not output.training for output in region.outputs])


def inside(node: Node, region: Region, demand: Demand) -> Demand:
    """The outputs of a node's region that are computed, when those in `demand` of the node are.

    None where nothing of the node is wanted, else all that always exist, and those of training only
    that are wanted themselves.
    """
    if not any(demand):
        return (False,) * len(region.outputs)
    asked = demand if not isinstance(node, (Repeat, Scan)) else ()
    return tuple(
        [
            not output.training or (position < len(asked) and asked[position])
            for position, output in enumerate(region.outputs)
        ]
    )


class Liveness:
    """Finds what is needed, and remembers it for each region and demand.

    Args:
        training: whether a stream that differs in training takes its training value.
    """

    def __init__(self, *, training: bool = False) -> None:
        self._training = training
        self._known: dict[tuple[Region, Demand], Live] = {}

    def of(self, region: Region, demand: Demand) -> Live:
        """What is needed inside a region for the outputs in `demand`."""
        key = (region, demand)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(region, demand)
        return found

    def _find(self, region: Region, demand: Demand) -> Live:
        marks = _Marks(region)
        wanted = zip(region.outputs, demand, strict=True)
        marks.take(output.wire for output, is_wanted in wanted if is_wanted)
        if any(demand):
            marks.take(_remembered(region))
        # Streams flow forward, so one walk backwards finds everything, but for the delayed ones.
        while marks.changed:
            marks.changed = False
            for index in reversed(range(len(region.nodes))):
                needed = tuple(marks.ports[index])
                if any(needed):
                    marks.take(self._needs(region.nodes[index], needed))
        return Live(tuple(marks.inputs), tuple([tuple(ports) for ports in marks.ports]))

    def _needs(self, node: Node, demand: Demand) -> Iterator[Wire]:
        if isinstance(node, Repeat):
            yield from self._needs_of_copies(node, demand)
        elif isinstance(node, Operation):
            other_value = (1 if self._training else 0) if node.op.name == _WHEN else None
            yield from (wire for i, wire in enumerate(node.inputs) if i != other_value)
        elif isinstance(node, Scan):
            yield from self._needs_of_steps(node, demand)
        elif isinstance(node, Call):
            # A block is handed all that flows in, whether it reads that or not.
            yield from node.inputs
        else:
            live = self.of(node.region, inside(node, node.region, demand))
            yield from _where(node.inputs, live.inputs)

    def _needs_of_steps(self, node: Scan, demand: Demand) -> Iterator[Wire]:
        live = self.of(node.region, inside(node, node.region, demand))
        whole = node.timed + node.starts
        yield from _where(node.inputs[: node.timed], live.inputs[: node.timed])
        read = _read_later(node.region, live)
        finals = demand[len(node.region.outputs) :]
        for state, final in zip(node.states, finals, strict=True):
            # What a state begins with is needed where something needed reads it a step later.
            if state.initial is not None and (final or state.wire in read):
                yield node.inputs[state.initial]
        yield from _where(node.inputs[whole:], live.inputs[node.timed :])

    def _needs_of_copies(self, node: Repeat, demand: Demand) -> Iterator[Wire]:
        carried = len(node.inputs)
        for number, run in enumerate(node.runs):
            live = self.of(run.region, inside(node, run.region, demand))
            if number == 0:
                yield from _where(node.inputs, live.inputs[:carried])
            yield from _where(run.captures, live.inputs[carried:])


def _remembered(region: Region) -> Iterator[Wire]:
    """What the steps of a cell read of the steps before."""
    for node in region.nodes:
        yield from (wire for wire in wires_of(node) if wire.delay)


def _read_later(region: Region, live: Live) -> set[Wire]:
    """The streams of a step that what is needed of it reads in a later one."""
    nodes = zip(region.nodes, live.ports, strict=True)
    wires = [wire for node, ports in nodes if any(ports) for wire in wires_of(node)]
    wires += [output.wire for output in region.outputs]
    return {wire.replace(delay=0) for wire in wires if wire.delay}


class _Marks:
    """The marks of one walk: which streams of a region are needed so far."""

    def __init__(self, region: Region) -> None:
        self.inputs = [False] * len(region.inputs)
        self.ports = [[False] * len(node.outputs) for node in region.nodes]
        self.changed = False

    def take(self, wires: Iterable[Wire]) -> None:
        for wire in wires:
            marks = self.inputs if wire.node == INPUTS else self.ports[wire.node]
            if not marks[wire.port]:
                marks[wire.port] = self.changed = True


def _where(wires: tuple[Wire, ...], needed: Demand) -> Iterator[Wire]:
    return (wire for wire, wanted in zip(wires, needed, strict=True) if wanted)
