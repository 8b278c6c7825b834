"""Calls: functions on values, operators and blocks given some of their arguments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from archc.lower.context import ALGEBRA, Context, Problem
from archc.lower.guards import guarded
from archc.lower.things import (
    POISON,
    Bundle,
    FunctionValue,
    LetValue,
    OperatorValue,
    Scope,
    is_value,
    name_of,
)
from archlang import functions, tree
from archlang.values import items_of

__all__ = ["call"]

DEEPEST_CALL = 100
# What computes with each item, against what only takes it along.
_EFFORT = {"sum": 8, "min": 8, "max": 8}


def call(expr: tree.Call, ctx: Context) -> Any:
    callee = ctx.evaluate(expr.function)
    if callee is POISON:
        return POISON
    match callee:
        case FunctionValue():
            return _apply_function(callee, expr, ctx)
        case LetValue():
            return _apply_let(callee, expr, ctx)
        case OperatorValue():
            from archc.lower.operator_arguments import given_arguments

            return given_arguments(callee, expr, ctx)
    from archc.lower.parameters import given_parameters

    return given_parameters(callee, expr, ctx)


def _plain_arguments(expr: tree.Call, name: str, ctx: Context) -> list[Any]:
    named = next((a for a in expr.arguments if a.name is not None), None)
    if named is not None:
        message = f"{name} takes its arguments by position"
        raise Problem("unknown-argument", message, named.span)
    return [ctx.evaluate(argument.value) for argument in expr.arguments]


def _apply_function(function: FunctionValue, expr: tree.Call, ctx: Context) -> Any:
    arguments = _plain_arguments(expr, function.name, ctx)
    if any(argument is POISON for argument in arguments):
        return POISON
    if function.name == "len" and len(arguments) == 1 and isinstance(arguments[0], Bundle):
        return len(arguments[0].items)
    for given, argument in zip(expr.arguments, arguments, strict=True):
        if not is_value(argument):
            message = f"{function.name} computes with values, found {name_of(argument)}"
            raise Problem("stream-as-value", message, given.span)
    walked = sum([items_of(argument) for argument in arguments])
    ctx.session.spent.items(walked * _EFFORT.get(function.name, 1), expr.span)
    with guarded(expr.span):
        return functions.call(function.name, tuple(arguments), ALGEBRA)


def _apply_let(function: LetValue, expr: tree.Call, ctx: Context) -> Any:
    let = function.let
    if id(let) in ctx.session.cyclic:
        return POISON
    arguments = _plain_arguments(expr, let.name, ctx)
    if len(arguments) != len(let.parameters):
        wanted = f"{len(let.parameters)} argument{'' if len(let.parameters) == 1 else 's'}"
        message = f"{let.name} takes {wanted}, found {len(arguments)}"
        raise Problem("argument-count", message, expr.span)
    names = {p.name: a for p, a in zip(let.parameters, arguments, strict=True)}
    scope = Scope(function.file.scope, names)
    inside = Context(ctx.session, None, scope, function.file, frame=ctx.frame)
    with _deeper(let, expr, ctx):
        return inside.value(let.value, f"the result of {let.name}")


@contextmanager
def _deeper(let: tree.Let, expr: tree.Call, ctx: Context) -> Iterator[None]:
    # No function contains itself, but one that is given itself can still call itself.
    spent = ctx.session.spent
    if spent.calls >= DEEPEST_CALL:
        message = f"functions call functions {DEEPEST_CALL} deep here, at last {let.name}"
        raise Problem("nested-too-deeply", message, expr.span)
    spent.calls += 1
    try:
        yield
    finally:
        spent.calls -= 1
