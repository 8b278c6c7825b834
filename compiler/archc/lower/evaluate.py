"""Expressions whose meaning is known without letting anything flow: values, blocks, names."""

from __future__ import annotations

from typing import Any

from archc.lower.calls import call
from archc.lower.comprehensions import is_list, list_of
from archc.lower.computing import condition, operation, range_of
from archc.lower.context import MOST_STEPS, Context, Problem, too_much_work
from archc.lower.finals import STATE, state_of
from archc.lower.guards import guarded
from archc.lower.heads import needs_incoming, operator_of
from archc.lower.steps import Timed
from archc.lower.things import (
    NONE,
    POISON,
    BlockValue,
    Bundle,
    ChainValue,
    FunctionValue,
    OperatorValue,
    Stream,
    is_value,
    name_of,
)
from archc.op import REGISTRY
from archlang import tree, values
from archlang.functions import FUNCTIONS

__all__ = ["evaluate", "evaluate_value", "flowing", "lookup"]


def evaluate(expr: tree.Expr, ctx: Context) -> Any:
    """What an expression means: a value, a block, a stream.

    A chain that starts with an operator is a block without parameters until something flows in.

    Raises:
        Problem: with the place, when it means nothing.
    """
    spent = ctx.session.spent
    spent.steps += 1
    if spent.steps > MOST_STEPS:
        raise too_much_work(expr.span)
    match expr:
        case tree.Number() | tree.Text() | tree.Boolean():
            return expr.value
        case tree.Name():
            return lookup(expr, ctx)
        case tree.Attribute():
            return _attribute(expr, ctx)
        case tree.Index():
            return _index(expr, ctx)
        case tree.Call():
            return call(expr, ctx)
        case tree.Paren():
            return evaluate(expr.value, ctx)
        case tree.Tuple():
            return _tuple(expr, ctx)
        case tree.Range():
            return range_of(expr, ctx)
        case tree.Unary() | tree.Binary() | tree.Compare():
            return operation(expr, ctx)
        case tree.Conditional() if _chooses_value(expr, ctx):
            return _conditional(expr, ctx)
        case tree.Group() if is_list(expr, ctx):
            return list_of(expr, ctx)
    return flowing(expr, ctx)


def evaluate_value(expr: tree.Expr, ctx: Context, what: str) -> Any:
    """A value, where nothing else will do; `what` says what it is for.

    Raises:
        Problem: when it is a stream or a block.
    """
    found = evaluate(expr, ctx)
    if found is POISON or is_value(found):
        return found
    message = f"{what} is a value known at compile time, found {name_of(found)}"
    help = "an `if` in arithmetic stands in brackets or last: `A + ([B] if p else NONE)`"
    raise Problem(
        "stream-as-value", message, expr.span, help=help if what == "a condition" else None
    )


# --- names ---------------------------------------------------------------------------------------


def lookup(name: tree.Name, ctx: Context) -> Any:
    """What a name means.

    Raises:
        Problem: unknown-name or unknown-operator, with what was probably meant.
    """
    if name.name == "ID":
        return OperatorValue(REGISTRY.get("ID") or _missing("ID"))
    if name.name == "NONE":
        return NONE
    found = ctx.scope.find(name.name)
    if isinstance(found, Timed):
        raise found.bare(name.span)
    if found is not None:
        return found
    if name.name in FUNCTIONS:
        return FunctionValue(name.name)
    operator = operator_of(name)
    if operator is not None and not operator.internal:
        return OperatorValue(operator)
    from archc.lower.unknown import unknown_name

    return unknown_name(name, ctx)


def _missing(name: str) -> Any:
    raise LookupError(name)


def _attribute(expr: tree.Attribute, ctx: Context) -> Any:
    whole = expr.value
    if isinstance(whole, tree.Name) and whole.name == "ID":
        found: Any = ctx.identity
        if found is None and ctx.builder is not None:
            found = ctx.builder.input_stream
        if found is None:
            raise Problem("no-input", "no stream flows in here, so ID has no sizes", whole.span)
    else:
        found = _whole(whole, ctx)
    if found is POISON:
        return POISON
    if isinstance(found, Stream):
        return state_of(found, expr) if expr.name == STATE else _size(found, expr)
    if isinstance(found, BlockValue) and ctx.session.figure is not None:
        return ctx.session.figure(found, expr)
    if isinstance(found, Bundle) and expr.name in found.names:
        return found.items[found.names.index(expr.name)]
    raise Problem(
        "unknown-attribute",
        f"{name_of(found)} has no .{expr.name}",
        expr.span,
        help="sizes are those of a stream: `x.c`, `x.h`, `x.shape`",
    )


