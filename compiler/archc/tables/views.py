"""What the rows of a region see, in the first of its copies and in the last."""

from __future__ import annotations

from archc.geometry import Geometry, spanning
from archc.graph import Region, Repeat, Run
from archc.sight import Sight
from archc.tables.places import Place

__all__ = ["Views"]

Entering = tuple[tuple[Sight, ...], tuple[Sight, ...]]


class Views:
    """What the streams of a region see.

    Args:
        geometry: finds it.
        region: the region.
        sights: what the streams see that enter the first of its copies, and the last.
    """

    def __init__(self, geometry: Geometry, region: Region, sights: Entering) -> None:
        self._geometry, self._region = geometry, region
        self._around = sights
        self._first, self._last = [geometry.of(region, entering) for entering in sights]

    def at(self, place: Place, number: int) -> Place:
        """The place of a node, with what enters it and what its output sees."""
        node = self._region.nodes[number]
        leaving = [seen.nodes[number] for seen in (self._first, self._last)]
        seen = spanning(leaving[0][0], leaving[1][0]) if leaving[0] else None
        entered = (self._first.at(node.inputs), self._last.at(node.inputs))
        return place.replace(sights=entered, around=self._around, seen=seen)

    def runs(self, node: Repeat) -> tuple[Entering, ...]:
        """What enters the first copy of each run of a repeat, and the last."""
        first = self._geometry.copies(node, self._first)
        last = self._geometry.copies(node, self._last)
        return tuple([(one[0], other[1]) for one, other in zip(first, last, strict=True)])

    def after(self, place: Place, run: Run) -> Place:
        """The place of a run's copies, with what their output sees."""
        if not run.region.outputs:
            return place
        first, last = [self._geometry.leaving(run.region, entered) for entered in place.sights]
        return place.replace(seen=spanning(first[0], last[0]))
