"""Repeats: copies in a row, equal ones lowered once and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archc.graph import Repeat, Run, Wire
from archc.lower.closures import free_names
from archc.lower.comprehensions import copies
from archc.lower.context import POISONED, Context, Problem
from archc.lower.evaluate import evaluate_value
from archc.lower.exports import exported
from archc.lower.regions import (
    Made,
    Recipe,
    feeds,
    join_outside,
    make_region,
    name_places,
    names_at,
    rebuild,
    template_of,
)
from archc.lower.streams import define, stream
from archc.lower.things import (
    POISON,
    Bundle,
    ChainValue,
    Scope,
    Stream,
    is_block,
    is_stream,
    is_value,
    name_of,
)
from archc.op import MOST_STREAMS
from archlang import tree
from archlang.values import show

__all__ = ["repeated"]

LARGEST_COUNT = 1_000_000_000


def repeated(expr: tree.Repeat | tree.Group, ctx: Context) -> Any:
    """`[ ... ]*n`, or a comprehension over steps; returns what leaves the last copy.

    Raises:
        Problem: for a count that is none, or when the copies do not fit each other.
    """
    incoming = ctx.incoming
    if incoming is None and ctx.builder is not None:
        incoming = ctx.builder.input_stream
    if incoming is POISON:
        return POISON
    if not is_stream(incoming):
        help = "begin with INPUT(...), or with the name of a stream"
        raise Problem("no-input", "nothing flows into this repeat", expr.span, help=help)
    body = _body(expr)
    name_places(body, ctx, group=True)
    line = _Line(expr, body, incoming, ctx)
    try:
        if isinstance(expr, tree.Group):
            line.walk(copies(expr.clauses, ctx))
        else:
            line.run(_count(expr, ctx), ctx)
    except Problem as problem:
        if problem.diagnostic.code != POISONED:
            raise
        return POISON
    return line.close()


def _body(expr: tree.Repeat | tree.Group) -> tree.Expr:
    group = expr.body if isinstance(expr, tree.Repeat) else expr
    if isinstance(expr, tree.Repeat) and group.clauses:
        return group
    if len(group.items) != 1:
        message = "a group holds one chain, this one holds several parts"
        help = "`->` puts one after the other, `{ a, b }` keeps them apart"
        raise Problem("group-parts", message, group.span, help=help)
    return group.items[0]


def _count(expr: tree.Repeat, ctx: Context) -> Any:
    count = evaluate_value(expr.count, ctx, "the count of a repeat")
    if count is POISON:
        return POISON
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if getattr(count, "is_symbolic", False):
        from archc.dims import symbols

        name = min(s.name for s in symbols(count))
        message = f"the count of a repeat is known at compile time, found {show(count)}"
        raise Problem("undecided", message, expr.count.span, help=f"bind it: `-p {name}=...`")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        message = f"the count of a repeat is a whole number of at least 0, found {name_of(count)}"
        raise Problem("argument-value", message, expr.count.span)
    if count > LARGEST_COUNT:
        message = f"a repeat has at most {LARGEST_COUNT:,} copies, found {count:,}"
        raise Problem("repeat-too-large", message, expr.count.span)
    return count


class _Line:
    """The copies of one repeat, as they are lowered one after the other."""

    def __init__(
        self, expr: tree.Repeat | tree.Group, body: tree.Expr, incoming: Any, ctx: Context
    ) -> None:
        self.expr = expr
        self.body = body
        self.ctx = ctx
        self.incoming = incoming
        self.runs: list[Run] = []
        self.lends: tuple[tuple[str, str], ...] = ()
        self.export = exported(body, ctx)
        self.exports: dict[str, list[tuple[Any, tuple[Any, ...]]]] = {n: [] for n in self.export}
        found: list[Stream] = []
        self.arrangement = template_of(incoming, found)
        self.carried = [one.shape for one in found]
        self._current = incoming

    def run(self, count: Any, ctx: Context) -> None:
        """A number of copies: as soon as one equals the one before, so do all that follow."""
        if count is POISON:
            raise Problem(POISONED, "", None)
        done, before = 0, None
        while done < count:
            made = self.copy(ctx)
            done += 1
            if before is not None and made.region is before.region:
                self._add(made, count - done)
                done = count
            before = made

    def walk(self, contexts: Iterator[Context]) -> None:
        """One copy for each round of a comprehension."""
        for inside in contexts:
            self.copy(inside)

    def copy(self, ctx: Context) -> Made:
        """Lower one copy behind the ones before."""
        self.ctx.session.spent.copy(self.body.span)
        scope = Scope(ctx.scope)

        def body(within: Context, arriving: Any) -> Any:
            return stream(self.body, within.with_scope(scope))

        closure = ChainValue(self.body, ctx.scope, ctx.file)
        recipe = Recipe(
            "group", "", self.body, self.body.span, body, {"body": closure},
            export=self.export, arguments=_arguments(self.body, ctx),
            variant=_variant(self.body, ctx),
        )  # fmt: skip
        made = make_region(recipe, self._current, ctx)
        if made.result == ("value", POISON):
            raise Problem(POISONED, "", None)
        self._advance(made)
        self._add(made, 1)
        return made

    def _advance(self, made: Made) -> None:
        leaving = made.region.outputs
        count = len(self.carried)
        streams = _count_streams(made.result)
        if streams != count:
            what = "one stream flows" if count == 1 else f"{count} streams flow"
            message = f"{what} into this repeat, {streams} leave it"
            help = "a copy lets out as many streams as flow in"
            raise Problem("repeat-arity", message, self.expr.span, help=help)
        self.carried = [output.shape for output in leaving[:count]]
        link = _Link()
        handles: list[Stream] = [
            Stream(link, Wire(0, port), shape, self.body.span)  # type: ignore[arg-type]
            for port, shape in enumerate(self.carried)
        ]
        self._current = rebuild(self.arrangement, handles)

    def _add(self, made: Made, count: int) -> None:
        if count == 0:
            return
        wires, lends = join_outside(made, self.ctx)
        self.lends = tuple(dict.fromkeys((*self.lends, *lends)))
        for name, template in made.exports:
            shapes = tuple([output.shape for output in made.region.outputs])
            if not isinstance(template, int):
                message = f"{name} is a bundle in each copy: only single streams leave a repeat so"
                help = f"join what it holds and name that, `{{ ... }} -> CONCAT as {name}`"
                raise Problem("not-supported-yet", message, self.expr.span, help=help)
            if len(self.exports[name]) + count > MOST_STREAMS:
                message = f"a bundle has at most {MOST_STREAMS:,} streams, {name} would have more"
                help = f"leave out `as {name}`, or repeat less often"
                raise Problem("bundle-too-large", message, self.expr.span, help=help)
            self.exports[name].extend([(template, shapes)] * count)
        last = self.runs[-1] if self.runs else None
        if last is not None and last.region is made.region and last.captures == wires:
            self.runs[-1] = Run(made.region, last.count + count, wires)
            return
        self.runs.append(Run(made.region, count, wires))

    def close(self) -> Any:
        """Add the repeat to the region; returns what leaves it."""
        builder = self.ctx.builder
        assert builder is not None
        if not self.runs:
            self._name_exports([], 0)
            return self.incoming
        self._refuse_gaps()
        name = names_at(self.expr, self.ctx, "stage")
        shapes = list(self.carried)
        for copies_ in self.exports.values():
            shapes.extend([s for template, all_ in copies_ for s in _shapes(template, all_)])
        node = Repeat(
            builder.unique(name), feeds(self.incoming, self.ctx), tuple(shapes), self.expr.span,
            None, tuple(self.runs), self.export, self.lends,
        )  # fmt: skip
        made = builder.add(node)
        self._name_exports(made, len(self.carried))
        return rebuild(self.arrangement, made[: len(self.carried)])

    def _refuse_gaps(self) -> None:
        # `skip[i]` is the stream of copy i, so a bundle has one of each copy.
        copies_ = sum([run.count for run in self.runs])
        for name, given in self.exports.items():
            if len(given) == copies_:
                continue
            message = (
                f"{len(given)} of {copies_} copies name a stream {name}, which is used outside"
            )
            help = f"name a stream that every copy has: `[[BN] if i > 0] as {name}`"
            raise Problem("repeat-arity", message, self.expr.span, help=help)

    def _name_exports(self, made: list[Stream], start: int) -> None:
        for name, copies_ in self.exports.items():
            items: list[Any] = []
            for template, _ in copies_:
                numbers = _numbers(template)
                handles = dict(zip(numbers, made[start : start + len(numbers)], strict=True))
                start += len(numbers)
                items.append(rebuild(template, handles))  # type: ignore[arg-type]
            bundle = Bundle(tuple(items))
            define(name, bundle, self.body.span, self.ctx)
            if self.ctx.builder is not None:
                self.ctx.builder.labels[name] = bundle


class _Link:
    """Stands for the region of a copy as the source of what flows into the next."""


def _count_streams(template: Any) -> int:
    return len(_numbers(template))


def _numbers(template: Any) -> list[int]:
    if isinstance(template, int):
        return [template]
    if template[0] == "value":
        return []
    return [number for part in template[2] for number in _numbers(part)]


def _shapes(template: Any, shapes: tuple[Any, ...]) -> list[Any]:
    return [shapes[number] for number in _numbers(template)]


def _arguments(body: tree.Expr, ctx: Context) -> tuple[tuple[str, Any], ...]:
    """The values that a copy mentions: loop variables, and parameters of the block around it."""
    found = [(name, _local(ctx.scope, name)) for name in free_names(body)]
    return tuple([(n, v) for n, v in found if v is not None and v is not POISON and is_value(v)])


def _variant(body: tree.Expr, ctx: Context) -> tuple[str, ...]:
    found: list[str] = []
    for name in free_names(body):
        thing = _local(ctx.scope, name)
        if thing is not None and is_block(thing):
            found.append(f"{name}={name_of(thing)}")
    return tuple(found)


def _local(scope: Scope | None, name: str) -> Any:
    while scope is not None and scope.parent is not None:
        if name in scope.names:
            return scope.names[name]
        scope = scope.parent
    return None
