"""How many rows a table has at each depth, found without making one."""

from __future__ import annotations

from collections.abc import Callable

from archc.cost import TRANSPARENT, regions_of
from archc.graph import Call, Choice, Node, Operation, Region, Repeat, Scan

__all__ = ["Measure", "is_bare", "is_shown", "is_split"]


def is_shown(node: Operation) -> bool:
    """Whether an operator has a row: inputs, and what only hands a stream on, have none."""
    return node.op.family != "input" and node.op.name not in TRANSPARENT


def is_bare(region: Region) -> bool:
    """Whether a repeated group is a single step, which needs no level of its own."""
    return region.kind == "group" and len(region.nodes) == 1


def is_split(node: Repeat) -> bool:
    """Whether the copies of a repeat differ, so that opening it shows its runs."""
    return len(node.runs) > 1


class Measure:
    """Counts rows and levels, each region once.

    At depth 0 the contents of a region are its operators and its blocks, closed; each further
    level opens the blocks in it once more.

    Args:
        counts: which operators have a row.
    """

    def __init__(self, counts: Callable[[Operation], bool] = is_shown) -> None:
        self._counts = counts
        self._rows: dict[tuple[Region, int], int] = {}
        self._levels: dict[Region, int] = {}

    def levels(self, region: Region) -> int:
        """How often the blocks in a region can be opened."""
        found = self._levels.get(region)
        if found is None:
            found = max([self._node_levels(node) for node in region.nodes], default=0)
            self._levels[region] = found
        return found

    def rows(self, region: Region, depth: int) -> int:
        """The number of rows of a region's contents."""
        depth = min(depth, self.levels(region))
        found = self._rows.get((region, depth))
        if found is None:
            found = sum([self._node_rows(node, depth) for node in region.nodes])
            self._rows[region, depth] = found
        return found

    def fitting(self, region: Region, limit: int) -> int:
        """The greatest depth at which a region's contents have at most `limit` rows, at least 0."""
        depth, deepest = 0, self.levels(region)
        while depth < deepest and self.rows(region, depth + 1) <= limit:
            depth += 1
        return depth

    def is_empty(self, region: Region) -> bool:
        """Whether nothing in a region has a row: an identity."""
        return self.rows(region, 0) == 0

    def _node_levels(self, node: Node) -> int:
        if isinstance(node, Operation):
            return 0
        if isinstance(node, (Choice, Scan)):
            return self.levels(node.region)
        if isinstance(node, Call):
            return 1 + self.levels(node.region)
        return is_split(node) + max(
            [self._body_levels(part) for part in regions_of(node)], default=0
        )

    def _body_levels(self, region: Region) -> int:
        if is_bare(region):
            return self._node_levels(region.nodes[0])
        return 1 + self.levels(region)

    def _node_rows(self, node: Node, depth: int) -> int:
        if isinstance(node, Operation):
            return int(self._counts(node))
        if isinstance(node, (Choice, Scan)):
            return self.rows(node.region, depth)
        if isinstance(node, Call):
            return self._opened(node.region, depth)
        if not is_split(node):
            return sum([self._body_rows(part, depth) for part in regions_of(node)])
        if depth == 0:
            return int(not all(self.is_empty(part) for part in regions_of(node)))
        return sum([self._body_rows(part, depth - 1) for part in regions_of(node)])

    def _body_rows(self, region: Region, depth: int) -> int:
        return (
            self._node_rows(region.nodes[0], depth)
            if is_bare(region)
            else self._opened(region, depth)
        )

    def _opened(self, region: Region, depth: int) -> int:
        if depth == 0 or self.is_empty(region):
            return int(not self.is_empty(region))
        return self.rows(region, depth - 1)
