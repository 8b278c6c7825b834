"""Making regions: each different one once, under a key of all that it depends on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.graph import Port, Region, RegionKind, RegionOutput, Wire
from archc.lower.builder import Builder
from archc.lower.closures import Slots, key_of
from archc.lower.context import Context, Problem
from archc.lower.lengths import sources_of
from archc.lower.names import Names, safe_name
from archc.lower.operators import flatten
from archc.lower.things import NONE, POISON, Bundle, Stream, is_stream, name_of
from archlang import tree
from archlang.record import Record
from archlang.source import Span

__all__ = [
    "Made", "Recipe", "feeds", "join_outside", "join_streams", "make_region", "name_places",
    "names_at", "rebuild", "region_of_step", "template_of",
]  # fmt: skip

MOST_REGIONS = 5_000


class Recipe(Record):
    """What a region is made from.

    Args:
        kind: what the region is.
        name: of the definition, "" for a group.
        origin: the tree that it is made from; regions with one origin are instances of one class.
        body: lowers the inside and returns what leaves; its context has the new builder.
        depends: what the body depends on besides what flows in: things by name.
        key: a hashable part of the key beside `depends`.
        export: names given inside with `as` that are wanted outside.
        alias: whether a use, inside, of a stream that flows in is a use of that input; otherwise it
            is captured like any other stream outside, the same for every instance.
    """

    kind: RegionKind
    name: str
    origin: Any
    span: Span
    body: Callable[[Context, Any], Any]
    depends: dict[str, Any]
    key: Any = None
    export: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Any], ...] = ()
    variant: tuple[str, ...] = ()
    documentation: str | None = None
    alias: bool = False


class Made(Record):
    """A region with how it joins the outside.

    Args:
        region: the region.
        captures: for each captured input the stream outside.
        lends: for each borrowed module its name inside and the module outside.
        result: the template of what leaves.
        exports: the templates of the exported names that were given.
    """

    region: Region
    captures: tuple[Stream, ...]
    lends: tuple[tuple[str, Any], ...]
    result: Any
    exports: tuple[tuple[str, Any], ...]


class _Entry(Record):
    region: Region
    captures: tuple[int, ...]
    modules: tuple[tuple[str, int], ...]
    result: Any
    exports: tuple[tuple[str, Any], ...]


# --- templates: how streams are arranged, with numbers for the streams ---------------------------


def template_of(thing: Any, found: list[Stream]) -> Any:
    """The arrangement of a thing's streams, which are appended to `found`."""
    if isinstance(thing, Stream):
        found.append(thing)
        return len(found) - 1
    if isinstance(thing, Bundle):
        return "bundle", thing.names, tuple([template_of(item, found) for item in thing.items])
    return "value", thing


def rebuild(template: Any, streams: list[Stream]) -> Any:
    """A thing of that arrangement with other streams."""
    if isinstance(template, int):
        return streams[template]
    if template[0] == "value":
        return template[1]
    return Bundle(tuple([rebuild(part, streams) for part in template[2]]), template[1])


# --- making --------------------------------------------------------------------------------------


def make_region(recipe: Recipe, incoming: Any, ctx: Context) -> Made:
    """The region of a recipe at the shapes that flow in, made or remembered."""
    slots = Slots(ctx.session.weights)
    arriving: list[Stream] = []
    arrangement = template_of(incoming, arriving)
    known = [slots.stream(stream) for stream in arriving] if recipe.alias else []
    flowing = (*known, *[stream.shape for stream in arriving])
    depends = key_of(recipe.depends, slots)
    key = (recipe.kind, id(recipe.origin), recipe.key, arrangement, flowing, depends, recipe.export)
    for counts in sources_of([*arriving, *slots.streams], ctx):
        slots.stream(counts)  # the shapes in the key say which lengths may be captured
    entry = ctx.session.memo.get(key)
    if entry is None:
        known_streams, known_modules = len(slots.streams), len(slots.modules)
        entry = _make(recipe, arriving, arrangement, slots, ctx)
        # What captures more than the key tells, an input of its own, is made anew at each place.
        if len(slots.streams) == known_streams and len(slots.modules) == known_modules:
            ctx.session.memo[key] = entry
    captures = tuple([slots.streams[position] for position in entry.captures])
    lends = tuple([(name, slots.modules[position]) for name, position in entry.modules])
    return Made(entry.region, captures, lends, entry.result, entry.exports)


