"""Shared modules: `share`, and `as` names that lend their weights to UNEMBED."""

from __future__ import annotations

from typing import Any

from archc.graph import Call, Choice, Operation, Region, Repeat, Shared
from archc.lower.closures import embedding_of
from archc.lower.context import Context, Problem
from archc.lower.operator_arguments import make_operator
from archc.lower.operators import flatten, operation
from archc.lower.things import (
    POISON,
    BlockValue,
    Bundle,
    ChainValue,
    OperatorValue,
    Scope,
    SharedValue,
    Stream,
    name_of,
)
from archc.op import Op
from archlang import tree

__all__ = ["remember", "unembed", "use_shared"]


def use_shared(thing: SharedValue, incoming: Any, expr: tree.Expr, ctx: Context) -> Any:
    """Let a stream flow into a shared module.

    Raises:
        Problem: when its weights do not fit the shapes of an earlier use.
    """
    what = thing.what
    match what:
        case OperatorValue():
            return _use_operator(thing, what, incoming, expr, ctx)
        case BlockValue() | ChainValue():
            return _use_region(thing, what, incoming, expr, ctx)
        case SharedValue():
            return use_shared(what, incoming, expr, ctx)
    message = f"{thing.name} names a stream; `share` names modules to use again"
    raise Problem("not-a-module", message, expr.span)


def _use_operator(
    thing: SharedValue, what: OperatorValue, incoming: Any, expr: tree.Expr, ctx: Context
) -> Any:
    op = make_operator(what, expr.span, ctx)
    if op is POISON or incoming is POISON:
        return POISON
    streams = flatten(incoming)
    made = operation(op, streams, expr.span, thing.name, ctx, thing)
    if made is not POISON:
        _check_weights(thing, op, streams, expr, ctx)
    _record(thing, op)
    return made


def _check_weights(
    thing: SharedValue, op: Op, streams: list[Stream], expr: tree.Expr, ctx: Context
) -> None:
    weights = op.parameters(*[stream.shape for stream in streams])
    first = ctx.session.weights.setdefault((id(thing.owner), thing.name), weights)
    if first == weights:
        return
    shapes = [
        f"({', '.join(str(s) for s in w['weight'])})" for w in (first, weights) if "weight" in w
    ]
    message = f"{thing.name} is shared, but its weights would be {' and '.join(shapes)}"
    raise Problem(
        "shared-weights", message, expr.span, help="share it among streams of equal features"
    )


def _record(thing: SharedValue, what: Op | Region) -> None:
    if all(known.name != thing.name for known in thing.owner.shares):
        thing.owner.shares.append(Shared(thing.name, what))


def _use_region(
    thing: SharedValue, what: BlockValue | ChainValue, incoming: Any, expr: tree.Expr, ctx: Context
) -> Any:
    from archc.lower.regions import feeds, join_outside, rebuild

    if incoming is POISON:
        return POISON
    made = _region(thing, what, incoming, expr, ctx)
    if made is POISON or made.result == ("value", POISON):
        return POISON
    builder = ctx.builder
    assert builder is not None
    captures, lends = join_outside(made, ctx)
    outputs = tuple([output.shape for output in made.region.outputs])
    wires = feeds(incoming, ctx) + captures
    name = builder.unique(thing.name if thing.owner is not builder else f"{thing.name}_use")
    node = Call(name, wires, outputs, expr.span, None, made.region, builder.module(thing), lends)
    _record(thing, made.region)
    return rebuild(made.result, builder.add(node))


def _region(
    thing: SharedValue, what: BlockValue | ChainValue, incoming: Any, expr: tree.Expr, ctx: Context
) -> Any:
    from archc.lower.blocks import region_of
    from archc.lower.regions import Recipe, make_region, name_places
    from archc.lower.streams import stream

    if isinstance(what, BlockValue):
        return region_of(what, incoming, expr.span, ctx)
    chain = what
    name_places(chain.expr, ctx)

    def body(within: Context, arriving: Any) -> Any:
        return stream(chain.expr, within.with_scope(Scope(chain.scope)))

    recipe = Recipe("block", _camel(thing.name), chain.expr, chain.expr.span, body, {"body": chain})
    return make_region(recipe, incoming, ctx)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def remember(module: SharedValue, region: Region, name: str) -> None:
    """Note in the owner what a module is that an inner region uses under `name`."""
    if module.what is None or any(known.name == module.name for known in module.owner.shares):
        return
    found = _used(region, name)
    if found is not None:
        module.owner.shares.append(Shared(module.name, found))


