"""Receptive fields, effective strides and depths, found block by block.

What a block does to what flows in depends on how its streams lie to each other, and not on where
they are, so a block is looked at once for each such situation; equal copies are looked at until one
adds what the one before added, and the rest is multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import inf

from archc.cost import input_shapes
from archc.graph import INPUTS, Call, Choice, Node, Operation, Port, Region, Repeat, Run, Scan, Wire
from archc.op import Op
from archc.shapes import Shape
from archc.sight import EVERYTHING, UNKNOWN, Field, Number, Reach, Sight, joined
from archlang.record import Record

__all__ = ["Geometry", "Seen", "entering", "spanning", "stepping"]

_WEIGHTED = ("convolution", "linear", "recurrent", "attention")

Sights = tuple[Sight, ...]


class Seen(Record):
    """What the streams of a region see: those that enter, and those that leave each node."""

    entering: Sights
    nodes: tuple[Sights, ...]

    def at(self, wires: tuple[Wire, ...]) -> Sights:
        """What the streams on these wires see."""
        return tuple([self._one(wire) for wire in wires])

    def _one(self, wire: Wire) -> Sight:
        # What an earlier step made has seen no more than what flows into a cell, see `stepping`.
        if wire.delay:
            return joined(self.entering)
        return (self.entering if wire.node == INPUTS else self.nodes[wire.node])[wire.port]


def entering(ports: tuple[Port, ...]) -> Sights:
    """What the inputs of a net see: themselves, along each axis that has positions."""
    return tuple([Sight({name: Field() for name in _positions(port.shape)}) for port in ports])


def spanning(first: Sight, last: Sight) -> Sight:
    """From what the first copy of a repeat sees to what the last one sees."""
    fields = {
        name: field.replace(least=first.fields[name].least) if name in first.fields else field
        for name, field in last.fields.items()
    }
    return Sight(fields, first.shallow, last.deep)


def stepping(node: Scan, sights: Sights) -> Sights:
    """What enters a step of a cell sees everything, through what the cell remembers."""
    if not sights:
        return ()
    whole = node.timed + node.starts
    found = []
    for sight in (*sights[: node.timed], *sights[whole:]):
        fields = {name: field.through(EVERYTHING) for name, field in sight.fields.items()}
        found.append(sight.replace(fields=fields))
    return tuple(found)


class Geometry:
    """Finds what streams see, and remembers it for each region."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Seen] = {}

    def of(self, region: Region, sights: Sights) -> Seen:
        """What the streams in a region see, when that is what the entering ones see."""
        frame = _Frame(sights)
        key = (region, tuple([_hashable(sight) for sight in frame.inside]))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(region, frame.inside)
        return Seen(sights, tuple([frame.outside(leaving) for leaving in found.nodes]))

    def leaving(self, region: Region, sights: Sights) -> Sights:
        """What the outputs of a region see."""
        return self.of(region, sights).at(tuple([output.wire for output in region.outputs]))

    def copies(self, node: Repeat, seen: Seen) -> tuple[tuple[Sights, Sights], ...]:
        """What enters the first and the last copy of each run of a repeat."""
        carried = seen.at(node.inputs)
        found = []
        for run in node.runs:
            captured = seen.at(run.captures)
            first, last = carried, self._entering_last(run, carried, captured)
            carried = self._step(run, last, captured)
            found.append(((*first, *captured), (*last, *captured)))
        return tuple(found)

    def _find(self, region: Region, sights: Sights) -> Seen:
        seen = Seen(sights, ())
        for node in region.nodes:
            seen = seen.replace(nodes=(*seen.nodes, self._node(region, node, seen)))
        return seen

    def _node(self, region: Region, node: Node, seen: Seen) -> Sights:
        if isinstance(node, Operation):
            return _through(node, input_shapes(region, node.inputs), seen.at(node.inputs))
        if isinstance(node, (Call, Choice)):
            return self.leaving(node.region, seen.at(node.inputs))
        if isinstance(node, Scan):
            return self._steps(node, seen)
        return self._repeat(node, seen)

    def _steps(self, node: Scan, seen: Seen) -> Sights:
        inside = self.of(node.region, stepping(node, seen.at(node.inputs)))
        wires = [output.wire for output in node.region.outputs]
        return inside.at((*wires, *[state.wire for state in node.states]))

    def _repeat(self, node: Repeat, seen: Seen) -> Sights:
        carried = seen.at(node.inputs)
        if node.runs:
            run, (_, last) = node.runs[-1], self.copies(node, seen)[-1]
            carried = self.leaving(run.region, last)[: len(carried)]
        return (*carried, *self._collected(node, seen))

    def _collected(self, node: Repeat, seen: Seen) -> Sights:
        """What the streams see that are collected from every copy, name by name."""
        if not node.collected:
            return ()
        carried = seen.at(node.inputs)
        copies: list[Sights] = []
        for run in node.runs:
            for _ in range(run.count):
                leaving = self.leaving(run.region, (*carried, *seen.at(run.captures)))
                copies.append(leaving[len(carried) :])
                carried = leaving[: len(carried)]
        return tuple([copy[i] for i in range(len(node.collected)) for copy in copies])

    def _step(self, run: Run, carried: Sights, captured: Sights) -> Sights:
        return self.leaving(run.region, (*carried, *captured))[: len(carried)]

    def _entering_last(self, run: Run, carried: Sights, captured: Sights) -> Sights:
        left, before = run.count - 1, None
        while left > 0:
            after = self._step(run, carried, captured)
            left -= 1
            change = _change(carried, after)
            if change is not None and change == before:
                return _added(after, change, left)
            before, carried = change, after
        return carried


