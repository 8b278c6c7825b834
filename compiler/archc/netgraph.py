"""Nets as networkx graphs: flat, with blocks as nodes, or one region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from archc.cost import Totals, cost, input_shapes, operator_cost
from archc.graph import INPUTS, Call, Choice, Node, Operation, Program, Region, Repeat, Wire
from archc.render.structure import by_name
from archc.shapes import Shape

if TYPE_CHECKING:
    import networkx

__all__ = ["GraphTooLargeError", "flat_graph", "graph", "region_graph"]

MOST_NODES = 100_000


class GraphTooLargeError(Exception):
    """A graph with more nodes than fit; the message says how many and what to do."""


class _Start(NamedTuple):
    """Where a stream leaves: a node of the networkx graph, and which of its outputs."""

    key: str
    port: int
    shape: Shape


def flat_graph(program: Program) -> networkx.MultiDiGraph[str]:
    """Every operator of a net as a node of its own, copies of repeats included.

    Nodes are called by their path (`stage.0.conv1`) and have the attributes `kind` ("operator",
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
    walk = _Walk(unrolled)
    entering = []
    for port in region.inputs:
        key = walk.node(port.name, kind="input", op="input", name=port.name, shapes=(port.shape,))
        entering.append(_Start(key, 0, port.shape))
    leaving = walk.region(region, entering, "", depth, stored=True)
    for output, start in zip(region.outputs, leaving, strict=True):
        name = output.name or "out"
        key = walk.node(name, kind="output", op="output", name=name, shapes=(output.shape,))
        walk.graph.nodes[key]["training"] = output.training
        walk.edge(start, key, 0, 0)
    return walk.graph


class _Walk:
    """Builds the graph, region by region."""

    def __init__(self, unrolled: bool) -> None:
        import networkx

        self.graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        self._unrolled = unrolled

    def node(self, wanted: str, **attributes: Any) -> str:
        """Add a node; its key is the wanted path, with a number where that is taken."""
        key, number = wanted, 1
        while key in self.graph:
            number += 1
            key = f"{wanted}_{number}"
        figures = {"params": 0, "macs": 0, "shared_with": None, "line": None}
        self.graph.add_node(key, **{**figures, **attributes, "path": key})
        return key

    def edge(self, start: _Start, key: str, port: int, delay: int) -> None:
        """Add the edge of a stream to input `port` of a node."""
        self.graph.add_edge(
            start.key, key, source_port=start.port, target_port=port, shape=start.shape, delay=delay
        )

    def region(
        self, region: Region, entering: list[_Start], prefix: str, depth: int | None, stored: bool
    ) -> list[_Start]:
        """Add what is in a region; give where its outputs leave."""
        starts = {(INPUTS, port): start for port, start in enumerate(entering)}
        late: list[tuple[Wire, str, int]] = []
        for number, node in enumerate(region.nodes):
            sources = [None if w.delay else starts[w.node, w.port] for w in node.inputs]
            leaving = self._node(region, node, sources, starts, prefix, depth, stored)
            starts.update({(number, port): start for port, start in enumerate(leaving)})
            late += [(w, leaving[0].key, port) for port, w in enumerate(node.inputs) if w.delay]
        for wire, key, port in late:
            self.edge(starts[wire.node, wire.port], key, port, wire.delay)
        return [starts[output.wire.node, output.wire.port] for output in region.outputs]

    def _node(
        self,
        region: Region,
        node: Node,
        sources: list[_Start | None],
        starts: dict[tuple[int, int], _Start],
        prefix: str,
        depth: int | None,
        stored: bool,
    ) -> list[_Start]:
        match node:
            case Operation():
                shapes = input_shapes(region, node.inputs)
                figures = operator_cost(node.op, shapes, node.outputs)
                return self._leaf(node, node.op.name, figures, sources, prefix, stored)
            case Call() if depth is not None and depth <= 0:
                name = node.region.name
                return self._leaf(node, name, cost(node.region), sources, prefix, stored)
            case Call():
                below = None if depth is None else depth - 1
                inside = f"{prefix}{node.name}." if node.name else prefix
                known = [source for source in sources if source is not None]
                return self.region(node.region, known, inside, below, stored and not node.shared)
            case Choice():
                known = [source for source in sources if source is not None]
                return self.region(node.region, known, prefix, depth, stored)
            case Repeat():
                known = [source for source in sources if source is not None]
                if self._unrolled:
                    return self._copies(node, known, starts, prefix, depth, stored)
                return self._repeat(node, known, starts, prefix, stored)

    def _leaf(
        self,
        node: Operation | Call,
        what: str,
        figures: Totals,
        sources: list[_Start | None],
        prefix: str,
        stored: bool,
    ) -> list[_Start]:
        key = self.node(
            _path(prefix, node.name, what, stateful=figures.params != 0 or isinstance(node, Call)),
            kind="operator" if isinstance(node, Operation) else "block",
            op=what,
            name=node.name,
            shapes=node.outputs,
            params=figures.params if stored and node.shared is None else 0,
            macs=figures.macs,
            shared_with=node.shared,
            line=node.span.position.line,
        )
        for port, source in enumerate(sources):
            if source is not None:
                self.edge(source, key, port, 0)
        return [_Start(key, port, shape) for port, shape in enumerate(node.outputs)]

    def _copies(
        self,
        node: Repeat,
        sources: list[_Start],
        starts: dict[tuple[int, int], _Start],
        prefix: str,
        depth: int | None,
        stored: bool,
    ) -> list[_Start]:
        carried = len(node.inputs)
        gathered: list[list[_Start]] = [[] for _ in node.collected]
        copy = 0
        for run in node.runs:
            captures = [starts[wire.node, wire.port] for wire in run.captures]
            for _ in range(run.count):
                inside = f"{prefix}{node.name}.{copy}." if node.name else prefix
                leaving = self.region(run.region, [*sources, *captures], inside, depth, stored)
                sources = leaving[:carried]
                named = by_name(leaving[carried:], node.collected)
                for streams, more in zip(gathered, named, strict=True):
                    streams += more
                copy += 1
        return [*sources, *[start for streams in gathered for start in streams]]

    def _repeat(
        self,
        node: Repeat,
        sources: list[_Start],
        starts: dict[tuple[int, int], _Start],
        prefix: str,
        stored: bool,
    ) -> list[_Start]:
        figures = Totals.sum([cost(run.region).times(run.count) for run in node.runs])
        key = self.node(
            _path(prefix, node.name, "repeat", stateful=True),
            kind="repeat",
            op=" ".join(dict.fromkeys(run.region.name for run in node.runs)).strip() or "repeat",
            name=node.name,
            shapes=node.outputs,
            params=figures.params if stored else 0,
            macs=figures.macs,
            count=node.count,
            line=node.span.position.line,
        )
        captures = dict.fromkeys(
            starts[wire.node, wire.port] for run in node.runs for wire in run.captures
        )
        for port, source in enumerate([*sources, *captures]):
            self.edge(source, key, port, 0)
        return [_Start(key, port, shape) for port, shape in enumerate(node.outputs)]


def _path(prefix: str, name: str, what: str, *, stateful: bool) -> str:
    """Where a node is. One without a name that has weights is the only one of its group and adds no
    level; an operator without weights is called by what it is."""
    if name or not prefix or not stateful:
        return prefix + (name or what.lower())
    return prefix.removesuffix(".")


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
            case Choice():
                return self.nodes(node.region, depth)
            case Repeat():
                return sum(self.nodes(run.region, depth) * run.count for run in node.runs)
