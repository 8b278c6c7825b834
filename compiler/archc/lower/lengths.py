"""Sequences with padding: the lengths that a net takes, and the operators that read them."""

from __future__ import annotations

from typing import Any

from archc.graph import Port
from archc.lower.builder import Builder
from archc.lower.context import Context
from archc.lower.problem import Problem
from archc.lower.things import Stream
from archc.op import Op
from archc.padding import Meeting
from archc.shapes import Lengths, Shape
from archlang.diagnostics import Label
from archlang.source import Span

__all__ = [
    "add_lengths", "claimed_lengths", "counts_of", "sources_of", "with_padding", "without_number",
]  # fmt: skip

_HELP = "leave the padding out first: `LAST`, `MEAN(axis=t)` or `MAX(axis=t)` know the lengths"


def add_lengths(made: Stream, root: Builder, span: Span, ctx: Context) -> Stream:
    """Give an input of the net the input with its lengths, directly behind it."""
    port = root.ports[made.wire.port]
    steps = port.shape.axes[0].size
    shape = port.shape.with_lengths({0: Lengths(port.name)})
    root.ports[made.wire.port] = port.replace(shape=shape)
    counts = root.add_input(f"{port.name}_lengths", Shape((), steps + 1), span)
    own = root.ports[counts.wire.port]
    root.ports[counts.wire.port] = own.replace(lengths_of=port.name)
    ctx.session.lengths[port.name] = counts
    return Stream(root, made.wire, shape, made.span)


def without_number(ports: list[Port]) -> tuple[Port, ...]:
    """The inputs of a net: the lengths of an only one are `lengths`."""
    if len(ports) != 2 or ports[1].lengths_of is None or ports[0].name == "lengths":
        return tuple(ports)
    return ports[0], ports[1].replace(name="lengths")


def with_padding(
    op: Op, streams: list[Stream], outputs: tuple[Shape, ...], span: Span, ctx: Context
) -> tuple[tuple[Shape, ...], list[Stream]]:
    """The outputs of an operator with their padding, and the lengths that flow in as well.

    Raises:
        Problem: padded-steps, where padding would change what becomes of real steps.
    """
    inputs = tuple([stream.shape for stream in streams])
    if not any(shape.padded for shape in inputs):
        return outputs, []
    try:
        padded = op.padded(inputs, outputs)
    except Meeting as met:
        more = [Label(s.span, str(s.shape)) for s in streams if s.shape.padded and s.span != span]
        help = met.help or _HELP
        raise Problem("padded-steps", met.message, span, more=tuple(more), help=help) from met
    return padded.outputs, [counts_of(lengths, ctx) for lengths in padded.reads]


def counts_of(lengths: Lengths, ctx: Context) -> Stream:
    """The input of the net that holds the lengths."""
    found: Stream = ctx.session.lengths[lengths.source]
    return found


def sources_of(streams: list[Stream], ctx: Context) -> list[Stream]:
    """The inputs that hold the lengths of streams, each once, in the order of the streams."""
    axes = [axis for stream in streams for axis in stream.shape.axes]
    names = dict.fromkeys([axis.lengths.source for axis in axes if axis.lengths is not None])
    return [ctx.session.lengths[name] for name in names]


def claimed_lengths(found: Shape, claimed: Shape, wanted: Any, span: Span) -> Shape:
    """A claimed kind with the padding that the stream has.

    Raises:
        Problem: where lengths are claimed and there are none, or padding is not along the steps.
    """
    if any(claimed.axes[i].role != "steps" for i in found.padded):
        message = f"a claim of {claimed} would forget which of its positions are padding"
        raise Problem("padded-steps", message, span, help=_HELP)
    if wanted and not found.padded:
        message = f"lengths are claimed, and {found} has no padding"
        raise Problem("shape-claim-failed", message, span, help="leave out `lengths=yes`")
    return claimed.with_lengths({i: found.axes[i].lengths for i in found.padded})
