"""Streams: what flows where. Chains, groups, braces, arithmetic, names."""

from __future__ import annotations

from typing import Any

from archc.lower.comprehensions import copies, is_list
from archc.lower.computing import condition
from archc.lower.context import Context, Problem
from archc.lower.evaluate import evaluate
from archc.lower.flows import flow, not_a_step
from archc.lower.joins import arithmetic, as_stream, unary, when
from archc.lower.things import (
    NONE,
    POISON,
    BlockValue,
    Bundle,
    OperatorValue,
    Stream,
    is_block,
    is_stream,
    is_value,
    name_of,
)
from archc.op import MOST_STREAMS
from archlang import tree
from archlang.source import Span

__all__ = ["define", "stream"]


def stream(expr: tree.Expr, ctx: Context) -> Any:
    """What leaves an expression: a stream, a bundle, a number, NONE, or POISON after an error.

    An operand that starts with an operator takes what flows in here.

    Raises:
        Problem: with the place.
    """
    match expr:
        case tree.Chain():
            current = stream(expr.steps[0], ctx)
            for step in expr.steps[1:]:
                current = _step(step, current, ctx)
            return current
        case tree.Named():
            return _named(expr, ctx)
        case tree.Claimed():
            return _claimed(expr, ctx)
        case tree.Paren():
            return stream(expr.value, ctx)
        case tree.Group():
            return _group(expr, ctx)
        case tree.Fork():
            return _fork(expr, ctx)
        case tree.Bundle():
            return _bundle(expr.items, ctx)
        case tree.Binary() if expr.operator == "or":
            return _open_choice(expr, ctx)
        case tree.Binary():
            return arithmetic(expr, ctx)
        case tree.Unary() if expr.operator == "-":
            return unary("NEG", expr.operand, expr, ctx)
        case tree.Transpose():
            return unary("TRANSPOSED", expr.value, expr, ctx)
        case tree.Repeat():
            from archc.lower.repeats import repeated

            return repeated(expr, ctx)
        case tree.Conditional() | tree.Optional():
            return _conditional(expr, ctx)
        case tree.When():
            return when(expr, ctx)
    return _settle(evaluate(expr, ctx), expr, ctx)


def _settle(thing: Any, expr: tree.Expr, ctx: Context) -> Any:
    if not is_block(thing):
        return thing
    return flow(thing, _incoming(thing, expr, ctx), expr, ctx)


def _incoming(thing: Any, expr: tree.Expr, ctx: Context) -> Any:
    incoming = ctx.incoming
    if incoming is None and ctx.builder is not None:
        incoming = ctx.builder.input_stream
    if isinstance(thing, OperatorValue) and thing.op.inputs[0] == 0 and incoming is None:
        return None
    if isinstance(thing, BlockValue) and thing.block.kind == "net" and incoming is None:
        return None
    if incoming is None:
        message = f"nothing flows into {name_of(thing)}"
        help = "begin with INPUT(...), or with the name of a stream"
        raise Problem("no-input", message, expr.span, help=help)
    return incoming


# --- steps ---------------------------------------------------------------------------------------


def _step(step: tree.Expr, incoming: Any, ctx: Context) -> Any:
    if incoming is POISON:
        return POISON
    if not is_stream(incoming):
        return _number_flows(step, incoming)
    match step:
        case tree.Name() | tree.Call() | tree.Attribute() | tree.Index():
            thing = evaluate(step, ctx)
            if thing is POISON:
                return POISON
            if not is_block(thing):
                raise not_a_step(thing, step)
            return flow(thing, incoming, step, ctx)
        case tree.Named() | tree.Claimed() | tree.Optional() | tree.Conditional():
            inside = Context(
                ctx.session, ctx.builder, ctx.scope, ctx.file, incoming, ctx.identity, ctx.frame
            )
            return stream(step, inside) if _flows(step, ctx) else _step_name(step, incoming, ctx)
    return stream(step, ctx.into(incoming))


def _flows(step: Any, ctx: Context) -> bool:
    # `x -> y as z` where y is a stream is the same mistake as `x -> y`.
    inner = step
    while isinstance(inner, (tree.Named, tree.Claimed, tree.Optional)):
        inner = inner.value
    if not isinstance(inner, tree.Name):
        return True
    found = ctx.scope.find(inner.name)
    return found is None or is_block(found)


def _step_name(step: Any, incoming: Any, ctx: Context) -> Any:
    while not isinstance(step, tree.Name):
        step = step.value
    return _step(step, incoming, ctx)


