"""Regions built by hand, for what no file can say yet or what would need a long one."""

from __future__ import annotations

from typing import Any

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
from archc.op import Op
from archc.shapes import Shape
from archlang.source import Source, Span

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
