"""Streams and the memory they lie in: views, and what flows through unchanged, share it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from archc.graph import INPUTS, Region, Wire
from archc.liveness import Demand
from archc.memory.amounts import EMPTY, Amount
from archc.memory.orders import Order
from archlang.record import Record

__all__ = [
    "Context", "Entering", "Leaving", "Storage", "Stream", "Streams", "by_name",
    "context_of", "streams_of",
]  # fmt: skip


class Storage:
    """One piece of memory.

    Attributes:
        size: what it takes.
        kept: whether it is held until the backward pass. That of a parameter is from the start,
            since it counts as one.
    """

    def __init__(self, size: Amount, *, kept: bool = False) -> None:
        self.size, self.kept = size, kept


class Stream(Record):
    """A stream: where it lies, whether a gradient flows to it, and in which order it lies."""

    storage: Storage
    learning: bool
    order: Order = "rows"

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Entering(Record):
    """What matters of a stream that flows into a region.

    Args:
        group: the first input that lies in the same storage.
        size: of the storage.
        kept: whether it is held already.
        learning: whether a gradient flows to it.
        order: in which its numbers lie.
    """

    group: int
    size: Amount
    kept: bool
    learning: bool
    order: Order


class Leaving(Record):
    """A stream that leaves a region.

    Args:
        source: the input in whose storage it lies, or a negative number for one made inside.
        size: of that storage.
        kept: whether it is held.
        learning: whether a gradient flows to it.
        order: in which its numbers lie.
    """

    source: int
    size: Amount
    kept: bool
    learning: bool
    order: Order


class Context(Record):
    """A region with all that its analysis depends on: equal ones are analysed once.

    Args:
        region: the region.
        demand: which of its outputs are wanted.
        entering: what flows in; in the first step of a cell, then what its states begin with.
        states: the wires of those, in that order.
    """

    region: Region
    demand: Demand
    entering: tuple[Entering, ...]
    states: tuple[Wire, ...] = ()


def context_of(
    region: Region,
    demand: Demand,
    streams: Sequence[Stream],
    states: Mapping[Wire, Stream] = MappingProxyType({}),
) -> Context:
    """The context of a region that streams flow into; `states` are those of a first step."""
    first: dict[Storage, int] = {}
    entering = []
    for number, stream in enumerate([*streams, *states.values()]):
        place = stream.storage
        group = first.setdefault(place, number)
        entering.append(Entering(group, place.size, place.kept, stream.learning, stream.order))
    return Context(region, demand, tuple(entering), tuple(states))


def streams_of(leaving: Sequence[Leaving], entered: Sequence[Stream]) -> list[Stream]:
    """The streams that leave a region, by those that flowed in."""
    made: dict[int, Storage] = {}
    found = []
    for one in leaving:
        if one.source >= 0:
            storage = entered[one.source].storage
        else:
            storage = made.setdefault(one.source, Storage(one.size, kept=one.kept))
        found.append(Stream(storage, one.learning, one.order))
    return found


class Streams:
    """The streams of a region while it is walked."""

    def __init__(self, inputs: Sequence[Stream], states: Sequence[Wire] = ()) -> None:
        self._inputs = tuple(inputs)
        self._begin = dict(zip(states, self._inputs[len(inputs) - len(states) :], strict=True))
        self._made: list[Sequence[Stream]] = []
        self._late: dict[tuple[int, int], Stream] = {}

    @classmethod
    def entering(cls, context: Context) -> Streams:
        """Those of a region that is analysed in its context."""
        places: dict[int, Storage] = {}
        for one in context.entering:
            places.setdefault(one.group, Storage(one.size, kept=one.kept))
        streams = [Stream(places[e.group], e.learning, e.order) for e in context.entering]
        return cls(streams, context.states)

    def add(self, outputs: Sequence[Stream]) -> None:
        """The outputs of the next node."""
        self._made.append(outputs)

    def on(self, wires: Sequence[Wire]) -> list[Stream]:
        """The streams on wires."""
        return [self._late_one(wire) if wire.delay else self._one(wire) for wire in wires]

    def _one(self, wire: Wire) -> Stream:
        return (self._inputs if wire.node == INPUTS else self._made[wire.node])[wire.port]

    def _late_one(self, wire: Wire) -> Stream:
        # What an earlier step made takes no memory in this one; whether it is held is asked.
        begin = self._begin.get(wire.replace(delay=0))
        if begin is not None:
            return begin
        place = (wire.node, wire.port)
        return self._late.setdefault(place, Stream(Storage(EMPTY), True))

    def held_later(self) -> Iterator[tuple[int, Stream]]:
        """The streams that a later step holds, with the number of the node that makes each."""
        for (node, port), later in self._late.items():
            if later.storage.kept:
                yield node, self._one(Wire(node, port))

    def numbered(self) -> Iterator[tuple[tuple[int, int], Stream]]:
        """The streams that nodes made so far, with the number of the node and of its output."""
        for node, outputs in enumerate(self._made):
            for port, stream in enumerate(outputs):
                yield (node, port), stream

    def leaving(self, wires: Sequence[Wire]) -> tuple[Leaving, ...]:
        """What leaves the region on those wires."""
        known: dict[Storage, int] = {}
        for number, stream in enumerate(self._inputs):
            known.setdefault(stream.storage, number)
        inside = 0
        found = []
        for stream in self.on(wires):
            place = stream.storage
            if place not in known:
                inside -= 1
                known[place] = inside
            found.append(
                Leaving(known[place], place.size, place.kept, stream.learning, stream.order)
            )
        return tuple(found)

    @property
    def kept(self) -> tuple[bool, ...]:
        """Whether each input is held."""
        return tuple([stream.storage.kept for stream in self._inputs])


def by_name(gathered: Sequence[Stream], names: Sequence[str]) -> list[list[Stream]]:
    """What one copy of a repeat lets out under each of the collected names: mostly one stream, and
    several where a name stands for the bundle of an inner repeat."""
    if len(names) == 1:
        return [list(gathered)]
    return [[stream] for stream in gathered]
