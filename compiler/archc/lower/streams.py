"""Streams: what flows where. Chains, groups, braces, arithmetic, names."""

from __future__ import annotations

from typing import Any

from archc.lower.context import Context, Problem
from archc.lower.evaluate import condition, copies, evaluate, is_list
from archc.lower.names import snake
from archc.lower.operators import apply_operator, flatten, operation
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
    is_block,
    is_stream,
    is_value,
    name_of,
)
from archc.op import REGISTRY
from archlang import tree
from archlang.source import Span

__all__ = ["flow", "operator_named", "stream"]


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
            return _arithmetic(expr, ctx)
        case tree.Unary() if expr.operator == "-":
            return _unary("NEG", expr.operand, expr, ctx)
        case tree.Transpose():
            return _unary("TRANSPOSED", expr.value, expr, ctx)
        case tree.Repeat():
            from archc.lower.repeats import repeated

            return repeated(expr, ctx)
        case tree.Conditional() | tree.Optional():
            return _conditional(expr, ctx)
        case tree.When():
            return _when(expr, ctx)
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
                raise _not_a_step(thing, step)
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


def _not_a_step(thing: Any, step: tree.Expr) -> Problem:
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


def _number_flows(step: tree.Expr, incoming: Any) -> Any:
    if incoming is NONE:
        raise Problem("stream-missing", "NONE flows nowhere", step.span)
    message = f"{name_of(incoming)} is a value and cannot flow into {step.span.text}"
    help = "parentheses bind: `2 * (x -> FC(3))`"
    raise Problem("value-as-stream", message, step.span, help=help)


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
                ctx.session, ctx.builder, Scope(thing.scope), thing.file, incoming, incoming, ctx.frame
            )
            return stream(thing.expr, inside)
        case SharedValue():
            return _shared(thing, incoming, expr, ctx)
    raise _not_a_step(thing, expr)


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
    if op.name == "UNEMBED":
        from archc.lower.sharing import unembed

        return unembed(thing, incoming, expr, ctx)
    made = apply_operator(thing, incoming, expr.span, place(expr, ctx, snake(op.name)), ctx)
    return made


def _select(thing: OperatorValue, bundle: Bundle, expr: tree.Expr, ctx: Context) -> Any:
    from archlang import values

    from archc.lower.evaluate import guarded

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
    return _as_bundle(made, expr, ctx)


def _bundle(items: tuple[tree.Expr, ...], ctx: Context) -> Any:
    return _as_bundle([stream(item, ctx) for item in items], items[0], ctx)


def _as_bundle(made: list[Any], expr: tree.Expr, ctx: Context) -> Any:
    if any(item is POISON for item in made):
        return POISON
    kept = [item for item in made if item is not NONE]
    return Bundle(tuple([as_stream(item, expr, ctx) for item in kept]))


def as_stream(item: Any, expr: tree.Expr, ctx: Context) -> Any:
    """The item of a bundle as a stream: a number becomes a scalar stream.

    Raises:
        Problem: for another value.
    """
    if is_stream(item):
        return item
    if isinstance(item, (int, float)) and not isinstance(item, bool):
        return operation(operator_named("NUMBER")(value=item), [], expr.span, "number", ctx)
    message = f"{name_of(item)} is a value and cannot stand among streams"
    raise Problem("value-as-stream", message, expr.span)


def operator_named(name: str) -> Any:
    """An operator's class."""
    found = REGISTRY.get(name)
    assert found is not None, name
    return found


# --- arithmetic ----------------------------------------------------------------------------------

_JOINS = {"+": "ADD", "-": "SUB", "*": "MUL", "/": "DIV", "**": "POW", "@": "MATMUL", "|": "CONCAT"}


def _operands(expr: tree.Expr, operator: str) -> list[tree.Expr]:
    if isinstance(expr, tree.Binary) and expr.operator == operator and operator in "+*|":
        return [*_operands(expr.left, operator), expr.right]
    return [expr]


