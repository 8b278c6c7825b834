"""What autograd keeps of a net for the backward pass.

Each operator says what its derivative needs (`Op.saves`); a storage that several of them need
counts once, with the first of them. A region is analysed once for each context: what of its inputs
is kept already, which of them share their memory, and to which a gradient flows. The copies of a
repeat soon meet the context of the copy before, and then they are counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from archc.cost import input_shapes
from archc.dims import Dim
from archc.graph import Call, Choice, Node, Operation, Program, Region, Repeat, Scan
from archc.liveness import Liveness, demand_of, inside
from archc.memory.amounts import EMPTY, Amount, of_extra, of_shape
from archc.memory.making import begin, made_by, orders_of, sequences, step_of
from archc.memory.orders import copied
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

__all__ = ["Contexts", "Kept", "Saving"]

# The contexts in which a region runs, with how many copies run in each.
Contexts = tuple[tuple[Context, Dim], ...]


class Kept(Record):
    """What is kept inside a region in a context.

    Args:
        nodes: what each node adds.
        parts: for each node, for each region that it refers to, the contexts of that.
        inputs: for each input, whether its storage is held in the end.
        outputs: what leaves; of the first step of a cell, the states behind that.
    """

    nodes: tuple[Amount, ...]
    parts: tuple[tuple[Contexts, ...], ...]
    inputs: tuple[bool, ...]
    outputs: tuple[Leaving, ...]

    @property
    def total(self) -> Amount:
        """What all nodes add."""
        return Amount.sum(self.nodes)


class Saving:
    """Finds what is kept, once for each region and context."""

    def __init__(self) -> None:
        self._liveness = Liveness(training=True)
        self._known: dict[Context, Kept] = {}

    def net(self, program: Program, *, learning: bool = False) -> Contexts:
        """The context of a whole net: nothing is kept yet.

        Args:
            program: the net.
            learning: whether a gradient flows to its inputs, those that are tokens left out.
        """
        region = program.region
        streams = [
            Stream(Storage(of_shape(shape)), learning and shape.vocabulary is None)
            for shape in [port.shape for port in region.inputs]
        ]
        return ((context_of(region, demand_of(region, training=True), streams), 1),)

    def total(self, contexts: Contexts) -> Amount:
        """What a region keeps in its contexts together."""
        return Amount.sum([self.of(context).total.times(copies) for context, copies in contexts])

    def node(self, contexts: Contexts, number: int) -> Amount:
        """What one node of the region keeps in the contexts of that together."""
        return Amount.sum([self.of(c).nodes[number].times(copies) for c, copies in contexts])

    def parts(self, contexts: Contexts, number: int) -> tuple[Contexts, ...]:
        """The contexts of the regions that a node refers to."""
        found: list[dict[Context, Dim]] = []
        for context, copies in contexts:
            parts = self.of(context).parts[number]
            found = found or [{} for _ in parts]
            for counts, part in zip(found, parts, strict=True):
                for inner, times in part:
                    counts[inner] = counts.get(inner, 0) + times * copies
        return tuple([tuple(counts.items()) for counts in found])

    def of(self, context: Context) -> Kept:
        """What is kept inside a region in a context."""
        found = self._known.get(context)
        if found is None:
            found = self._known[context] = self._find(context)
        return found

    def _find(self, context: Context) -> Kept:
        region = context.region
        live = self._liveness.of(region, context.demand).ports
        walk = _Walk(self, region, Streams.entering(context))
        for node, demand in zip(region.nodes, live, strict=True):
            walk.node(node, demand)
        walk.hold()
        wires = [*[output.wire for output in region.outputs], *context.states]
        leaving = walk.streams.leaving(wires)
        return Kept(tuple(walk.added), tuple(walk.parts), walk.streams.kept, leaving)


class _Walk:
    """One walk over the nodes of a region."""

    def __init__(self, saving: Saving, region: Region, streams: Streams) -> None:
        self.saving, self.region, self.streams = saving, region, streams
        self.added: list[Amount] = []
        self.parts: list[tuple[Contexts, ...]] = []

    def node(self, node: Node, demand: tuple[bool, ...]) -> None:
        """One node more; one that nobody asks for does not run."""
        wired = self.streams.on(node.inputs)
        if not any(demand):
            regions = 0 if isinstance(node, Operation) else len(getattr(node, "runs", (0,)))
            self._end(EMPTY, ((),) * regions, _unborn(node))
        elif isinstance(node, Operation):
            self._operation(node, wired)
        elif isinstance(node, Repeat):
            self._repeat(node, demand, wired)
        elif isinstance(node, Scan):
            self._steps(node, demand, wired)
        else:
            self._part(node, demand, wired)

    def hold(self) -> None:
        """Hold what the step after this one holds."""
        for number, stream in self.streams.held_later():
            self.added[number] = self.added[number] + _keep([stream.storage])

    def _end(self, added: Amount, parts: tuple[Contexts, ...], outputs: Sequence[Stream]) -> None:
        self.added.append(added)
        self.parts.append(parts)
        self.streams.add(outputs)

    def _operation(self, node: Operation, wired: Sequence[Stream]) -> None:
        outputs = made_by(self.region, node, wired, training=True)
        shapes = input_shapes(self.region, node.inputs)
        if not any(stream.learning for stream in outputs):
            self._end(EMPTY, (), outputs)
            return
        learning = tuple([stream.learning for stream in wired])
        saves = node.op.saves(shapes, node.outputs, learning)
        copies = copied(node.op, shapes, orders_of(wired))
        kept = [wired[i] for i in saves.inputs if i not in copies]
        kept += [outputs[i] for i in saves.outputs]
        added = Amount.sum([of_extra(extra) for extra in saves.extras])
        added = added + Amount.sum([of_shape(shapes[i]) for i in saves.inputs if i in copies])
        self._end(added + _keep([stream.storage for stream in kept]), (), outputs)

    def _part(self, node: Call | Choice, demand: tuple[bool, ...], wired: list[Stream]) -> None:
        context = context_of(node.region, inside(node, node.region, demand), wired)
        added, outputs = self._enter(context, wired)
        self._end(added, (((context, 1),),), outputs)

    def _steps(self, node: Scan, demand: tuple[bool, ...], wired: list[Stream]) -> None:
        # What flows in is kept once for all steps, by the first that needs it. No gradient flows
        # through zeros at the start, and nothing holds what the last step leaves.
        region, wanted = node.region, inside(node, node.region, demand)
        steps = [
            step_of(s, p.shape) for s, p in zip(wired, region.inputs[: node.timed], strict=False)
        ]
        entering = [*steps, *wired[node.timed + node.starts :]]
        starting = {state.wire: begin(state, wired) for state in node.states}
        first = context_of(region, wanted, entering, starting)
        opening = self.saving.of(first)
        _mark([*entering, *starting.values()], opening)
        contexts: list[tuple[Context, Dim]] = [(first, 1)]
        if node.steps != 1:
            contexts.append((context_of(region, wanted, entering), 1))
            _mark(entering, self.saving.of(contexts[-1][0]))
            contexts.append((context_of(region, wanted, entering), node.steps - 2))
        added = self.saving.total(tuple(contexts))
        self._end(added, (tuple(contexts),), sequences(node, opening.outputs))

    def _enter(self, context: Context, wired: Sequence[Stream]) -> tuple[Amount, list[Stream]]:
        """What a region adds, and what leaves it."""
        kept = self.saving.of(context)
        _mark(wired, kept)
        return kept.total, streams_of(kept.outputs, wired)

    def _repeat(self, node: Repeat, demand: tuple[bool, ...], carried: list[Stream]) -> None:
        total, parts = EMPTY, []
        collected: list[list[Stream]] = [[] for _ in node.collected]
        for run in node.runs:
            captures = self.streams.on(run.captures)
            wanted = inside(node, run.region, demand)
            contexts: dict[Context, Dim] = {}
            left, last = run.count, None
            while left:
                wired = [*carried, *captures]
                context = context_of(run.region, wanted, wired)
                # A context that follows itself goes on doing so; streams of every copy are streams.
                copies = left if context == last and not collected else 1
                added, leaving = self._enter(context, wired)
                carried = leaving[: len(carried)]
                for name, streams in zip(
                    collected, by_name(leaving[len(carried) :], node.collected), strict=True
                ):
                    name.extend(streams)
                total = total + added.times(copies)
                contexts[context] = contexts.get(context, 0) + copies
                left, last = left - copies, context
            parts.append(tuple(contexts.items()))
        self._end(total, tuple(parts), [*carried, *[s for name in collected for s in name]])


def _mark(entering: Sequence[Stream], kept: Kept) -> None:
    """What a region holds of what flows in."""
    for stream, is_kept in zip(entering, kept.inputs, strict=True):
        stream.storage.kept = is_kept


def _keep(storages: Sequence[Storage]) -> Amount:
    """Hold storages; what that adds."""
    added = EMPTY
    for storage in storages:
        if not storage.kept:
            added, storage.kept = added + storage.size, True
    return added


def _unborn(node: Node) -> list[Stream]:
    return [Stream(Storage(EMPTY, kept=True), False) for _ in node.outputs]
