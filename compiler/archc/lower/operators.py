"""Operators: their arguments, and what happens when a stream flows into one."""

from __future__ import annotations

from typing import Any

from archc.graph import Operation
from archc.lower.context import Context, Problem
from archc.lower.lengths import with_padding
from archc.lower.operator_arguments import make_operator, streams_of
from archc.lower.things import (
    POISON,
    Bundle,
    OperatorValue,
    SharedValue,
    Stream,
)
from archc.op import Op, OpError
from archc.shapes import Shape
from archlang.diagnostics import Label, Note
from archlang.source import Span
from archlang.values import LARGEST

__all__ = ["apply_operator", "flatten", "operation"]


def flatten(thing: Any) -> list[Stream]:
    """The streams of a thing that flows, in order."""
    if isinstance(thing, Stream):
        return [thing]
    return [stream for item in thing.items for stream in flatten(item)]


def apply_operator(
    thing: OperatorValue, incoming: Any, span: Span, name: str, ctx: Context, shared: Any = None
) -> Any:
    """Let what comes in flow into an operator; returns what comes out.

    Raises:
        Problem: when it does not fit.
    """
    op = make_operator(thing, span, ctx)
    if op is POISON or incoming is POISON:
        return POISON
    streams = [] if incoming is None else flatten(incoming)
    _check_count(op, streams, incoming, span)
    return operation(op, [*streams, *streams_of(thing)], span, name, ctx, shared)


def _check_count(op: Op, streams: list[Stream], incoming: Any, span: Span) -> None:
    least, most = op.inputs
    if least <= len(streams) and (most is None or len(streams) <= most):
        return
    if not streams:
        message = f"nothing flows into {op.name}"
        begin = "begin with INPUT(...), or with the name of a stream"
        raise Problem("no-input", message, span, help=begin)
    takes = "one stream" if (least, most) == (1, 1) else f"{least} streams"
    if least == 0:
        takes = "no stream"
    if most is None:
        takes = f"at least {least} streams"
    flows = "one flows in" if len(streams) == 1 else f"a bundle of {len(streams)} flows in"
    help = "join them: `-> CONCAT`, `-> ADD`, or pick one: `-> SELECT(0)`" if most == 1 else None
    raise Problem("stream-count", f"{op.name} takes {takes}, {flows}", span, help=help)


def operation(
    op: Op,
    streams: list[Stream],
    span: Span,
    name: str,
    ctx: Context,
    shared: SharedValue | None = None,
) -> Any:
    """Add an operator at work to the region; returns its stream, or its bundle.

    Raises:
        Problem: when the shapes do not fit.
    """
    builder = ctx.builder
    if builder is None:
        return POISON
    shapes = [stream.shape for stream in streams]
    try:
        inferred = op.infer(*[shape.whole() for shape in shapes])
    except OpError as error:
        fixed = _flatten_first(error, streams, span, ctx)
        if fixed is None:
            raise _misfit(op, error, streams, span, ctx) from error
        streams = [fixed]
        inferred = op.infer(fixed.shape.whole())
    outputs = inferred if isinstance(inferred, tuple) else (inferred,)
    _check_sizes(outputs, span)
    outputs, counts = with_padding(op, streams, outputs, span, ctx)
    module = None if shared is None else builder.module(shared)
    wires = tuple([builder.wire(stream) for stream in [*streams, *counts]])
    node = Operation(builder.unique(name), wires, outputs, span, None, op, module)
    made = builder.add(node)
    return made[0] if isinstance(inferred, Shape) else Bundle(tuple(made))


def _check_sizes(outputs: tuple[Shape, ...], span: Span) -> None:
    for shape in outputs:
        for size in shape.sizes:
            if isinstance(size, int) and size > LARGEST:
                message = f"a size of {size:,} is 2**63 or more"
                raise Problem("number-too-large", message, span)


def _flatten_first(
    error: OpError, streams: list[Stream], span: Span, ctx: Context
) -> Stream | None:
    # In a sketch an FC that meets a map flattens it, and everything shows that FLATTEN.
    if error.code != "needs-flatten" or not ctx.session.sketch:
        return None
    from archc.op import REGISTRY

    flatten_op = REGISTRY.get("FLATTEN")
    assert flatten_op is not None
    note = f"FLATTEN put in before {span.text} on line {span.position.line}"
    if note not in ctx.session.notes:
        ctx.session.notes.append(note)
    made = operation(flatten_op(), streams, span, "flatten", ctx)
    return made if isinstance(made, Stream) else None


def _misfit(op: Op, error: OpError, streams: list[Stream], span: Span, ctx: Context) -> Problem:
    positions = error.operands if error.operands is not None else range(len(streams))
    more: list[Label] = []
    for position in positions:
        stream = streams[position]
        if stream.span != span:
            more.append(Label(stream.span, str(stream.shape)))
    notes: tuple[Note, ...] = ()
    if len(streams) > 1:
        from archc.lower.trails import trails

        notes = trails(streams, ctx)
    return Problem(error.code, error.message, span, more=tuple(more), notes=notes, help=error.help)
