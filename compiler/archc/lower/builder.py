"""Building one region: nodes, input ports, the streams and modules captured from outside."""

from __future__ import annotations

from typing import Any

from archc.graph import INPUTS, Node, Port, Repeat, Shared, Wire
from archc.lower.spent import Spent
from archc.lower.things import SharedValue, Stream
from archc.shapes import Shape
from archlang.source import Span

__all__ = ["Builder"]


class Builder:
    """Collects what becomes one `Region`.

    Args:
        parent: the builder of the region that this one is called from; None for a net.
        ports: the names and shapes of the streams that flow in.
        outer: for each port the stream outside that feeds it, so that a use of that stream inside
            is a use of the port; None for a net.
        spent: counts the nodes of all regions; that of the parent by default.

    Attributes:
        called: what the inside calls streams from outside, by their identity.
    """

    def __init__(
        self,
        parent: Builder | None,
        ports: list[Port],
        outer: list[Stream] | None = None,
        spent: Spent | None = None,
    ) -> None:
        self.parent = parent
        self.spent: Spent = spent or (Spent() if parent is None else parent.spent)
        self.ports = ports
        self.proper = len(ports)
        self.nodes: list[Node] = []
        self.captured: list[Stream] = []
        self.shares: list[Shared] = []
        self.borrowed: list[SharedValue] = []
        self.labels: dict[str, Any] = {}
        self.input_stream: Any = None
        self.training: list[tuple[str | None, Any]] = []
        self.output_names: list[str | None] = []
        self.promised: list[Shape] = []
        self.finals: dict[Wire, Any] = {}
        self.called: dict[Any, str] = {}
        self._taken: set[str] = set()
        self._known: dict[tuple[int, Wire], int] = {}
        for position, stream in enumerate(outer or []):
            self._known.setdefault(stream.identity, position)

    def inputs(self, spans: list[Span]) -> list[Stream]:
        """Handles of the streams that flow in."""
        return [
            Stream(self, Wire(INPUTS, i), port.shape, span)
            for i, (port, span) in enumerate(zip(self.ports, spans, strict=True))
        ]

    def add_input(self, name: str, shape: Shape, span: Span) -> Stream:
        """One more input of a net."""
        self.ports.append(Port(self.unique(name), shape))
        self.proper += 1
        return Stream(self, Wire(INPUTS, len(self.ports) - 1), shape, span)

    def name_input(self, stream: Stream, name: str) -> None:
        """Call an input of this region as the file does."""
        if stream.builder is self and stream.wire.node == INPUTS:
            self.ports[stream.wire.port] = Port(name, stream.shape)

    def add(self, node: Node) -> list[Stream]:
        """Add a node; returns handles of its outputs.

        Raises:
            Problem: too-many-nodes.
        """
        self.spent.node(node.span)
        self.nodes.append(node)
        position = len(self.nodes) - 1
        return [
            Stream(self, Wire(position, port), shape, node.span)
            for port, shape in enumerate(node.outputs)
        ]

    def shape_of(self, wire: Wire) -> Shape:
        """The shape of what a wire of this region carries."""
        if wire.node == INPUTS:
            return self.ports[wire.port].shape
        if wire.node < INPUTS:
            return self.promised[INPUTS - 1 - wire.node]
        return self.nodes[wire.node].outputs[wire.port]

    def wire(self, stream: Stream) -> Wire:
        """The wire of a stream inside this region; a stream from outside is captured."""
        if stream.builder is self:
            return stream.wire
        position = self._known.get(stream.identity)
        if position is None:
            position = len(self.ports)
            self._known[stream.identity] = position
            name = self.called.get(stream.identity, "")
            self.ports.append(Port(name, stream.shape))
            self.captured.append(stream)
        return Wire(INPUTS, position)

    def module(self, shared: SharedValue) -> str:
        """The name, in this region, of a module that may belong to a region outside."""
        if shared.owner is self:
            return shared.name
        for known in self.borrowed:
            if known.owner is shared.owner and known.name == shared.name:
                return known.name
        self.borrowed.append(shared)
        return shared.name

    def promise(self, shape: Shape) -> None:
        """A stream of an earlier step, whose place is known when the step is whole: number n of
        them is called node `INPUTS - 1 - n` until then."""
        self.promised.append(shape)

    def keep(self, wires: list[Wire]) -> None:
        """Put the wires that were promised, in their order, in their places."""
        self.nodes = [_kept(node, wires) for node in self.nodes]

    def share_names(self, other: Builder) -> None:
        """Take no name that another region has, and the other way round."""
        self._taken = other._taken

    def copy_names(self, other: Builder) -> None:
        """Take no name that another region has so far."""
        self._taken = set(other._taken)

    def unique(self, wanted: str) -> str:
        """The wanted name, or with a number where a node has it already."""
        name, number = wanted, 2
        while name and name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name


def _kept(node: Node, wires: list[Wire]) -> Node:
    if isinstance(node, Repeat):
        runs = [run.replace(captures=_of(run.captures, wires)) for run in node.runs]
        node = node.replace(runs=tuple(runs))
    return node.replace(inputs=_of(node.inputs, wires))


def _of(inputs: tuple[Wire, ...], wires: list[Wire]) -> tuple[Wire, ...]:
    return tuple([wires[INPUTS - 1 - w.node] if w.node < INPUTS else w for w in inputs])