def _whole(expr: tree.Expr, ctx: Context) -> Any:
    # The sizes of what runs in time are those of one step.
    timed = ctx.scope.find(expr.name) if isinstance(expr, tree.Name) else None
    if isinstance(timed, Timed) and timed.name in timed.step.current:
        return timed.step.current[timed.name]
    return evaluate(expr, ctx)


# What the axes are called elsewhere.
_SHORT = {
    "channels": "c", "features": "c", "width": "w", "height": "h", "depth": "d", "length": "l",
    "steps": "t", "time": "t",
}  # fmt: skip


def _size(stream: Stream, expr: tree.Attribute) -> Any:
    shape = stream.shape
    if expr.name == "shape":
        return shape.sizes
    position = shape.features if expr.name == "c" else shape.find(expr.name)
    if position is None:
        position = shape.find(expr.name)
    if position is None:
        names = ", ".join(axis.name for axis in shape.axes)
        message = f"the {shape.kind} {shape} has no axis {expr.name}"
        short = next((a.name for a in shape.axes if a.name == _SHORT.get(expr.name)), None)
        help = f"its axes are {names}" if short is None else f"it is called `.{short}` here"
        raise Problem("unknown-axis", message, expr.span, help=help)
    return shape.axes[position].size


def _index(expr: tree.Index, ctx: Context) -> Any:
    if isinstance(expr.value, tree.Name):
        timed = ctx.scope.find(expr.value.name)
        if isinstance(timed, Timed):
            return timed.at(expr, ctx)
    found = evaluate(expr.value, ctx)
    if found is POISON:
        return POISON
    position = _position(expr.index, ctx)
    if isinstance(found, Bundle):
        with guarded(expr.span):
            return _of_bundle(found, position)
    if not isinstance(found, (list, tuple, range)):
        message = f"{name_of(found)} cannot be indexed"
        help = "lists and bundles can"
        if isinstance(found, (OperatorValue, BlockValue)):
            help = f"write `{name_of(found)}({expr.index.span.text})`"
        raise Problem("value-type", message, expr.span, help=help)
    if isinstance(position, slice):
        ctx.session.spent.items(len(found), expr.span)
    with guarded(expr.span):
        return values.index(found, position)


def _of_bundle(bundle: Bundle, position: Any) -> Any:
    picked = values.index(bundle.items, position)
    if not isinstance(position, slice):
        return picked
    names = values.index(bundle.names, position) if bundle.names else ()
    return Bundle(tuple(picked), tuple(names))


def _position(index: tree.Expr | tree.Slice, ctx: Context) -> Any:
    if not isinstance(index, tree.Slice):
        return evaluate_value(index, ctx, "an index")
    parts = (index.start, index.stop, index.step)
    return slice(*[None if p is None else evaluate_value(p, ctx, "an index") for p in parts])


def _tuple(expr: tree.Tuple, ctx: Context) -> Any:
    items = tuple([evaluate(item, ctx) for item in expr.items])
    if any(item is POISON for item in items):
        return POISON
    with guarded(expr.span):
        return values.bounded(items)


def _chooses_value(expr: tree.Conditional, ctx: Context) -> bool:
    # Blocks by name are chosen here as values are; chains become a choice when something flows in.
    if expr.otherwise is None:
        return False
    named = all(isinstance(e, (tree.Name, tree.Call)) for e in (expr.then, expr.otherwise))
    return named or not needs_incoming(expr, ctx)


def _conditional(expr: tree.Conditional, ctx: Context) -> Any:
    holds = condition(expr.condition, ctx)
    if holds is POISON:
        return POISON
    assert expr.otherwise is not None
    return evaluate(expr.then if holds else expr.otherwise, ctx)


# --- what flows ----------------------------------------------------------------------------------


def flowing(expr: tree.Expr, ctx: Context) -> Any:
    if needs_incoming(expr, ctx):
        return ChainValue(expr, ctx.scope, ctx.file)
    from archc.lower.streams import stream

    return stream(expr, ctx)
