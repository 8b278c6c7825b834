"""What happens when a stream flows into an operator, a block, a chain or a shared module."""

from __future__ import annotations

from typing import Any

from archc.lower.context import Context, Problem
from archc.lower.finals import asks_for_state, keep_state
from archc.lower.names import snake
from archc.lower.operator_arguments import make_operator
from archc.lower.operators import apply_operator, operation
from archc.lower.things import (
    NONE,
    POISON,
    BlockValue,
    Bundle,
    ChainValue,
    OperatorValue,
    Scope,
    SharedValue,
    Stream,
    is_stream,
    name_of,
)
from archlang import tree

__all__ = ["flow", "not_a_step", "place"]


def flow(thing: Any, incoming: Any, expr: tree.Expr, ctx: Context) -> Any:
    """Let a stream flow into a block-like thing.

    Raises:
        Problem: when it does not fit.
    """
    if incoming is POISON:
        return POISON
    match thing:
        case OperatorValue():
            return _operator(thing, incoming, expr, ctx)
        case BlockValue():
            from archc.lower.blocks import call_block

            return call_block(thing, incoming, expr, place(expr, ctx, snake(thing.block.name)), ctx)
        case ChainValue():
            inside = Context(
                ctx.session,
                ctx.builder,
                Scope(thing.scope),
                thing.file,
                incoming,
                incoming,
                ctx.frame,
            )
            return inside.stream(thing.expr)
        case SharedValue():
            return _shared(thing, incoming, expr, ctx)
    raise not_a_step(thing, expr)


def place(expr: tree.Node, ctx: Context, fallback: str) -> str:
    """The name of the module that a place of the text makes."""
    from archc.lower.regions import names_at

    return names_at(expr, ctx, fallback)


def _operator(thing: OperatorValue, incoming: Any, expr: tree.Expr, ctx: Context) -> Any:
    op = thing.op
    if op.name == "ID":
        return incoming
    if op.name == "NONE":
        return NONE
    if op.family == "input":
        from archc.lower.inputs import enter

        return enter(thing, incoming, expr, ctx)
    if op.name == "SELECT" and isinstance(incoming, Bundle):
        return _select(thing, incoming, expr, ctx)
    if op.family == "recurrent" and asks_for_state(expr, ctx):
        return _with_state(thing, incoming, expr, ctx)
    if op.name == "UNEMBED":
        from archc.lower.sharing import unembed

        return unembed(thing, incoming, expr, ctx)
    return apply_operator(thing, incoming, expr.span, place(expr, ctx, snake(op.name)), ctx)


def _with_state(thing: OperatorValue, incoming: Any, expr: tree.Expr, ctx: Context) -> Any:
    """A recurrent layer whose final state is read behind it."""
    op = make_operator(thing, expr.span, ctx)
    if op is POISON or not isinstance(incoming, Stream):
        return apply_operator(thing, incoming, expr.span, place(expr, ctx, snake(op.name)), ctx)
    where = place(expr, ctx, snake(op.name))
    made = operation(op.replace(states=True), [incoming], expr.span, where, ctx)
    if made is POISON:
        return POISON
    keep_state(made.items[0], Bundle(made.items[1:], ("h", "c")[: len(made.items) - 1]), ctx)
    return made.items[0]


def _select(thing: OperatorValue, bundle: Bundle, expr: tree.Expr, ctx: Context) -> Any:
    from archc.lower.guards import guarded
    from archlang import values

    position = dict(thing.given).get(thing.op.arguments[0].name, 0)
    if isinstance(position, tuple) and len(position) == 1:
        position = position[0]
    with guarded(expr.span):
        if isinstance(position, range):
            return Bundle(tuple([values.index(bundle.items, i) for i in position]))
        return values.index(bundle.items, position)


def _shared(thing: SharedValue, incoming: Any, expr: tree.Expr, ctx: Context) -> Any:
    from archc.lower.sharing import use_shared

    return use_shared(thing, incoming, expr, ctx)


def not_a_step(thing: Any, step: tree.Expr) -> Problem:
    written = step.span.text
    if is_stream(thing):
        message = f"{written} is a stream: nothing can flow into it"
        help = f"join the two: `{{ ID + {written} }}` or `{{ ID | {written} }}`"
        return Problem("stream-after-arrow", message, step.span, help=help)
    if thing is NONE:
        message = "NONE leaves nothing behind that could flow on"
        return Problem("stream-missing", message, step.span, help="the identity is ID")
    message = f"{name_of(thing)} is a value: a stream cannot flow into it"
    return Problem("value-as-stream", message, step.span)