def _number_flows(step: tree.Expr, incoming: Any) -> Any:
    if incoming is NONE:
        raise Problem("stream-missing", "NONE flows nowhere", step.span)
    message = f"{name_of(incoming)} is a value and cannot flow into {step.span.text}"
    help = "parentheses bind: `2 * (x -> FC(3))`"
    if isinstance(incoming, tuple) and any(isinstance(part, Stream) for part in incoming):
        help = "streams flow side by side as a bundle: `{ x, y } -> ...`"
    raise Problem("value-as-stream", message, step.span, help=help)


# --- names and claims ----------------------------------------------------------------------------


def _named(expr: tree.Named, ctx: Context) -> Any:
    made = stream(expr.value, ctx)
    define(expr.name, made, expr.name_span, ctx)
    if ctx.builder is not None:
        ctx.builder.labels[expr.name] = made
        if isinstance(made, Stream) and made.builder is ctx.builder and made.wire.node >= 0:
            node = ctx.builder.nodes[made.wire.node]
            if node.label is None and not isinstance(expr.value, tree.Name):
                ctx.builder.nodes[made.wire.node] = node.replace(label=expr.name)
    return made


def define(name: str, thing: Any, span: Span, ctx: Context) -> None:
    """Give a name its meaning in this body.

    Raises:
        Problem: when it has one already.
    """
    scope = ctx.scope
    earlier = scope.spans.get(name)
    if earlier is not None and earlier != span:
        from archlang.diagnostics import Label

        more = (Label(earlier, "named here first"),)
        raise Problem("doubled-name", f"{name} is named twice", span, more=more)
    scope.spans[name] = span
    scope.names[name] = thing


def _claimed(expr: tree.Claimed, ctx: Context) -> Any:
    from archc.lower.inputs import check_claim

    return check_claim(stream(expr.value, ctx), expr, ctx)


# --- groups and braces ---------------------------------------------------------------------------


def _group(expr: tree.Group, ctx: Context) -> Any:
    if expr.clauses:
        if ctx.incoming is None and is_list(expr, ctx):
            return evaluate(expr, ctx)
        from archc.lower.repeats import repeated

        return repeated(expr, ctx)
    if len(expr.items) != 1:
        if is_list(expr, ctx) and ctx.incoming is None:
            return evaluate(expr, ctx)
        return _several(expr, ctx)
    found = stream(expr.items[0], ctx)
    if is_value(found) and found is not POISON:
        return [found]
    return found


def _several(expr: tree.Group, ctx: Context) -> Any:
    found = evaluate(expr, ctx)
    if isinstance(found, list) and all(is_value(item) for item in found):
        return found
    message = "a group holds one chain, this one holds several parts"
    help = "`->` puts one after the other, `{ a, b }` keeps them apart"
    raise Problem("group-parts", message, expr.span, help=help)


def _fork(expr: tree.Fork, ctx: Context) -> Any:
    inside = ctx.into(ctx.incoming)
    if not expr.clauses:
        if len(expr.items) == 1:
            return stream(expr.items[0], inside)
        return _bundle(expr.items, inside)
    made: list[Any] = []
    for copy in copies(expr.clauses, inside):
        made.extend([stream(item, copy) for item in expr.items])
        if len(made) > MOST_STREAMS:
            message = f"a bundle has at most {MOST_STREAMS:,} streams, this one would have more"
            raise Problem("bundle-too-large", message, expr.span)
    return _as_bundle(made, expr, ctx)


def _bundle(items: tuple[tree.Expr, ...], ctx: Context) -> Any:
    return _as_bundle([stream(item, ctx) for item in items], items[0], ctx)


def _as_bundle(made: list[Any], expr: tree.Expr, ctx: Context) -> Any:
    if any(item is POISON for item in made):
        return POISON
    kept = [item for item in made if item is not NONE]
    return Bundle(tuple([as_stream(item, expr, ctx) for item in kept]))


# --- arithmetic ----------------------------------------------------------------------------------


# --- choices -------------------------------------------------------------------------------------


def _conditional(expr: tree.Conditional | tree.Optional, ctx: Context) -> Any:
    from archc.lower.choices import choose

    if isinstance(expr, tree.Optional):
        from archc.lower.choices import option

        return option(expr, ctx)
    holds = condition(expr.condition, ctx)
    if holds is POISON:
        return POISON
    return choose(expr, bool(holds), ctx)


def _open_choice(expr: tree.Binary, ctx: Context) -> Any:
    from archc.lower.choices import open_choice

    return open_choice(expr, ctx)
