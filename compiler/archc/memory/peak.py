"""The most memory that a forward pass outside training needs at once, weights left out.

The order is that of the file, which is the order of the generated forward. A tensor is freed behind
its last use; what flows into a block is held until the block is left, since the one who calls it
holds it. Views and dropout outside training take no memory of their own. What an operator needs
for itself while it runs (a workspace of a convolution) is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archc.cost import input_shapes
from archc.dims import Dim, at_most
from archc.graph import INPUTS, Node, Operation, Program, Region, Repeat, Scan, Wire
from archc.liveness import Liveness, demand_of, inside
from archc.memory.amounts import of_shape
from archc.memory.making import made_by
from archc.memory.statements import last_uses
from archc.memory.storages import (
    Context,
    Leaving,
    Storage,
    Stream,
    Streams,
    by_name,
    context_of,
    streams_of,
)
from archlang.record import Record

__all__ = ["Largest", "largest", "peak"]

# The largest of some sizes: several where which one it is depends on open dimensions.
Largest = tuple[Dim, ...]

_MOST = 8  # sizes of which the largest is asked; more are nothing that one reads


def peak(program: Program, *, batch: int, width: int) -> Largest:
    """The most bytes that a forward pass holds at once, the inputs among them.

    Args:
        program: the net.
        batch: the number of examples.
        width: the bytes of one real.

    Returns:
        The bytes; several formulas where dimensions are open and it is the largest of them; none
        where those would be too many.
    """
    region = program.region
    streams = [Stream(Storage(of_shape(port.shape)), False) for port in region.inputs]
    context = context_of(region, demand_of(region), streams)
    peaks = _Peaks(batch, width)
    held = peaks.bytes({stream.storage for stream in streams})
    return plus(peaks.of(context).most, held)


def largest(sizes: Iterable[Dim]) -> Largest:
    """The sizes that may be the largest; none when they are too many."""
    kept: list[Dim] = []
    for size in sizes:
        if any(at_most(size, other) for other in kept):
            continue
        kept = [other for other in kept if not at_most(other, size)]
        kept.append(size)
    return tuple(kept) if len(kept) <= _MOST else ()


def plus(sizes: Largest, more: Dim) -> Largest:
    """Each of the sizes and something more."""
    return tuple([size + more for size in sizes])


class _Peak(Record):
    """What a region needs beside its inputs, and what leaves it."""

    most: Largest
    outputs: tuple[Leaving, ...]


class _Peaks:
    """Finds peaks, once for each region and context."""

    def __init__(self, batch: int, width: int) -> None:
        self._batch, self._width = batch, width
        self.liveness = Liveness()
        self._known: dict[Context, _Peak] = {}

    def bytes(self, storages: Iterable[Storage]) -> Dim:
        """The bytes of some storages."""
        total: Dim = 0
        for storage in storages:
            total = total + storage.size.in_bytes(self._batch, self._width)
        return total

    def scratch(self, region: Region, node: Operation) -> Dim:
        """The bytes that an operator holds for a moment."""
        numbers = node.op.scratch(input_shapes(region, node.inputs), node.outputs)
        return numbers * (self._batch * self._width)

    def of(self, context: Context) -> _Peak:
        """What a region needs in a context."""
        found = self._known.get(context)
        if found is None:
            found = self._known[context] = _Walk(self, context).peak()
        return found


class _Walk:
    """One walk over the nodes of a region."""

    def __init__(self, peaks: _Peaks, context: Context) -> None:
        self.peaks, self.region = peaks, context.region
        self.streams = Streams.entering(context)
        self.ports = peaks.liveness.of(context.region, context.demand).ports
        self.last = last_uses(context.region, self.ports)
        self.live: set[Storage] = set()
        self.most: Largest = (0,)

    def peak(self) -> _Peak:
        """The peak of the region."""
        for number, (node, demand) in enumerate(zip(self.region.nodes, self.ports, strict=True)):
            self._node(number, node, demand)
        leaving = self.streams.leaving([output.wire for output in self.region.outputs])
        return _Peak(self.most, leaving)

    def _node(self, number: int, node: Node, demand: tuple[bool, ...]) -> None:
        wired = self.streams.on(node.inputs)
        if not any(demand):
            outputs: Sequence[Stream] = [Stream(Storage(of_shape(s)), False) for s in node.outputs]
            self.streams.add(outputs)
            return
        before = {stream.storage for stream in self._entered()}
        if isinstance(node, Operation):
            outputs = made_by(self.region, node, wired, training=False)
            made = self.peaks.bytes({s.storage for s in outputs} - self.live - before)
            most: Largest = (made + self.peaks.scratch(self.region, node),)
        elif isinstance(node, Repeat):
            most, outputs = self._repeat(node, demand, wired, self._dying(number, node))
        elif isinstance(node, Scan):
            most, outputs = self._steps(node, demand, wired)
        else:
            found = self.peaks.of(context_of(node.region, inside(node, node.region, demand), wired))
            most, outputs = found.most, streams_of(found.outputs, wired)
        self._take(most)
        self.streams.add(outputs)
        self.live |= {stream.storage for stream in outputs} - before
        self._free(number)

    def _entered(self) -> list[Stream]:
        return self.streams.on([Wire(INPUTS, i) for i in range(len(self.region.inputs))])

    def _take(self, more: Largest) -> None:
        """So much more than what is live is needed for a moment."""
        self.most = largest([*self.most, *plus(more, self.peaks.bytes(self.live))])

    def _free(self, number: int) -> None:
        """Free what no later node uses."""
        self.live &= self._used_after(number)

    def _used_after(self, number: int) -> set[Storage]:
        made = self.streams.numbered()
        return {stream.storage for place, stream in made if self.last.get(place, -1) > number}

    def _dying(self, number: int, node: Repeat) -> set[Storage]:
        """What a loop is the last to use: gone with its first copy. nn.Sequential, which runs one
        stream through its copies, holds it to the end."""
        if len(node.inputs) == 1 and not node.collected and not any(r.captures for r in node.runs):
            return set()
        entered = {stream.storage for stream in self._entered()}
        wired = {stream.storage for stream in self.streams.on(node.inputs)}
        return (wired & self.live) - entered - self._used_after(number)

    def _steps(
        self, node: Scan, demand: tuple[bool, ...], wired: list[Stream]
    ) -> tuple[Largest, list[Stream]]:
        # The outputs of all steps are put side by side when the last one is done.
        pieces = [Stream(stream.storage, stream.learning) for stream in wired[: node.timed]]
        entering = [*pieces, *wired[node.timed + node.starts :]]
        wanted = inside(node, node.region, demand)
        found = self.peaks.of(context_of(node.region, wanted, entering))
        outputs = [Stream(Storage(of_shape(shape)), False) for shape in node.outputs]
        sequences = outputs[: len(node.region.outputs)]
        all_steps = self.peaks.bytes([one.storage for one in sequences])
        states = self.peaks.bytes([one.storage for one in outputs[len(sequences) :]])
        return largest([*plus(found.most, all_steps + states), 2 * all_steps + states]), outputs

    def _repeat(
        self,
        node: Repeat,
        demand: tuple[bool, ...],
        carried: list[Stream],
        dying: set[Storage],
    ) -> tuple[Largest, list[Stream]]:
        most: Largest = ()
        outside = self.live | {s.storage for s in [*carried, *self._entered()]}
        gathered: list[list[Stream]] = [[] for _ in node.collected]
        for run in node.runs:
            captures = self.streams.on(run.captures)
            last: tuple[Context, Dim] | None = None
            for _ in range(run.count):
                wired = [*carried, *captures]
                context = context_of(run.region, inside(node, run.region, demand), wired)
                found = self.peaks.of(context)
                kept = {s.storage for s in [*carried, *[s for name in gathered for s in name]]}
                held = self.peaks.bytes(kept - outside) - self.peaks.bytes(dying - kept)
                if (context, held) == last:
                    break
                most = largest([*most, *plus(found.most, held)])
                leaving = streams_of(found.outputs, wired)
                carried, last = leaving[: len(carried)], (context, held)
                for name, streams in zip(
                    gathered, by_name(leaving[len(carried) :], node.collected), strict=True
                ):
                    name.extend(streams)
        return most, [*carried, *[stream for name in gathered for stream in name]]