def _arithmetic(expr: tree.Binary, ctx: Context) -> Any:
    parts = [*_operands(expr.left, expr.operator), expr.right]
    made = [_operand(part, ctx) for part in parts]
    if any(item is POISON for item in made):
        return POISON
    kept = [(item, part) for item, part in zip(made, parts, strict=True) if item is not NONE]
    if not kept:
        return NONE
    if len(kept) == 1:
        return kept[0][0]
    if not any(is_stream(item) for item, _ in kept):
        return evaluate(expr, ctx)
    return _join(expr, kept, ctx)


def _operand(part: tree.Expr, ctx: Context) -> Any:
    # Each operand is tried, so that one run reports what is wrong with all of them.
    try:
        return stream(part, ctx)
    except Problem as problem:
        ctx.report(problem.diagnostic)
        return POISON


def _join(expr: tree.Binary, parts: list[tuple[Any, tree.Expr]], ctx: Context) -> Any:
    name = _JOINS.get(expr.operator)
    if name is None:
        message = f"`{expr.operator}` computes with values, not with streams"
        raise Problem("stream-as-value", message, expr.operator_span)
    for item, part in parts:
        _check_operand(item, part, name, expr)
    place_name = place(expr, ctx, snake(name))
    op = operator_named(name)
    numbers = [(i, item) for i, (item, _) in enumerate(parts) if not is_stream(item)]
    if not numbers:
        streams = [_one(item, part) for item, part in parts]
        return operation(op(), streams, expr.operator_span, place_name, ctx)
    return _with_numbers(expr, op, parts, place_name, ctx)


def _with_numbers(
    expr: tree.Binary, op: Any, parts: list[tuple[Any, tree.Expr]], name: str, ctx: Context
) -> Any:
    # Left to right; a run of streams is one join, a number is an argument of the next.
    current, where = parts[0]
    for item, part in parts[1:]:
        at = expr.operator_span
        if is_stream(current) and is_stream(item):
            made = operation(op(), [_one(current, where), _one(item, part)], at, name, ctx)
        elif is_stream(current):
            made = operation(op(right=item), [_one(current, where)], at, name, ctx)
        elif is_stream(item):
            made = operation(op(left=current), [_one(item, part)], at, name, ctx)
        else:
            from archlang.values import arithmetic

            made = arithmetic(expr.operator, current, item)
        current, where = made, part
    return current


def _check_operand(item: Any, part: tree.Expr, name: str, expr: tree.Binary) -> None:
    number = isinstance(item, (int, float)) or getattr(item, "is_symbolic", False)
    takes_numbers = name not in ("CONCAT", "MATMUL")
    if is_stream(item) or (number and takes_numbers and not isinstance(item, bool)):
        return
    message = f"`{expr.operator}` joins streams, found {name_of(item)}"
    raise Problem("value-as-stream", message, part.span)


def _one(item: Any, part: tree.Expr) -> Stream:
    if isinstance(item, Stream):
        return Stream(item.builder, item.wire, item.shape, part.span)
    streams = flatten(item)
    if len(streams) == 1:
        return streams[0]
    message = f"a bundle of {len(streams)} takes no part in arithmetic"
    raise Problem("stream-count", message, part.span, help="join it first: `-> CONCAT`, `-> ADD`")


def _unary(name: str, operand: tree.Expr, expr: tree.Expr, ctx: Context) -> Any:
    made = stream(operand, ctx)
    if made is POISON or made is NONE:
        return made
    if is_value(made):
        return evaluate(expr, ctx)
    where = place(expr, ctx, snake(name))
    return operation(operator_named(name)(), [_one(made, operand)], expr.span, where, ctx)


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


def _when(expr: tree.When, ctx: Context) -> Any:
    branches = [stream(expr.then, ctx), stream(expr.otherwise, ctx)]
    if any(branch is POISON for branch in branches):
        return POISON
    parts = zip(branches, (expr.then, expr.otherwise), strict=True)
    streams = [_one(as_stream(item, part, ctx), part) for item, part in parts]
    return operation(operator_named("WHEN")(), streams, expr.span, "when", ctx)