def _make(
    recipe: Recipe, arriving: list[Stream], arrangement: Any, slots: Slots, ctx: Context
) -> _Entry:
    ctx.session.spent.regions += 1
    if ctx.session.spent.regions > MOST_REGIONS:
        message = f"this file has more than {MOST_REGIONS:,} different parts"
        raise Problem("too-many-regions", message, recipe.span)
    builder = Builder(ctx.builder, _ports(arriving), arriving if recipe.alias else None)
    builder.called = slots.names
    inside_streams = builder.inputs([stream.span for stream in arriving])
    incoming = rebuild(arrangement, inside_streams)
    inside = Context(ctx.session, builder, ctx.scope, ctx.file, incoming, incoming, ctx.frame)
    result = _run(recipe, inside, incoming)
    outputs: list[Stream] = []
    template = template_of(result, outputs) if result is not POISON else ("value", POISON)
    exports = tuple(
        [
            (name, template_of(builder.labels[name], outputs))
            for name in recipe.export
            if name in builder.labels and builder.labels[name] is not POISON
        ]
    )
    region = _known(_region(recipe, builder, outputs), ctx)
    captures = tuple([slots.stream(stream) for stream in builder.captured])
    modules = tuple([(module.name, slots.module(module)) for module in builder.borrowed])
    return _Entry(region, captures, modules, template, exports)


def _known(region: Region, ctx: Context) -> Region:
    # Copies of a group that mention different values and come out the same are one region.
    if region.kind != "group":
        return region
    same = (
        id(region.origin), region.variant, region.inputs, region.captured, region.nodes,
        region.outputs, region.shares, region.borrowed,
    )  # fmt: skip
    return ctx.session.known.setdefault(same, region)


def _ports(arriving: list[Stream]) -> list[Port]:
    if len(arriving) == 1:
        return [Port("x", arriving[0].shape)]
    return [Port(f"x{i}", stream.shape) for i, stream in enumerate(arriving)]


def _run(recipe: Recipe, inside: Context, incoming: Any) -> Any:
    try:
        result = recipe.body(inside, incoming)
        if result is POISON or is_stream(result):
            return result
        what = f"{recipe.name} ends in" if recipe.name else "this ends in"
        found = "NONE" if result is NONE else f"{name_of(result)}, which is a value"
        raise Problem(
            "value-as-stream", f"{what} {found}", recipe.span, help="a stream must leave it"
        )
    except Problem as problem:
        inside.report(problem.diagnostic)
        return POISON


def _region(recipe: Recipe, builder: Builder, outputs: list[Stream]) -> Region:
    names = ["out"] if len(outputs) == 1 else [f"out{i}" for i in range(len(outputs))]
    wires: list[Wire] = [builder.wire(stream) for stream in outputs]
    return Region(
        recipe.name,
        recipe.kind,
        tuple(builder.ports),
        tuple(builder.nodes),
        tuple(
            [
                RegionOutput(name, wire, stream.shape)
                for name, wire, stream in zip(names, wires, outputs, strict=True)
            ]
        ),
        recipe.origin,
        recipe.span,
        captured=len(builder.captured),
        arguments=recipe.arguments,
        shares=tuple(builder.shares),
        borrowed=tuple([module.name for module in builder.borrowed]),
        variant=recipe.variant,
        documentation=recipe.documentation,
    )


def region_of_step(origin: Any, span: Span, builder: Builder, outputs: list[Stream]) -> Region:
    """The region of one step of a cell, whose builder has all its nodes."""
    nothing: dict[str, Any] = {}
    recipe = Recipe("group", "", origin, span, lambda within, arriving: arriving, nothing)
    return _region(recipe, builder, outputs)


def join_outside(made: Made, ctx: Context) -> tuple[tuple[Wire, ...], tuple[tuple[str, str], ...]]:
    """The wires of the captures and the lent modules, in the region of the context."""
    return _join(made.captures, made.lends, made.region, ctx)


def join_streams(
    inner: Builder, region: Region, ctx: Context
) -> tuple[tuple[Wire, ...], tuple[tuple[str, str], ...]]:
    """The same for a region that was built without a recipe."""
    lends = tuple([(module.name, module) for module in inner.borrowed])
    return _join(tuple(inner.captured), lends, region, ctx)


def _join(
    captures: tuple[Stream, ...], lent: tuple[tuple[str, Any], ...], region: Region, ctx: Context
) -> tuple[tuple[Wire, ...], tuple[tuple[str, str], ...]]:
    from archc.lower.sharing import remember

    builder = ctx.builder
    assert builder is not None
    wires = tuple([builder.wire(stream) for stream in captures])
    for name, module in lent:
        remember(module, region, name)
    return wires, tuple([(name, builder.module(module)) for name, module in lent])


def feeds(incoming: Any, ctx: Context) -> tuple[Wire, ...]:
    """The wires of what flows in."""
    builder = ctx.builder
    assert builder is not None
    return tuple(
        [builder.wire(stream) for stream in (flatten(incoming) if is_stream(incoming) else [])]
    )


# --- names of places -----------------------------------------------------------------------------


def name_places(body: tree.Node, ctx: Context, *, group: bool = False) -> None:
    """Name the places of a body, once."""
    session = ctx.session
    if id(body) in session.bodies:
        return
    names = Names(body)
    session.bodies[id(body)] = names
    session.options.update(names.options())
    for node_id, name in names.all().items():
        session.places[node_id] = "" if group and names.single else name


def names_at(expr: tree.Node, ctx: Context, fallback: str) -> str:
    """The name of the module that a place makes."""
    found = ctx.session.places.get(id(expr))
    return safe_name(fallback) if found is None else found
