"""Regions built by hand, for what no file can say yet or what would need a long one."""

from __future__ import annotations

from typing import Any

import archc.ops  # noqa: F401 - registers the operators
from archc.graph import (
    INPUTS,
    Call,
    Operation,
    Port,
    Program,
    Region,
    RegionKind,
    RegionOutput,
    Repeat,
    Run,
    Wire,
)
from archc.op import REGISTRY, Op
from archc.shapes import Shape, feature_map
from archlang.source import Source, Span


def operator(name: str) -> Any:
    """The class of an operator."""
    found = REGISTRY.get(name)
    assert found is not None
    return found


ADD, BN, CONCAT, CONV, FC = map(operator, ("ADD", "BN", "CONCAT", "CONV", "FC"))
MAXPOOL, RELU, SUB = map(operator, ("MAXPOOL", "RELU", "SUB"))

SOURCE = Source.of("by_hand.arch", "net ByHand\n")
SPAN = Span(SOURCE, 0, 3)


class Builder:
    """Builds one region, node by node."""

    def __init__(
        self,
        name: str,
        kind: RegionKind,
        inputs: dict[str, Shape],
        captured: int = 0,
        **arguments: Any,
    ) -> None:
        self.name, self.kind, self.captured = name, kind, captured
        self.inputs = tuple([Port(port, shape) for port, shape in inputs.items()])
        self.arguments = tuple(arguments.items())
        self.nodes: list[Any] = []
        self.outputs: list[RegionOutput] = []

    def shape(self, wire: Wire) -> Shape:
        if wire.node == INPUTS:
            return self.inputs[wire.port].shape
        shape: Shape = self.nodes[wire.node].outputs[wire.port]
        return shape

    def input(self, port: int = 0) -> Wire:
        return Wire(INPUTS, port)

    def op(self, op: Op, *wires: Wire, name: str = "", shared: str | None = None) -> Wire:
        inferred = op.infer(*[self.shape(wire) for wire in wires])
        outputs = inferred if isinstance(inferred, tuple) else (inferred,)
        return self._add(Operation(name, wires, outputs, SPAN, None, op, shared))

    def call(self, region: Region, *wires: Wire, name: str = "", shared: str | None = None) -> Wire:
        outputs = tuple([output.shape for output in region.outputs])
        return self._add(Call(name, wires, outputs, SPAN, None, region, shared))

    def repeat(
        self, runs: list[Run], *wires: Wire, name: str = "", collected: tuple[str, ...] = ()
    ) -> Wire:
        carried = [output.shape for output in runs[-1].region.outputs[: len(wires)]]
        gathered = [
            run.region.outputs[len(wires) + port].shape
            for port in range(len(collected))
            for run in runs
            for _ in range(run.count)
        ]
        outputs = (*carried, *gathered)
        return self._add(Repeat(name, wires, outputs, SPAN, None, tuple(runs), collected))

    def out(self, wire: Wire, name: str = "", training: bool = False) -> Builder:
        self.outputs.append(RegionOutput(name, wire, self.shape(wire), training))
        return self

    def region(self) -> Region:
        return Region(
            self.name,
            self.kind,
            self.inputs,
            tuple(self.nodes),
            tuple(self.outputs),
            None,
            SPAN,
            self.captured,
            self.arguments,
        )

    def program(self) -> Program:
        return Program(self.name, None, self.region(), "by_hand.arch")

    def _add(self, node: Any) -> Wire:
        self.nodes.append(node)
        return Wire(len(self.nodes) - 1)


def residual_block(filters: int, stride: int, shape: Shape) -> Region:
    """Two convolutions with a way around them."""
    block = Builder("Residual", "block", {"x": shape}, c=filters, s=stride)
    stream = block.op(CONV(filters, 3, stride), block.input(), name="conv1")
    stream = block.op(RELU(), stream)
    stream = block.op(CONV(filters, 3), stream, name="conv2")
    around = block.input()
    if stride != 1 or shape.sizes[0] != filters:
        around = block.op(CONV(filters, 1, stride), around, name="shortcut")
    joined = block.op(ADD(), stream, around)
    return block.out(block.op(RELU(), joined)).region()


def residual_net(name: str, stages: list[tuple[int, int]], copies: int) -> Program:
    """Stages of residual blocks, as `[unit(c, s) -> [unit(c)]*(n-1) for c, s in stages]`."""
    shape = feature_map(5, 29, 31)
    net = Builder(name, "net", {"x": shape})
    runs = []
    for filters, stride in stages:
        stage = Builder("", "group", {"x": shape})
        stream = stage.call(residual_block(filters, stride, shape), stage.input(), name="first")
        shape = stage.shape(stream)
        rest = Builder("", "group", {"x": shape})
        rest.out(rest.call(residual_block(filters, 1, shape), rest.input()))
        stream = stage.repeat([Run(rest.region(), copies - 1)], stream, name="rest")
        runs.append(Run(stage.out(stream).region(), 1))
    return net.out(net.repeat(runs, net.input(), name="stage")).program()


HOSTILE = 'a"; evil [label=<IMG SRC="/etc/passwd"/>]; </TD><script>alert(1)</script> \\" \\ & \x07'


def hostile_program() -> Program:
    """A net whose every name tries to be something else."""
    net = Builder(HOSTILE, "net", {HOSTILE: feature_map(3, 5, 7)})
    block = Builder(HOSTILE, "block", {"x": feature_map(3, 5, 7)}, **{HOSTILE: HOSTILE})
    inside = block.op(CONV(3), block.input(), name=HOSTILE, shared=HOSTILE)
    inside = block.op(MAXPOOL(), inside, name=HOSTILE)
    region = block.out(inside).region()
    stream = net.call(region, net.input(), name=HOSTILE)
    span = Span(Source.of(HOSTILE, "net"), 0, 3)
    net.nodes[0] = net.nodes[0].replace(span=span)
    return net.out(stream, HOSTILE).program()


def loaded(net: str, text: str | None = None) -> Program:
    """A net of the library, or of a text."""
    from archc.pipeline import Request, load_program

    found = load_program(Request(net, text=text))
    assert found.program is not None, found.diagnostics
    return found.program