# --- one operator --------------------------------------------------------------------------------


def _through(node: Operation, shapes: tuple[Shape, ...], sights: Sights) -> Sights:
    """What the outputs of an operator see."""
    if not sights:
        return tuple([Sight({}) for _ in node.outputs])
    sight = joined(sights)
    reaches = node.op.reaches(*shapes)
    mixes = node.op.family in _WEIGHTED
    found = []
    for output in node.outputs:
        fields = {
            name: _one(name, field, node.op, reaches, shapes, output)
            for name, field in sight.fields.items()
        }
        found.append(Sight(fields, sight.shallow + mixes, sight.deep + mixes))
    return tuple(found)


def _one(
    name: str,
    field: Field,
    op: Op,
    reaches: Mapping[str, Reach],
    shapes: tuple[Shape, ...],
    output: Shape,
) -> Field:
    """What an output sees along one axis."""
    if field.merged == "features" and op.family in _WEIGHTED:
        return field.through(EVERYTHING)
    positions = {axis for shape in shapes for axis in _positions(shape)}
    if field.jump is None or name not in positions:
        return field.through(_of_others(reaches)) if field.merged == "positions" else field
    field = field.through(reaches.get(name, Reach()))
    if name not in _positions(output):
        merged = "positions" if set(_positions(output)) - positions else "features"
        return field.replace(jump=None, merged=merged if op.merges else "")
    is_new = op.merges and shapes[0].sizes[shapes[0].find(name) or 0] != _size(output, name)
    return field.replace(known=False) if is_new and field.largest != inf else field


def _of_others(reaches: Mapping[str, Reach]) -> Reach:
    """The reach along positions that share an axis: all, none, or nobody knows."""
    if any(reach.high == inf for reach in reaches.values()):
        return EVERYTHING
    return UNKNOWN if reaches else Reach()


def _positions(shape: Shape) -> list[str]:
    return [axis.name for axis in shape.axes if axis.role != "features"]


def _size(shape: Shape, name: str) -> object:
    found = shape.find(name)
    return None if found is None else shape.sizes[found]


# --- situations ----------------------------------------------------------------------------------


class _Frame:
    """Several streams, and the same as seen from the first of them along each axis."""

    def __init__(self, sights: Sights) -> None:
        self._base: dict[str, Field] = {}
        for sight in sights:
            for name, field in sight.fields.items():
                self._base.setdefault(name, field)
        self._depth = (sights[0].shallow, sights[0].deep) if sights else (0, 0)
        self.inside = tuple([self._moved(sight, self._inside, -1) for sight in sights])

    def outside(self, sights: Sights) -> Sights:
        """The sights of streams inside, as they are outside."""
        return tuple([self._moved(sight, self._outside, 1) for sight in sights])

    def _moved(self, sight: Sight, move: Callable[[Field, Field], Field], sign: int) -> Sight:
        fields = {name: move(self._base[name], field) for name, field in sight.fields.items()}
        shallow, deep = self._depth
        return Sight(fields, sight.shallow + sign * shallow, sight.deep + sign * deep)

    @staticmethod
    def _inside(base: Field, field: Field) -> Field:
        scale = 1 if base.jump is None else 1 / Fraction(base.jump)
        low, high, least = [-_finite(v) * scale for v in (base.low, base.high, base.least)]
        return field.moved(low, high, least, scale)

    @staticmethod
    def _outside(base: Field, field: Field) -> Field:
        scale = 1 if base.jump is None else base.jump
        return field.moved(_finite(base.low), _finite(base.high), _finite(base.least), scale)


def _finite(value: Number) -> Number:
    return value if abs(value) != inf else 0


def _hashable(sight: Sight) -> tuple[object, ...]:
    return (*sorted(sight.fields.items()), sight.shallow, sight.deep)


# --- copies --------------------------------------------------------------------------------------


def _change(before: Sights, after: Sights) -> tuple[object, ...] | None:
    """What a copy added to each stream; None where streams changed in kind."""
    found: list[object] = []
    for old, new in zip(before, after, strict=True):
        if old.fields.keys() != new.fields.keys():
            return None
        found += [new.shallow - old.shallow, new.deep - old.deep]
        for name, field in new.fields.items():
            was = old.fields[name]
            ends = ((field.low, was.low), (field.high, was.high), (field.least, was.least))
            found += [0 if a == b else a - b for a, b in ends]
            found.append((field.jump, field.merged, field.known))
    return tuple(found)


def _added(sights: Sights, change: tuple[object, ...], times: int) -> Sights:
    """The streams after so many copies more, each of which adds the same."""
    steps = iter(change)
    found = []
    for sight in sights:
        shallow, deep = _next(steps), _next(steps)
        fields = {}
        for name, field in sight.fields.items():
            low, high, least = [_next(steps) * times if times else 0 for _ in range(3)]
            next(steps)
            fields[name] = field.moved(low, high, least, 1)
        found.append(
            Sight(fields, int(sight.shallow + shallow * times), int(sight.deep + deep * times))
        )
    return tuple(found)


def _next(steps: Iterator[object]) -> Number:
    step = next(steps)
    assert isinstance(step, (int, float, Fraction))
    return step
