"""The copies of a repeat: which of them are drawn together, and what that drawing says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archc.graph import Region, RegionOutput, Repeat, Run, Scan
from archc.render.canvas import Point, Source, View
from archc.render.labels import shape_text
from archc.render.structure import Looks
from archlang.record import Record

__all__ = ["Group", "captured", "distinct", "groups", "relabelled", "with_last"]


class Group(Record):
    """Copies that are drawn once.

    Args:
        parts: the runs they come from, in order, for each of the repeats that are drawn as one.
        index: of the copy in paths; "*" where there are several.
    """

    parts: tuple[tuple[Run, ...], ...]
    index: str

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs."""
        return tuple([run for part in self.parts for run in part])

    @property
    def counts(self) -> tuple[int, ...]:
        """How many copies there are in each of the repeats."""
        return tuple([sum(run.count for run in part) for part in self.parts])

    @property
    def single(self) -> bool:
        """Whether it is one copy at one set of shapes."""
        return len(self.runs) == 1 and self.counts == (1,)


def groups(repeats: Sequence[Repeat], looks: Looks) -> list[Group]:
    """Split the copies of a repeat into those that are drawn together: neighbours that look alike.

    Args:
        repeats: one repeat, or several that look alike and are drawn as one.
        looks: says what looks alike.
    """
    found: list[Group] = []
    begin = 0
    for parts in zip(*[_neighbours(repeat.runs, looks) for repeat in repeats], strict=True):
        count = sum(run.count for run in parts[0])
        found.append(Group(parts, str(begin) if count == 1 and len(parts) == 1 else "*"))
        begin += count
    return found


def _neighbours(runs: Sequence[Run], looks: Looks) -> list[tuple[Run, ...]]:
    found: list[list[Run]] = []
    for run in runs:
        if found and looks.of(found[-1][-1].region) == looks.of(run.region):
            found[-1].append(run)
        else:
            found.append([run])
    return [tuple(together) for together in found]


def with_last(scan: Scan) -> Region:
    """The step of a cell, with the last value of each state as outputs behind its own."""
    last = [RegionOutput(state.name, state.wire, state.shape) for state in scan.states]
    return scan.region.replace(outputs=(*scan.region.outputs, *last))


def distinct(regions: Sequence[Region]) -> View:
    """The regions without those that came before."""
    return tuple(dict.fromkeys(regions))


def captured(group: Group, streams: Mapping[tuple[int, int], Source]) -> tuple[Source, ...]:
    """The sources of the captured inputs, those of all runs together."""
    columns = zip(*[run.captures for run in group.parts[0]], strict=True)
    return tuple(
        [
            tuple(dict.fromkeys(point for w in column for point in streams[w.node, w.port]))
            for column in columns
        ]
    )


def relabelled(group: Group, leaving: Sequence[Source]) -> list[Source]:
    """The sources behind copies: they say the shape after the last copy, not the range."""
    found: list[Source] = []
    for port, source in enumerate(leaving):
        after = shape_text([part[-1].region.outputs[port].shape for part in group.parts])
        inputs = [part[0].region.inputs for part in group.parts]
        same = port < len(inputs[0]) and after == shape_text([i[port].shape for i in inputs])
        found.append(tuple([Point(p.id, after if p.label or not same else "") for p in source]))
    return found
