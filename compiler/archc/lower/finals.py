"""`m.state`: what a cell or a recurrent layer remembers at the end of its sequence."""

from __future__ import annotations

from typing import Any

from archc.lower.context import Context, Problem
from archc.lower.exports import definition_around, mentions_attribute
from archc.lower.operators import flatten
from archc.lower.things import Bundle, Stream, is_stream
from archlang import tree

__all__ = ["STATE", "asks_for_state", "keep_state", "parted", "state_of"]

STATE = "state"


def asks_for_state(expr: tree.Expr, ctx: Context) -> bool:
    """Whether the definition around a place reads `.state` of anything."""
    return mentions_attribute(definition_around(expr, ctx), STATE)


def parted(made: Any, ctx: Context) -> Any:
    """The sequence alone, of a bundle of a sequence and its final states."""
    if not isinstance(made, Bundle):
        return made
    sequence, states = made.items
    keep_state(sequence, states, ctx)
    return sequence


def keep_state(sequence: Any, states: Any, ctx: Context) -> None:
    """Remember the final states behind a sequence."""
    if ctx.builder is None or not is_stream(sequence):
        return
    for one in flatten(sequence):
        if one.builder is ctx.builder:
            ctx.builder.finals[one.wire] = states


def state_of(stream: Stream, expr: tree.Attribute) -> Any:
    """The final state behind a sequence: a stream, or a bundle where there are several.

    Raises:
        Problem: when it does not come from a cell.
    """
    states = stream.builder.finals.get(stream.wire)
    if states is None:
        message = f"{expr.value.span.text} does not come from a cell: it has no state"
        help = "`m = src -> GRU(64)` has one: `m.state`"
        raise Problem("unknown-attribute", message, expr.span, help=help)
    if isinstance(states, Bundle) and len(states.items) == 1:
        return states.items[0]
    return states
