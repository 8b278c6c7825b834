"""Nets that go down and come up again: drawn as the U that their papers draw.

In such a net streams of the way down are taken up again on the way up, the last one first. The way
up is laid out from the bottom to the top, and what belongs together stands side by side.
"""

from __future__ import annotations

from itertools import pairwise

from archc.render.scene import Edge, Scene
from archlang.record import Record

__all__ = ["Bend", "bend_of"]

_LEAST_SPAN = 4  # ranks that a stream skips before it counts as a way across
_LEAST_SHARE = 0.6  # of the net that the outermost way across spans


class Bend(Record):
    """How a net is bent.

    Args:
        up: the ids on the way up.
        level: pairs of ids, one on each side, that stand side by side.
    """

    up: frozenset[str]
    level: tuple[tuple[str, str], ...]


def bend_of(scene: Scene) -> Bend | None:
    """How to bend a scene, None when it is drawn straight."""
    ranks = scene.ranks()
    across = _nested(scene.edges, ranks)
    if len(across) < 2:
        return None
    outermost, innermost = across[0], across[-1]
    if _span(outermost, ranks) < _LEAST_SHARE * max(ranks.values()):
        return None
    turn = (ranks[innermost.source] + ranks[innermost.target]) // 2
    up = frozenset([id for id, rank in ranks.items() if rank > turn])
    return Bend(up, tuple([(edge.source, edge.target) for edge in across]))


def _nested(edges: tuple[Edge, ...], ranks: dict[str, int]) -> list[Edge]:
    """The long streams, outermost first, if each lies within the one before; else none."""
    long = [edge for edge in edges if not edge.delay and _span(edge, ranks) >= _LEAST_SPAN]
    long.sort(key=lambda edge: ranks[edge.source])
    for outer, inner in pairwise(long):
        begins_later = ranks[outer.source] < ranks[inner.source]
        if not begins_later or ranks[inner.target] >= ranks[outer.target]:
            return []
    return long


def _span(edge: Edge, ranks: dict[str, int]) -> int:
    return ranks.get(edge.target, 0) - ranks.get(edge.source, 0)
