"""What a drawing collects: edges, unique ids, the blocks that were left closed."""

from __future__ import annotations

from typing import NamedTuple

from archc.graph import Region
from archc.render.scene import Edge, Fork

__all__ = ["Canvas", "Place", "Point", "Source", "View"]

View = tuple[Region, ...]  # regions that look alike, drawn once


class Point(NamedTuple):
    """Where an edge starts, and the shape to write on it ("" where it need not be said)."""

    id: str
    label: str


Source = tuple[Point, ...]  # several where one drawing stands for copies with different sources


class Place(NamedTuple):
    """Where in the net a drawing is.

    Args:
        path: what ids begin with: "", or a path and a dot.
        depth: how many levels of blocks are still opened.
        training: whether all of it is there in training only.
    """

    path: str
    depth: int
    training: bool


class Canvas:
    """Collects edges while items are drawn, keeps ids apart and says each shape once."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self.closed: dict[int, list[Region]] = {}
        self._ids: set[str] = set()
        self._entered = 0
        self._carried: set[str] = set()
        self._said: set[Point] = set()
        self._joined: set[tuple[str, str]] = set()
        self._shared: set[tuple[str, str]] = set()

    def unique(self, wanted: str) -> str:
        """An id that no other item has, the wanted one if it is free."""
        name, number = wanted, 1
        while name in self._ids:
            number += 1
            name = f"{wanted}_{number}"
        self._ids.add(name)
        return name

    def connect(self, source: Source, target: str, *, training: bool = False) -> None:
        """Draw an edge from each point; the first that leaves a point says its shape."""
        for point in source:
            if (point.id, target) in self._joined:
                continue
            self._joined.add((point.id, target))
            label = "" if point in self._said else point.label
            self._said.add(point)
            self.edges.append(Edge(point.id, target, label, training))

    def enter(self, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        """Stand-ins for the streams that flow into a frame, until `settle` knows who takes them."""
        self._entered += len(sources)
        first = self._entered - len(sources)
        return tuple((Point(f"\0{first + port}", ""),) for port in range(len(sources)))

    def settle(
        self,
        sources: tuple[Source, ...],
        entered: tuple[Source, ...],
        leaving: list[Source],
        place: Place,
    ) -> tuple[tuple[Fork, ...], list[Source]]:
        """Connect the streams that flow into a frame, once what is inside has been drawn.

        A stream that several parts take enters the frame once, and parts there.

        Returns:
            The forks, and the sources that leave the frame.
        """
        forks: list[Fork] = []
        for source, ((stand_in, _),) in zip(sources, entered, strict=True):
            taken = self._taken(stand_in)
            if len(taken) > 1:
                fork = Fork(self.unique(f"{place.path}fork"), place.training)
                forks.append(fork)
                self.connect(source, fork.id, training=all(edge.training for edge in taken))
                self.edges += [edge.replace(source=fork.id) for edge in taken]
            elif taken and taken[0].delay:
                self.edges += [taken[0].replace(source=point.id) for point in source]
            elif taken:
                self.connect(source, taken[0].target, training=taken[0].training)
            leaving = [
                tuple([kept for p in one for kept in (source if p.id == stand_in else (p,))])
                for one in leaving
            ]
        return tuple(forks), leaving

    def repeat(self, leaving: list[Source]) -> None:
        """Remember which streams flow from one copy of a repeat to the next."""
        self._carried.update(point.id for source in leaving for point in source)

    @property
    def looping(self) -> frozenset[str]:
        """What flows to the next copy and nowhere else: other streams go on behind the last."""
        going = {edge.source for edge in self.edges}
        return frozenset(self._carried & self._ids - going)

    def arrive_late(self, stand_in: Source, source: Source, delay: int, begin: Source = ()) -> None:
        """Connect a stream that arrives `delay` steps of time later, once its source is drawn.
        `begin` is what arrives before the first."""
        for edge in self._taken(stand_in[0].id):
            late = [Edge(p.id, edge.target, "", edge.training, delay) for p in source]
            self.edges += late
            self.connect(begin, edge.target, training=edge.training)

    def _taken(self, stand_in: str) -> list[Edge]:
        """Take out the edges that begin at a stand-in."""
        taken = [edge for edge in self.edges if edge.source == stand_in]
        self.edges = [edge for edge in self.edges if edge.source != stand_in]
        return taken

    def close(self, look: int, view: View) -> None:
        """Remember a block that is drawn as one box."""
        known = self.closed.setdefault(look, [])
        known.extend(region for region in view if region not in known)

    def shows_again(self, path: str, shared: str | None) -> bool:
        """Whether shared weights were shown before at this place."""
        if shared is None or (path, shared) in self._shared:
            return shared is not None
        self._shared.add((path, shared))
        return False
