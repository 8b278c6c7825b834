"""Arithmetic, comparisons and conditions on values; what has a stream in it is left to streams."""

from __future__ import annotations

from typing import Any

from archc.lower.context import ALGEBRA, Context, Problem
from archc.lower.guards import guarded
from archc.lower.heads import needs_incoming
from archc.lower.things import NONE, POISON, is_block, is_stream, is_value
from archlang import tree, values
from archlang.values import show

__all__ = ["condition", "operation", "range_of"]


def range_of(expr: tree.Range, ctx: Context) -> Any:
    start = ctx.value(expr.start, "the start of a range")
    stop = ctx.value(expr.stop, "the end of a range")
    if start is POISON or stop is POISON:
        return POISON
    if not isinstance(start, int) or not isinstance(stop, int) or isinstance(start, bool):
        message = f"a range takes whole numbers, found {show(start)}..{show(stop)}"
        raise Problem("value-type", message, expr.span)
    return range(start, stop)


def operation(expr: tree.Unary | tree.Binary | tree.Compare, ctx: Context) -> Any:
    if isinstance(expr, tree.Compare):
        return _compare(expr, ctx)
    if isinstance(expr, tree.Binary) and expr.operator in ("and", "or"):
        return _logic(expr, ctx)
    if isinstance(expr, tree.Binary):
        return _binary(expr, ctx)
    operand = ctx.evaluate(expr.operand)
    if operand is POISON:
        return POISON
    if expr.operator == "not":
        with guarded(expr.operand.span):
            return not values.truth(operand)
    if not is_value(operand):
        return ctx.flowing(expr)
    with guarded(expr.span):
        return values.negate(operand)


def _binary(expr: tree.Binary, ctx: Context) -> Any:
    if expr.operator in ("|", "@") or needs_incoming(expr, ctx):
        return ctx.flowing(expr)
    left, right = ctx.evaluate(expr.left), ctx.evaluate(expr.right)
    if left is POISON or right is POISON:
        return POISON
    if is_stream(left) or is_stream(right) or NONE in (left, right):
        return ctx.flowing(expr)
    ctx.session.spent.items(values.items_of(left) + values.items_of(right), expr.span)
    with guarded(expr.span):
        return values.arithmetic(expr.operator, left, right)


def _logic(expr: tree.Binary, ctx: Context) -> Any:
    left = ctx.evaluate(expr.left)
    if left is POISON:
        return POISON
    if is_block(left) or is_stream(left):
        return ctx.flowing(expr)
    with guarded(expr.left.span):
        decided = values.truth(left)
    if decided == (expr.operator == "or"):
        return decided
    right = ctx.value(expr.right, "a condition")
    if right is POISON:
        return POISON
    with guarded(expr.right.span):
        return values.truth(right)


def _compare(expr: tree.Compare, ctx: Context) -> Any:
    found = [ctx.value(operand, "a condition") for operand in expr.operands]
    if any(item is POISON for item in found):
        return POISON
    ctx.session.spent.items(sum([values.items_of(item) for item in found]), expr.span)
    with guarded(expr.span):
        return all(
            values.compare(operator, left, right, ALGEBRA)
            for operator, left, right in zip(expr.operators, found, found[1:], strict=False)
        )


def condition(expr: tree.Expr, ctx: Context) -> Any:
    """Whether a condition holds, or POISON."""
    found = ctx.value(expr, "a condition")
    if found is POISON:
        return POISON
    with guarded(expr.span):
        return values.truth(found)
