"""Nets as networkx graphs: flat, with blocks as nodes, or one region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.graph import Call, Choice, Node, Operation, Program, Region, Repeat, Scan
from archc.netgraph_walk import Place, Start, Walk

if TYPE_CHECKING:
    import networkx

__all__ = ["GraphTooLargeError", "flat_graph", "graph", "region_graph"]

MOST_NODES = 100_000


class GraphTooLargeError(Exception):
    """A graph with more nodes than fit; the message says how many and what to do."""


def flat_graph(program: Program) -> networkx.MultiDiGraph[str]:
    """Every operator of a net as a node of its own, copies of repeats included.

    Nodes are called by their path (`stage.0.conv1`; a second use of shared weights has a number
    behind it) and have the attributes `kind` ("operator",
    "block", "input" or "output"), `op` (the operator's or block's name), `name`, `path`, `shapes`
    (of the outputs), `params`, `macs`, `shared_with` and `line`. Edges have `source_port`,
    `target_port`, `shape` and `delay` (in steps of time); a node's in-edges ordered by
    `target_port` are its inputs.

    Raises:
        GraphTooLargeError: beyond 100,000 nodes.
    """
    return graph(program)


def graph(program: Program, depth: int | None = None) -> networkx.MultiDiGraph[str]:
    """A net with the blocks below a depth as nodes; see `flat_graph` for the attributes.

    Args:
        program: the net.
        depth: how many levels of blocks are opened: 0 for none, None for all.

    Raises:
        GraphTooLargeError: beyond 100,000 nodes.
    """
    size = _Counter().nodes(program.region, depth)
    if size > MOST_NODES:
        hint = "give a smaller depth" if depth is None or depth > 0 else "walk its regions instead"
        raise GraphTooLargeError(
            f"the graph of {program.name} has {size:,} nodes, more than {MOST_NODES:,}: {hint}"
        )
    return _whole(program.region, depth)


def region_graph(region: Region) -> networkx.MultiDiGraph[str]:
    """One region as it stands: its blocks, repeats and choices are nodes.

    A repeat is one node with the attribute `count`; see `flat_graph` for the others.
    """
    return _whole(region, 0, unrolled=False)


def _whole(
    region: Region, depth: int | None, *, unrolled: bool = True
) -> networkx.MultiDiGraph[str]:
    walk = Walk(unrolled)
    entering = []
    for port in region.inputs:
        key = walk.node(port.name, kind="input", op="input", name=port.name, shapes=(port.shape,))
        entering.append(Start(key, 0, port.shape))
    leaving = walk.region(region, entering, Place("", depth, True, {}))
    for output, start in zip(region.outputs, leaving, strict=True):
        name = output.name or "out"
        key = walk.node(name, kind="output", op="output", name=name, shapes=(output.shape,))
        walk.graph.nodes[key]["training"] = output.training
        walk.edge(start, key, 0, 0)
    return walk.graph


class _Counter:
    """Counts the nodes of a graph without building it, each region once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Region, int | None], int] = {}

    def nodes(self, region: Region, depth: int | None) -> int:
        """How many operators and closed blocks a region holds."""
        if (region, depth) not in self._known:
            self._known[region, depth] = sum(self._node(node, depth) for node in region.nodes)
        return self._known[region, depth]

    def _node(self, node: Node, depth: int | None) -> int:
        match node:
            case Operation():
                return 1
            case Call():
                if depth is None:
                    return self.nodes(node.region, None)
                return 1 if depth <= 0 else self.nodes(node.region, depth - 1)
            case Choice() | Scan():
                return self.nodes(node.region, depth)
            case Repeat():
                return sum(self.nodes(run.region, depth) * run.count for run in node.runs)
