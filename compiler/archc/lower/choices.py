"""Conditional steps and open options: one branch is taken, and the graph remembers the choice."""

from __future__ import annotations

from typing import Any

from archc.graph import Choice
from archc.lower.comprehensions import is_plain
from archc.lower.context import Context, Problem
from archc.lower.distinct import distinct
from archc.lower.evaluate import evaluate
from archc.lower.exports import exported
from archc.lower.regions import Recipe, feeds, join_outside, make_region, rebuild
from archc.lower.streams import define, stream
from archc.lower.things import NONE, POISON, ChainValue, Scope, is_stream
from archlang import tree
from archlang.values import show

__all__ = ["choose", "open_choice", "option"]


def choose(expr: tree.Conditional, holds: bool, ctx: Context) -> Any:
    """The branch of a conditional step that its condition picks; without `else` the identity.

    Raises:
        Problem: when the branch does not fit.
    """
    branch = expr.then if holds else expr.otherwise
    return _take(expr, branch, 0 if holds else 1, 2, ctx, expr.condition)


def option(expr: tree.Optional, ctx: Context) -> Any:
    """`MAXPOOL(2)?`: there, unless `-p maxpool1=no`.

    Raises:
        Problem: when the option is given something else than yes or no.
    """
    name = ctx.session.options.get(id(expr), "option")
    ctx.session.used.add(name)
    taken = ctx.session.bindings.get(name, True)
    if not isinstance(taken, bool):
        raise Problem("argument-type", f"-p {name} is yes or no, found {show(taken)}", expr.span)
    return _take(expr, expr.value if taken else None, 0 if taken else 1, 2, ctx)


def open_choice(expr: tree.Binary, ctx: Context) -> Any:
    """`[A or B]`: the first, unless `-p choice1=2`.

    Raises:
        Problem: when the choice is given something else than the number of an alternative.
    """
    alternatives = _alternatives(expr)
    name = ctx.session.options.get(id(expr), "choice")
    ctx.session.used.add(name)
    picked = ctx.session.bindings.get(name, 1)
    whole = isinstance(picked, int) and not isinstance(picked, bool)
    if not whole or not 1 <= picked <= len(alternatives):
        message = f"-p {name} is a number from 1 to {len(alternatives)}, found {show(picked)}"
        raise Problem("argument-value", message, expr.span)
    return _take(expr, alternatives[picked - 1], picked - 1, len(alternatives), ctx)


def _alternatives(expr: tree.Expr) -> list[tree.Expr]:
    if isinstance(expr, tree.Binary) and expr.operator == "or":
        return [*_alternatives(expr.left), expr.right]
    return [expr]


def _take(
    expr: tree.Expr,
    branch: tree.Expr | None,
    taken: int,
    options: int,
    ctx: Context,
    condition: tree.Expr | None = None,
) -> Any:
    incoming = ctx.incoming
    if incoming is None and ctx.builder is not None:
        incoming = ctx.builder.input_stream
    if branch is not None and is_plain(branch, ctx):
        return evaluate(branch, ctx)
    if branch is not None and _is_none(branch):
        return NONE
    if incoming is None:
        return incoming if branch is None else stream(branch, ctx)
    if incoming is POISON or not is_stream(incoming):
        return incoming if branch is None else stream(branch, ctx)
    scope = Scope(ctx.scope)

    def body(within: Context, arriving: Any) -> Any:
        return arriving if branch is None else stream(branch, within.with_scope(scope))

    names = exported(expr, ctx)
    depends = {} if branch is None else {"body": ChainValue(branch, ctx.scope, ctx.file)}
    recipe = Recipe("group", "", expr, expr.span, body, depends, taken, names, alias=True)
    made = make_region(recipe, incoming, ctx)
    if made.result == ("value", POISON):
        return POISON
    return _add(expr, made, incoming, taken, options, condition, ctx)


def _add(
    expr: tree.Expr,
    made: Any,
    incoming: Any,
    taken: int,
    options: int,
    condition: tree.Expr | None,
    ctx: Context,
) -> Any:
    builder = ctx.builder
    assert builder is not None
    captures, lends = join_outside(made, ctx)
    outputs = tuple([output.shape for output in made.region.outputs])
    node = Choice(
        "", feeds(incoming, ctx) + captures, outputs, expr.span, None,
        distinct(made.region, builder), taken, options, lends, condition,
    )  # fmt: skip
    streams = builder.add(node)
    for name, template in made.exports:
        thing = rebuild(template, streams)
        define(name, thing, expr.span, ctx)
        builder.labels[name] = thing
    return rebuild(made.result, streams)


def _is_none(branch: tree.Expr) -> bool:
    while isinstance(branch, (tree.Paren, tree.Group)):
        branch = branch.value if isinstance(branch, tree.Paren) else branch.items[0]
    return isinstance(branch, tree.Name) and branch.name == "NONE"
