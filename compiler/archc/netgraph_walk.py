"""The walk that builds networkx graphs of nets, region by region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from archc.cost import Totals, cost, input_shapes, operator_cost
from archc.graph import INPUTS, Call, Choice, Node, Operation, Region, Repeat, Scan, Wire, wires_of
from archc.render.copies import with_last
from archc.render.structure import by_name
from archc.shapes import Shape

if TYPE_CHECKING:
    import networkx

__all__ = ["Place", "Start", "Walk"]


class Start(NamedTuple):
    """Where a stream leaves: a node of the networkx graph, and which of its outputs."""

    key: str
    port: int
    shape: Shape


class Place(NamedTuple):
    """Where in the net a region is.

    Args:
        prefix: what paths begin with: "", or a path and a dot.
        depth: how many levels of blocks are still opened, None for all.
        stored: whether the weights inside are counted here, and not at another use of them.
        modules: the paths of the shared modules in scope, by their name there.
    """

    prefix: str
    depth: int | None
    stored: bool
    modules: Mapping[str, str]

    def inside(self, node: Call | Choice | Repeat | Scan, name: str) -> Place:
        """The place of what is in a node, `name` being its level in paths."""
        modules = {inner: self.modules[here] for inner, here in node.lends if here in self.modules}
        return self._replace(
            prefix=f"{self.prefix}{name}." if name else self.prefix, modules=modules
        )


Starts = dict[tuple[int, int], Start]  # by node and port


class _Sources(NamedTuple):
    """Where the streams of a region leave: those of this step, and stand-ins for earlier ones."""

    now: Starts
    late: Mapping[Wire, Start]

    def of(self, wire: Wire) -> Start:
        """Where a wire begins."""
        return self.late[wire] if wire.delay else self.now[wire.node, wire.port]


class Walk:
    """Builds the graph, region by region."""

    def __init__(self, unrolled: bool) -> None:
        import networkx

        self.graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        self._unrolled = unrolled
        self._counted: set[str] = set()
        self._waiting: dict[str, list[tuple[str, int]]] = {}

    def node(self, wanted: str, **attributes: Any) -> str:
        """Add a node; its key is the wanted path, with a number where that is taken."""
        key, number = wanted, 1
        while key in self.graph:
            number += 1
            key = f"{wanted}_{number}"
        figures = {"params": 0, "macs": 0, "shared_with": None, "line": None}
        self.graph.add_node(key, **{**figures, **attributes, "path": wanted})
        return key

    def edge(self, start: Start, key: str, port: int, delay: int) -> None:
        """Add the edge of a stream to input `port` of a node."""
        if start.key in self._waiting:
            self._waiting[start.key].append((key, port))
            return
        self.graph.add_edge(
            start.key, key, source_port=start.port, target_port=port, shape=start.shape, delay=delay
        )

    def region(
        self,
        region: Region,
        entering: Sequence[Start],
        place: Place,
        begin: Mapping[Wire, Start] = MappingProxyType({}),
    ) -> list[Start]:
        """Add what is in a region; give where its outputs leave.

        Args:
            region: the region.
            entering: where its inputs come from.
            place: where in the net it is.
            begin: for streams that are read later, what is read before there is one.
        """
        own = {shared.name: f"{place.prefix}{shared.name}" for shared in region.shares}
        place = place._replace(modules={**place.modules, **own})
        starts = {(INPUTS, port): start for port, start in enumerate(entering)}
        late = {wire: self._stand_in(region, wire) for n in region.nodes for wire in _late(n)}
        for number, node in enumerate(region.nodes):
            leaving = self._node(region, node, _Sources(starts, late), place)
            starts.update({(number, port): start for port, start in enumerate(leaving)})
        for wire, stand_in in late.items():
            for key, port in self._waiting.pop(stand_in.key):
                self.edge(starts[wire.node, wire.port], key, port, wire.delay)
                if wire.replace(delay=0) in begin:
                    self.edge(begin[wire.replace(delay=0)], key, port, 0)
        return [starts[output.wire.node, output.wire.port] for output in region.outputs]

    def _stand_in(self, region: Region, wire: Wire) -> Start:
        """Stands for a stream of an earlier step until it is known where that leaves."""
        key = f"\0{len(self._waiting)}"
        self._waiting[key] = []
        return Start(key, wire.port, input_shapes(region, (wire,))[0])

    def _node(self, region: Region, node: Node, starts: _Sources, place: Place) -> list[Start]:
        known = [starts.of(wire) for wire in node.inputs]
        match node:
            case Operation():
                shapes = input_shapes(region, node.inputs)
                figures = operator_cost(node.op, shapes, node.outputs)
                return self._leaf(node, node.op.name, figures, known, place)
            case Call() if place.depth is not None and place.depth <= 0:
                return self._leaf(node, node.region.name, cost(node.region), known, place)
            case Call():
                below = None if place.depth is None else place.depth - 1
                stored = place.stored and self._counts(node, place)
                inside = place.inside(node, node.shared or node.name)
                return self.region(node.region, known, inside._replace(depth=below, stored=stored))
            case Choice():
                return self.region(node.region, known, place.inside(node, ""))
            case Scan():
                return self._steps(node, known, place)
            case Repeat() if self._unrolled:
                return self._copies(node, known, starts, place)
            case Repeat():
                return self._repeat(node, known, starts, place)

    def _steps(self, node: Scan, sources: list[Start], place: Place) -> list[Start]:
        """One step, whose streams stand for those of all; what a state begins with comes first."""
        whole = node.timed + node.starts
        entering = [*sources[: node.timed], *sources[whole:]]
        begin = {s.wire: sources[s.initial] for s in node.states if s.initial is not None}
        return self.region(with_last(node), entering, place.inside(node, ""), begin)

    def _counts(self, node: Operation | Call, place: Place) -> bool:
        """Whether the weights of a node are counted at it: shared ones are at their first use."""
        module = node.shared and place.modules.get(node.shared)
        if not node.shared or (module and module not in self._counted):
            self._counted.add(module or "")
            return True
        return False

    def _leaf(
        self,
        node: Operation | Call,
        what: str,
        figures: Totals,
        sources: Sequence[Start],
        place: Place,
    ) -> list[Start]:
        block = isinstance(node, Call)
        name = node.shared if block and node.shared else node.name
        key = self.node(
            _path(place.prefix, name, what, stateful=block or figures.params != 0),
            kind="block" if block else "operator",
            op=what,
            name=node.name,
            shapes=node.outputs,
            params=figures.params if place.stored and self._counts(node, place) else 0,
            macs=figures.macs,
            shared_with=node.shared,
            line=node.span.position.line,
        )
        for port, source in enumerate(sources):
            self.edge(source, key, port, 0)
        return [Start(key, port, shape) for port, shape in enumerate(node.outputs)]

    def _copies(
        self, node: Repeat, sources: list[Start], starts: _Sources, place: Place
    ) -> list[Start]:
        carried = len(node.inputs)
        gathered: list[list[Start]] = [[] for _ in node.collected]
        copy = 0
        for run in node.runs:
            captures = [starts.of(wire) for wire in run.captures]
            for _ in range(run.count):
                inside = place.inside(node, f"{node.name}.{copy}" if node.name else str(copy))
                leaving = self.region(run.region, [*sources, *captures], inside)
                sources = leaving[:carried]
                named = by_name(leaving[carried:], node.collected)
                for streams, more in zip(gathered, named, strict=True):
                    streams += more
                copy += 1
        return [*sources, *[start for streams in gathered for start in streams]]

    def _repeat(
        self, node: Repeat, sources: list[Start], starts: _Sources, place: Place
    ) -> list[Start]:
        figures = Totals.sum([cost(run.region).times(run.count) for run in node.runs])
        names = dict.fromkeys(run.region.name for run in node.runs)
        key = self.node(
            _path(place.prefix, node.name, "repeat", stateful=True),
            kind="repeat",
            op=" ".join(names).strip() or "repeat",
            name=node.name,
            shapes=node.outputs,
            params=figures.params if place.stored else 0,
            macs=figures.macs,
            count=node.count,
            line=node.span.position.line,
        )
        captures = dict.fromkeys(starts.of(wire) for run in node.runs for wire in run.captures)
        for port, source in enumerate([*sources, *captures]):
            self.edge(source, key, port, 0)
        return [Start(key, port, shape) for port, shape in enumerate(node.outputs)]


def _path(prefix: str, name: str, what: str, *, stateful: bool) -> str:
    """Where a node is. One without a name that has weights is the only one of its group and adds no
    level; an operator without weights is called by what it is."""
    if name or not prefix or not stateful:
        return prefix + (name or what.lower())
    return prefix.removesuffix(".")


def _late(node: Node) -> list[Wire]:
    return [wire for wire in wires_of(node) if wire.delay]
