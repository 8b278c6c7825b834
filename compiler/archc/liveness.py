"""Which streams are needed for given outputs: what a net computes outside training.

A part that only a training-only output needs has parameters, but costs nothing at inference.
Needs are found per region and per set of wanted outputs, and kept, so that equal layers are looked
at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from archc.graph import INPUTS, Call, Choice, Node, Operation, Region, Repeat, Wire
from archlang.record import Record

__all__ = ["Copies", "Demand", "Live", "Liveness", "demand_of"]

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


class Copies(Record):
    """Equal copies in a run of a repeat of which the same outputs are needed.

    Args:
        run: the position of the run in the repeat.
        demand: the outputs of the region that are needed.
        count: how many copies.
    """

    run: int
    demand: Demand
    count: int


# Of a repeat: its copies, and the wires that it needs of the region around it.
_Answer = tuple[tuple[Copies, ...], tuple[Wire, ...]]
_Kept = tuple[Repeat, _Answer]


def demand_of(region: Region, *, training: bool = False) -> Demand:
    """The outputs of a net that are wanted: all while training, else those that always exist."""
    return tuple([training or not output.training for output in region.outputs])


class Liveness:
    """Finds what is needed, and remembers it for each region and demand.

    Args:
        training: whether a stream that differs in training takes its training value.
    """

    def __init__(self, *, training: bool = False) -> None:
        self._training = training
        self._regions: dict[tuple[Region, Demand], Live] = {}
        self._repeats: dict[tuple[int, Demand], _Kept] = {}

    def of(self, region: Region, demand: Demand) -> Live:
        """What is needed inside a region for the outputs in `demand`."""
        key = (region, demand)
        found = self._regions.get(key)
        if found is None:
            found = self._regions[key] = self._find(region, demand)
        return found

    def inside(self, node: Call | Choice, demand: Demand) -> Demand:
        """The outputs of a node's region that are needed for its outputs in `demand`."""
        if len(demand) == len(node.region.outputs):
            return demand
        return (any(demand),) * len(node.region.outputs)

    def copies(self, node: Repeat, demand: Demand) -> tuple[Copies, ...]:
        """The copies of a repeat in their order, those with equal needs together."""
        return self._repeat(node, demand)[0]

    def _find(self, region: Region, demand: Demand) -> Live:
        marks = _Marks(region)
        marks.take(
            output.wire for output, wanted in zip(region.outputs, demand, strict=True) if wanted
        )
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
            yield from self._repeat(node, demand)[1]
        elif isinstance(node, Operation):
            other_value = (1 if self._training else 0) if node.op.name == _WHEN else None
            yield from (wire for i, wire in enumerate(node.inputs) if i != other_value)
        else:
            live = self.of(node.region, self.inside(node, demand))
            yield from _where(node.inputs, live.inputs)

    def _repeat(self, node: Repeat, demand: Demand) -> _Answer:
        found = self._repeats.get((id(node), demand))
        if found is None:
            # The node is kept with its answer, so that its id stays its own.
            found = self._repeats[id(node), demand] = (node, self._walk_back(node, demand))
        return found[1]

    def _walk_back(self, node: Repeat, demand: Demand) -> _Answer:
        width = len(node.inputs)
        carried, copy = demand[:width], node.count
        found: list[Copies] = []
        wires: dict[Wire, None] = {}
        for index in reversed(range(len(node.runs))):
            run, left = node.runs[index], node.runs[index].count
            while left:
                wanted = carried + _collected(node, demand, copy - 1)
                needed = self.of(run.region, wanted).inputs
                # Once a copy needs of the one before it what is needed of itself, all do.
                steady = needed[:width] == carried and not node.collected
                count = left if steady else 1
                found.append(Copies(index, wanted, count))
                wires.update(dict.fromkeys(_where(run.captures, needed[width:])))
                carried, left, copy = needed[:width], left - count, copy - count
        wires.update(dict.fromkeys(_where(node.inputs, carried)))
        return _merged(found), tuple(wires)


class _Marks:
    """The marks of one walk: which streams of a region are needed so far."""

    def __init__(self, region: Region) -> None:
        self.inputs = [False] * len(region.inputs)
        self.ports = [[False] * len(node.outputs) for node in region.nodes]
        self.changed = False

    def take(self, wires: Iterator[Wire]) -> None:
        for wire in wires:
            marks = self.inputs if wire.node == INPUTS else self.ports[wire.node]
            if not marks[wire.port]:
                marks[wire.port] = self.changed = True


def _where(wires: tuple[Wire, ...], needed: Demand) -> Iterator[Wire]:
    return (wire for wire, wanted in zip(wires, needed, strict=True) if wanted)


def _collected(node: Repeat, demand: Demand, copy: int) -> Demand:
    """Which of a copy's collected streams are needed: behind the carried outputs stand, name by
    name, those of every copy."""
    first = len(node.inputs)
    return tuple([demand[first + i * node.count + copy] for i in range(len(node.collected))])


def _merged(backwards: list[Copies]) -> tuple[Copies, ...]:
    merged: list[Copies] = []
    for copies in reversed(backwards):
        last = merged[-1] if merged else None
        if last is not None and (last.run, last.demand) == (copies.run, copies.demand):
            merged[-1] = last.replace(count=last.count + copies.count)
        else:
            merged.append(copies)
    return tuple(merged)
