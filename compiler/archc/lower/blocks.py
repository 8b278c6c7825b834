"""Blocks: binding what they are given, lowering their bodies, one region for each different use."""

from __future__ import annotations

from typing import Any

from archc.graph import Call, Region
from archc.lower.body import run_body
from archc.lower.context import Context, Frame, Problem
from archc.lower.evaluate import evaluate
from archc.lower.finals import asks_for_state, parted
from archc.lower.parameters import check_domain, first_of_domain
from archc.lower.regions import Recipe, feeds, join_outside, make_region, name_places, rebuild
from archc.lower.things import (
    POISON,
    BlockValue,
    Scope,
    is_block,
    is_stream,
    is_value,
    name_of,
)
from archlang import tree
from archlang.source import Span
from archlang.values import show

__all__ = ["bind", "call_block", "frame_text", "region_of"]

DEEPEST = 60


def call_block(thing: BlockValue, incoming: Any, expr: tree.Expr, name: str, ctx: Context) -> Any:
    """Let a stream flow into a block; returns what leaves it.

    Raises:
        Problem: when it cannot.
    """
    states = thing.block.kind == "cell" and asks_for_state(expr, ctx)
    made = region_of(thing, incoming, expr.span, ctx, states)
    if made is POISON:
        return POISON
    captures, lends = join_outside(made, ctx)
    builder = ctx.builder
    assert builder is not None
    region: Region = made.region
    outputs = tuple([output.shape for output in region.outputs])
    wires = feeds(incoming, ctx) + captures
    node = Call(builder.unique(name), wires, outputs, expr.span, None, region, None, lends)
    left = rebuild(made.result, builder.add(node))
    return parted(left, ctx) if states else left


def region_of(
    thing: BlockValue, incoming: Any, span: Span, ctx: Context, states: bool = False
) -> Any:
    """The region of a block for what flows in: a `Made`, or POISON. With `states` the final states
    of a cell leave behind its sequences.

    Raises:
        Problem: for a recursion, a nesting that is too deep, a parameter that is missing.
    """
    block = thing.block
    _check(thing, span, ctx)
    outer = ctx.frame
    depth = 1 if outer is None else outer.depth + 1
    frame = Frame(frame_text(thing), span, outer, depth)
    inside = Context(ctx.session, ctx.builder, thing.file.scope, thing.file, None, None, frame)
    names = bind(thing, incoming, span, inside)
    if names is POISON:
        return POISON
    name_places(block.body, ctx)

    def body(within: Context, arriving: Any) -> Any:
        if block.kind == "cell":
            from archc.lower.cells import run_cell  # most files have no cells

            return run_cell(block, names, within, states)
        return run_body(block, _rebound(names, arriving), within)

    arguments = tuple([(n, v) for n, v in names.items() if is_value(v)])
    variant = tuple([f"{n}={name_of(v)}" for n, v in names.items() if is_block(v)])
    recipe = Recipe(
        block.kind,
        block.name,
        block,
        block.name_span or block.span,
        body,
        names,
        states,
        arguments=arguments,
        variant=variant,
        documentation=block.documentation,
    )
    made = make_region(recipe, incoming, inside)
    return POISON if made.result == ("value", POISON) else made


def _rebound(names: dict[str, Any], arriving: Any) -> dict[str, Any]:
    return {**names, "x": arriving}


def _check(thing: BlockValue, span: Span, ctx: Context) -> None:
    cycle = ctx.session.cyclic.get(id(thing.block))
    if cycle is not None:
        raise Problem("poisoned", "", None)
    if ctx.frame is not None and ctx.frame.depth >= DEEPEST:
        message = f"blocks inside blocks are {DEEPEST} deep here"
        raise Problem("nested-too-deeply", message, span)


def bind(thing: BlockValue, incoming: Any, span: Span, ctx: Context) -> Any:
    """The parameters of a block by name, as given or by default; POISON when one is.

    Defaults may use what flows in (`m=x.c // 16`) and the parameters before them.

    Raises:
        Problem: missing-argument.
    """
    names: dict[str, Any] = {}
    given = dict(thing.given)
    scope = Scope(thing.file.scope, {"x": incoming} if is_stream(incoming) else {})
    inside = Context(ctx.session, None, scope, thing.file, None, incoming, ctx.frame)
    for parameter in thing.block.parameters or ():
        if parameter.name in given:
            value = given[parameter.name]
        else:
            value = _default(parameter, thing, span, inside)
        if value is POISON:
            return POISON
        names[parameter.name] = value
        scope.names[parameter.name] = value
    return names


def _default(parameter: tree.Parameter, thing: BlockValue, span: Span, ctx: Context) -> Any:
    if parameter.default is not None:
        value = evaluate(parameter.default, ctx)
        check_domain(parameter, value, parameter.default.span, thing, ctx)
        return value
    first = first_of_domain(parameter, ctx)
    if first is not None:
        return first
    written = f"{thing.block.name}({parameter.name}=...)"
    message = f"{thing.block.name} needs {parameter.name}"
    raise Problem("missing-argument", message, span, help=f"write `{written}`")


def frame_text(thing: BlockValue) -> str:
    """A block with its arguments, as notes show it."""
    given = [f"{n}={show(v) if is_value(v) else name_of(v)}" for n, v in thing.given]
    return f"{thing.block.name}({', '.join(given)})" if given else thing.block.name
