"""What a picture consists of, before any drawing language: boxes, joins, ends, clusters, edges."""

from __future__ import annotations

from collections.abc import Iterator

from archlang.record import Record

__all__ = ["Box", "Cell", "Cluster", "Edge", "End", "Fork", "Item", "Join", "Scene", "boxes"]


class Cell(Record):
    """One operator in a box, or a block that is not opened (family "block")."""

    family: str
    name: str
    text: str = ""


class Box(Record):
    """Operators in a row, each feeding the next.

    Args:
        id: the path in the state_dict where there is one; unique in the picture.
        cells: the operators, in order.
        count: "×3" for three copies in a row, else "".
        caption: a word below, such as whose weights these are.
        training: whether it is there in training only.
        hint: where the file says so, for the tooltip.
    """

    id: str
    cells: tuple[Cell, ...]
    count: str = ""
    caption: str = ""
    training: bool = False
    hint: str = ""


class Join(Record):
    """Streams that meet: a small circle with the operator's sign."""

    id: str
    sign: str
    name: str
    training: bool = False


class End(Record):
    """An input or an output of the net, or of a block that is explained apart."""

    id: str
    name: str
    text: str
    training: bool = False


class Fork(Record):
    """Where the stream that enters a block parts."""

    id: str
    training: bool = False


class Cluster(Record):
    """A block, or a group that is repeated, with what is inside.

    Args:
        id: unique in the picture.
        title: of the block, "" for a group.
        items: what is inside.
        count: "×3" for three copies in a row, else "".
        remarks: lines below the title.
        training: whether it is there in training only.
        apart: whether it explains a box of the picture.
    """

    id: str
    title: str
    items: tuple[Item, ...]
    count: str = ""
    remarks: tuple[str, ...] = ()
    training: bool = False
    apart: bool = False


Item = Box | Join | End | Fork | Cluster


class Edge(Record):
    """A stream.

    Args:
        source: the id of the box that it leaves.
        target: the id of the box that it enters.
        label: its shape where that is worth saying.
        training: whether it flows in training only.
        delay: how many steps of time later it arrives.
    """

    source: str
    target: str
    label: str = ""
    training: bool = False
    delay: int = 0


class Scene(Record):
    """A whole picture.

    Args:
        items: the net, then the blocks that are explained apart.
        edges: the streams.
        looping: ids of boxes whose stream flows to the next copy of a repeat, and nowhere else.
    """

    items: tuple[Item, ...]
    edges: tuple[Edge, ...]
    looping: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """The number of boxes and joins."""
        return sum(not isinstance(item, Fork) for item in boxes(self.items))

    @property
    def length(self) -> int:
        """The number of boxes on the longest way from an input to an output."""
        return max(self.ranks().values(), default=0)

    def ranks(self) -> dict[str, int]:
        """How far each box is from the inputs, by its longest way, counted from 1."""
        behind: dict[str, list[str]] = {}
        waiting: dict[str, int] = {}
        for edge in self.edges:
            if edge.delay == 0:
                behind.setdefault(edge.source, []).append(edge.target)
                waiting[edge.target] = waiting.get(edge.target, 0) + 1
        ready = [source for source in behind if source not in waiting]
        ranks = dict.fromkeys(ready, 1)
        while ready:
            here = ready.pop()
            for there in behind.get(here, ()):
                ranks[there] = max(ranks.get(there, 0), ranks[here] + 1)
                waiting[there] -= 1
                if waiting[there] == 0:
                    ready.append(there)
        return ranks


def boxes(items: tuple[Item, ...]) -> Iterator[Box | Join | End | Fork]:
    """Everything that is not a cluster, in order."""
    for item in items:
        if isinstance(item, Cluster):
            yield from boxes(item.items)
        else:
            yield item
