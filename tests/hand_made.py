"""Programs made by hand: what lowering makes of a text, without a text."""

from __future__ import annotations

from typing import Any

import archc.ops
from archc.graph import (
    INPUTS,
    Call,
    Choice,
    Node,
    Operation,
    Port,
    Program,
    Region,
    RegionKind,
    RegionOutput,
    Repeat,
    Run,
    Shared,
    Wire,
)
from archc.op import REGISTRY, Op
from archc.shapes import Shape
from archlang.source import Source, Span

SOURCE = Source.of("made.arch", "net Made =\n  INPUT(3, 11, 13) -> CONV(5) -> RELU\n")
SPAN = Span(SOURCE, 33, 40)

Stream = Wire


_ = archc.ops  # importing it registers the operators


def operator(name: str) -> Any:
    """The class of an operator."""
    found = REGISTRY.get(name)
    assert found is not None, name
    return found


class Made:
    """A region that is being made: methods add nodes and give their streams."""

    def __init__(
        self, *inputs: Shape, kind: RegionKind = "block", name: str = "", captured: int = 0
    ):
        self.ports = [Port(f"x{i}" if i else "x", shape) for i, shape in enumerate(inputs)]
        self.kind: RegionKind = kind
        self.name = name
        self.captured = captured
        self.nodes: list[Node] = []
        self.outputs: list[RegionOutput] = []
        self.shares: list[Shared] = []
        self.borrowed: list[str] = []

    def x(self, number: int = 0) -> Stream:
        """An input."""
        return Wire(INPUTS, number)

    def shape(self, stream: Stream) -> Shape:
        """The shape of a stream."""
        if stream.node == INPUTS:
            return self.ports[stream.port].shape
        return self.nodes[stream.node].outputs[stream.port]

    def op(self, name: str, op: Op, *streams: Stream, **fields: Any) -> Stream:
        """An operator at work."""
        inferred = op.infer(*[self.shape(stream) for stream in streams])
        outputs = inferred if isinstance(inferred, tuple) else (inferred,)
        return self._add(Operation(name, streams, outputs, SPAN, None, op, **fields))

    def call(self, name: str, region: Region, *streams: Stream, **fields: Any) -> Stream:
        """A block at work."""
        return self._add(Call(name, streams, _leaving(region), SPAN, None, region, **fields))

    def choice(self, region: Region, *streams: Stream) -> Stream:
        """A conditional step."""
        return self._add(Choice("", streams, _leaving(region), SPAN, None, region))

    def repeat(
        self, name: str, runs: list[tuple[Region, int]], *streams: Stream, **fields: Any
    ) -> Stream:
        """Copies in a row."""
        made = tuple([Run(region, count, fields.get("captures", ())) for region, count in runs])
        fields.pop("captures", None)
        outputs = _leaving(runs[-1][0])
        return self._add(Repeat(name, streams, outputs, SPAN, None, made, **fields))

    def out(self, stream: Stream, name: str = "out", *, training: bool = False) -> Made:
        """What leaves."""
        self.outputs.append(RegionOutput(name, stream, self.shape(stream), training))
        return self

    def region(self) -> Region:
        """The region."""
        return Region(
            self.name,
            self.kind,
            tuple(self.ports),
            tuple(self.nodes),
            tuple(self.outputs),
            object(),
            SPAN,
            captured=self.captured,
            shares=tuple(self.shares),
            borrowed=tuple(self.borrowed),
        )

    def program(self, name: str = "made", **fields: Any) -> Program:
        """The region as a net."""
        return Program(name, None, self.region(), SOURCE.name, **fields)

    def _add(self, node: Node) -> Stream:
        self.nodes.append(node)
        return Wire(len(self.nodes) - 1)


def chain(kind: RegionKind, shape: Shape, *steps: tuple[str, Op], name: str = "") -> Region:
    """A region of operators in a row."""
    made = Made(shape, kind=kind, name=name)
    stream = made.x()
    for step, op in steps:
        stream = made.op(step, op, stream)
    return made.out(stream).region()


def _leaving(region: Region) -> tuple[Shape, ...]:
    return tuple([output.shape for output in region.outputs])
