"""Arithmetic on streams: what joins become, numbers among them, the two signs before a stream."""

from __future__ import annotations

from typing import Any

from archc.lower.context import Context, Problem
from archc.lower.flows import place
from archc.lower.guards import guarded
from archc.lower.names import snake
from archc.lower.operators import flatten, operation
from archc.lower.things import NONE, POISON, Stream, is_stream, is_value, name_of
from archc.op import REGISTRY
from archlang import tree, values

__all__ = ["arithmetic", "as_stream", "operator_named", "unary", "when"]


_JOINS = {"+": "ADD", "-": "SUB", "*": "MUL", "/": "DIV", "**": "POW", "@": "MATMUL", "|": "CONCAT"}


def _operands(expr: tree.Expr, operator: str) -> list[tree.Expr]:
    if isinstance(expr, tree.Binary) and expr.operator == operator and operator in "+*|":
        return [*_operands(expr.left, operator), expr.right]
    return [expr]


def arithmetic(expr: tree.Binary, ctx: Context) -> Any:
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
        return _of_values(expr, kept, ctx)
    return _join(expr, kept, ctx)


def _of_values(expr: tree.Binary, parts: list[tuple[Any, tree.Expr]], ctx: Context) -> Any:
    if expr.operator not in ("|", "@"):
        return ctx.evaluate(expr)
    found = " and ".join([part.span.text for _, part in parts])
    message = f"`{expr.operator}` joins streams, and {found} are values"
    help = "compute with `*`" if expr.operator == "@" else "write a list, `[1, 2]`"
    raise Problem("value-as-stream", message, expr.operator_span, help=help)


def _operand(part: tree.Expr, ctx: Context) -> Any:
    # Each operand is tried, so that one run reports what is wrong with all of them.
    try:
        return ctx.stream(part)
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
            from archlang.values import arithmetic as compute

            made = compute(expr.operator, current, item)
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


def unary(name: str, operand: tree.Expr, expr: tree.Expr, ctx: Context) -> Any:
    made = ctx.stream(operand)
    if made is POISON or made is NONE:
        return made
    if is_value(made):
        return _of_value(made, expr)
    where = place(expr, ctx, snake(name))
    return operation(operator_named(name)(), [_one(made, operand)], expr.span, where, ctx)


def _of_value(value: Any, expr: tree.Expr) -> Any:
    if isinstance(expr, tree.Transpose):
        message = f"`'` transposes a stream, found {name_of(value)}"
        raise Problem("value-as-stream", message, expr.span)
    with guarded(expr.span):
        return values.negate(value)


def when(expr: tree.When, ctx: Context) -> Any:
    branches = [ctx.stream(expr.then), ctx.stream(expr.otherwise)]
    if any(branch is POISON for branch in branches):
        return POISON
    parts = zip(branches, (expr.then, expr.otherwise), strict=True)
    streams = [_one(as_stream(item, part, ctx), part) for item, part in parts]
    return operation(operator_named("WHEN")(), streams, expr.span, "when", ctx)


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
