"""One step of a cell at given shapes of its states: lowered to be kept, or tried and forgotten."""

from __future__ import annotations

from typing import Any

from archc.dims import symbols, unknown_answers
from archc.graph import Port, Region, State
from archc.lower.body import run_statements
from archc.lower.builder import Builder
from archc.lower.context import Context, Problem
from archc.lower.plans import Plan
from archc.lower.regions import rebuild, region_of_step, template_of
from archc.lower.steps import Start, Step, identity
from archc.lower.things import POISON, Scope, Stream, is_stream, name_of
from archc.shapes import Shape
from archlang import tree
from archlang.diagnostics import Diagnostic, Diagnostics
from archlang.record import Record

__all__ = ["Attempt", "Cell", "Shapes", "Tried", "attempt", "lower_step", "one_step"]

Shapes = dict[str, Shape]


class Cell(Record):
    """A cell at work: its equations, what flows in by name, what its states begin with."""

    block: tree.Block
    plan: Plan
    inputs: dict[str, Stream]
    starts: dict[str, Start]

    @property
    def open(self) -> tuple[str, ...]:
        """The states of which nothing says the shape."""
        names = [n for n in self.plan.remembered if n not in self.inputs]
        return tuple([n for n in names if n not in self.starts])


class Attempt(Record):
    """A step that was lowered.

    Args:
        step: how.
        made: the shape that the equations give each state.
        region: of the step.
        states: what is kept from step to step.
        template: how the outputs are arranged.
    """

    step: Step
    made: Shapes
    region: Region
    states: tuple[State, ...]
    template: Any

    def arrange(self, streams: list[Stream]) -> Any:
        """What leaves the cell, with these streams."""
        return rebuild(self.template, streams)


class Tried(Record):
    """What came of a guess.

    Args:
        shapes: the guess.
        made: what the equations make of it; None where something is wrong.
        diagnostics: what is wrong.
        pairs: sizes of which it is unknown whether they are equal.
    """

    shapes: Shapes
    made: Shapes | None
    diagnostics: tuple[Diagnostic, ...]
    pairs: tuple[tuple[Any, Any], ...]


def one_step(sequence: Shape) -> Shape:
    """The shape of one element of a sequence."""
    return sequence.replace(axes=sequence.axes[1:])


def attempt(cell: Cell, shapes: Shapes, ctx: Context) -> Tried:
    """What the equations make of a guess; the session forgets that they were asked."""
    session = ctx.session
    kept = (session.diagnostics, session.memo, session.weights, list(session.notes))
    owners = _owners(ctx.builder)
    session.diagnostics = Diagnostics()
    session.memo, session.weights = dict(session.memo), dict(session.weights)
    with unknown_answers() as pairs:
        try:
            made = lower_step(cell, shapes, ctx)
        finally:
            found, memo = session.diagnostics, session.memo
            session.diagnostics, session.memo, session.weights, session.notes = kept
            for builder, count in owners:
                del builder.shares[count:]
    session.memo.update({key: entry for key, entry in memo.items() if _is_settled(entry)})
    return Tried(shapes, None if made is None else made.made, found.all, tuple(pairs))


def _is_settled(entry: Any) -> bool:
    """Whether a region is what it is whatever was guessed; the names of guesses have a dot."""
    if entry.modules or entry.result == ("value", POISON):
        return False
    sizes = [size for port in entry.region.inputs for size in port.shape.sizes]
    return all("." not in symbol.name for size in sizes for symbol in symbols(size))


def _owners(builder: Builder | None) -> list[tuple[Builder, int]]:
    found: list[tuple[Builder, int]] = []
    while builder is not None:
        found.append((builder, len(builder.shares)))
        builder = builder.parent
    return found


def lower_step(cell: Cell, shapes: Shapes, ctx: Context) -> Attempt | None:
    """One step at these shapes; None after an error, which is reported."""
    ports = [Port(name, one_step(stream.shape)) for name, stream in cell.inputs.items()]
    builder = Builder(ctx.builder, ports)
    if ctx.builder is not None:
        builder.copy_names(ctx.builder)
    streams = builder.inputs([stream.span for stream in cell.inputs.values()])
    inputs = dict(zip(cell.inputs, streams, strict=True))
    step = Step(builder, inputs, cell.starts, shapes, cell.plan.timed)
    scope = Scope(ctx.scope, step.names())
    inside = Context(ctx.session, builder, scope, ctx.file, None, None, ctx.frame)
    result = run_statements(cell.plan.step, cell.block.body.span, inside)
    if result is POISON or any(made is POISON for made in step.current.values()):
        return None
    return _finished(cell, step, result, inside)


def _finished(cell: Cell, step: Step, result: Any, ctx: Context) -> Attempt | None:
    if not is_stream(result):
        message = f"{cell.block.name} ends in {name_of(result)}: a stream must leave it"
        ctx.report(Problem("value-as-stream", message, cell.block.span).diagnostic)
        return None
    found = step.finish(ctx)
    outputs: list[Stream] = []
    template = template_of(result, outputs)
    outputs = [_own(output, step, ctx) for output in outputs]
    step.settle()
    region = region_of_step(cell.block.body, cell.block.span, step.builder, outputs)
    states = step.states(found, len(cell.inputs))
    return Attempt(step, {n: s.shape for n, s in found.items()}, region, states, template)


def _own(output: Stream, step: Step, ctx: Context) -> Stream:
    """An output that an earlier step made is handed on by this one."""
    return identity(output, "out", ctx) if step.builder.wire(output).delay else output
