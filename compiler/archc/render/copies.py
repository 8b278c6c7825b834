"""The copies of a repeat: which of them are drawn together, and what that drawing says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archc.graph import Region, Repeat, Run
from archc.render.canvas import Point, Source, View
from archc.render.labels import shape_text
from archc.render.structure import Looks
from archlang.record import Record

__all__ = ["Group", "captured", "distinct", "groups", "relabelled"]


class Group(Record):
    """Copies that are drawn once.

    Args:
        runs: the runs they come from, in order.
        counts: how many copies there are, in each of the repeats that are drawn as one.
        index: of the copy in paths; "*" where there are several.
    """

    runs: tuple[Run, ...]
    counts: tuple[int, ...]
    index: str

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
    if len(repeats) > 1:
        runs = tuple([run for repeat in repeats for run in repeat.runs])
        return [Group(runs, tuple([repeat.count for repeat in repeats]), "*")]
    gathered: list[list[Run]] = []
    for run in repeats[0].runs:
        if gathered and looks.of(gathered[-1][-1].region) == looks.of(run.region):
            gathered[-1].append(run)
        else:
            gathered.append([run])
    found: list[Group] = []
    begin = 0
    for runs_together in gathered:
        count = sum(run.count for run in runs_together)
        found.append(Group(tuple(runs_together), (count,), str(begin) if count == 1 else "*"))
        begin += count
    return found


def distinct(regions: Sequence[Region]) -> View:
    """The regions without those that came before."""
    return tuple(dict.fromkeys(regions))


def captured(runs: Sequence[Run], streams: Mapping[tuple[int, int], Source]) -> tuple[Source, ...]:
    """The sources of the captured inputs, those of all runs together."""
    columns = zip(*[run.captures for run in runs], strict=False)
    return tuple(
        [
            tuple(dict.fromkeys(p for w in column for p in streams.get((w.node, w.port), ())))
            for column in columns
        ]
    )


def relabelled(group: Group, view: View, leaving: Sequence[Source]) -> list[Source]:
    """The sources behind copies: they say the shape after the last copy, not the range."""
    last = group.runs[-1].region
    found: list[Source] = []
    for port, source in enumerate(leaving):
        after = shape_text([last.outputs[port].shape])
        same = port < len(last.inputs) and after == shape_text([view[0].inputs[port].shape])
        found.append(tuple([Point(p.id, after if p.label or not same else "") for p in source]))
    return found