def _used(region: Region, name: str) -> Op | Region | None:
    for node in region.nodes:
        if isinstance(node, Operation) and node.shared == name:
            return node.op
        if isinstance(node, Call) and node.shared == name:
            return node.region
        inner: list[Region] = []
        if isinstance(node, (Call, Choice)):
            inner = [node.region]
        elif isinstance(node, Repeat):
            inner = [run.region for run in node.runs]
        if not isinstance(node, Operation):
            for inside, outside in node.lends:
                for one in inner if outside == name else []:
                    found = _used(one, inside)
                    if found is not None:
                        return found
    return None


# --- UNEMBED -------------------------------------------------------------------------------------


def unembed(thing: OperatorValue, incoming: Any, expr: tree.Expr, ctx: Context) -> Any:
    """`UNEMBED(wte)`: logits over the vocabulary with the weights of an embedding.

    Raises:
        Problem: when the name is no embedding's.
    """
    if incoming is POISON:
        return POISON
    name = dict(thing.given).get("table")
    if name is None:
        message = "UNEMBED needs the name of an EMBED"
        help = "`EMBED(512) as table -> ... -> UNEMBED(table)`"
        raise Problem("missing-argument", message, expr.span, help=help)
    module, weight = _table(name, expr, ctx)
    op = make_operator(thing, expr.span, ctx)
    if op is POISON:
        return POISON
    streams = flatten(incoming)
    if len(streams) != 1:
        raise Problem("stream-count", "UNEMBED takes one stream", expr.span)
    assert ctx.builder is not None
    # Behind a parameter the module has the name that it has outside.
    borrowed = ctx.builder.module(module)
    op = op.replace(table=borrowed, vocabulary=weight[0], width=weight[1])
    from archc.lower.regions import names_at

    name = names_at(expr, ctx, "unembed")
    if not op.bias:
        return operation(op, streams, expr.span, name, ctx, module)
    # A bias is a weight of its own, so the node is no mere use of the table.
    return operation(op, streams, expr.span, name, ctx)


def _table(name: str, expr: tree.Expr, ctx: Context) -> tuple[SharedValue, tuple[Any, ...]]:
    found = ctx.scope.find(name)
    if isinstance(found, SharedValue):
        weights = ctx.session.weights.get((id(found.owner), found.name))
        if weights is None:
            message = f"{name} is not used before UNEMBED, so its size is not known"
            raise Problem("not-a-module", message, expr.span)
        return found, _weight(weights, name, expr)
    module = embedding_of(found) if isinstance(found, Stream) else None
    node = found.builder.nodes[found.wire.node] if isinstance(found, Stream) else None
    if module is not None and isinstance(found, Stream) and isinstance(node, Operation):
        shapes = [found.builder.shape_of(wire) for wire in node.inputs]
        return module, _weight(node.op.parameters(*shapes), name, expr)
    what = "unknown here" if found is None else f"not an EMBED but {_found(found)}"
    message = f"UNEMBED takes the name of an EMBED, {name} is {what}"
    raise Problem("not-a-module", message, expr.span, help="`EMBED(512) as table`")


def _found(found: Any) -> str:
    return "a bundle" if isinstance(found, Bundle) else name_of(found)


def _weight(weights: dict[str, tuple[Any, ...]], name: str, expr: tree.Expr) -> tuple[Any, ...]:
    weight = weights.get("weight")
    if weight is None or len(weight) != 2:
        message = f"{name} has no table of weights"
        raise Problem("not-a-module", message, expr.span)
    return weight
