"""Lists and comprehensions: rounds, patterns, and which brackets hold values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archc.lower.computing import condition
from archc.lower.context import POISONED, Context, Problem
from archc.lower.guards import guarded
from archc.lower.things import (
    POISON,
    Bundle,
    ChainValue,
    LetValue,
    Scope,
    is_value,
    name_of,
)
from archlang import tree, values
from archlang.functions import FUNCTIONS

__all__ = ["bind_pattern", "copies", "is_list", "is_plain", "list_of"]


def copies(clauses: tuple[tree.For, ...], ctx: Context) -> Iterator[Context]:
    """One context for each round of a comprehension.

    Raises:
        Problem: when what it walks over is no list, or a pattern does not fit.
    """
    if not clauses:
        yield ctx
        return
    clause, rest = clauses[0], clauses[1:]
    walked = ctx.evaluate(clause.iterable)
    if walked is POISON:
        raise Problem(POISONED, "", None)
    if isinstance(walked, Bundle):
        walked = walked.items
    if not is_value(walked):
        raise _no_list(walked, clause)
    with guarded(clause.iterable.span):
        items = values.iterate(walked)
    for item in items:
        scope = Scope(ctx.scope)
        bind_pattern(clause.pattern, item, scope)
        inside = ctx.with_scope(scope)
        if clause.condition is None or condition(clause.condition, inside) is True:
            yield from copies(rest, inside)


def _no_list(walked: Any, clause: tree.For) -> Problem:
    repeated = isinstance(walked, ChainValue) and isinstance(walked.expr, tree.Repeat)
    help = "brackets behind `*` are steps; a list is `[16 for i in range(3)]`" if repeated else None
    message = f"expected a list, found {name_of(walked)}"
    return Problem("value-type", message, clause.iterable.span, help=help)


def bind_pattern(pattern: tree.Pattern, item: Any, scope: Scope) -> None:
    """Give the names of a pattern their meaning.

    Raises:
        Problem: when the pattern has another number of parts than the item.
    """
    if isinstance(pattern, tree.Name):
        scope.names[pattern.name] = item
        return
    parts = item.items if isinstance(item, Bundle) else item
    if not isinstance(parts, (list, tuple)) or len(parts) != len(pattern.items):
        found = f"{len(parts)}" if isinstance(parts, (list, tuple)) else name_of(item)
        message = f"this pattern takes {len(pattern.items)} items, found {found}"
        raise Problem("pattern-mismatch", message, pattern.span)
    for part, value in zip(pattern.items, parts, strict=True):
        bind_pattern(part, value, scope)


def is_list(group: tree.Group, ctx: Context) -> bool:
    """Whether brackets hold values (a list) and not steps (a group)."""
    if len(group.items) != 1:
        return True
    inside: Context | None = ctx
    if group.clauses:
        inside = next(copies(group.clauses, ctx), None)
    return inside is None or is_plain(group.items[0], inside)


def is_plain(expr: tree.Expr, ctx: Context) -> bool:
    match expr:
        case tree.Number() | tree.Text() | tree.Boolean() | tree.Compare() | tree.Attribute():
            return True
        case tree.Tuple() | tree.Slice() | tree.Range():
            return True
        case tree.Name():
            if expr.name in ("ID", "NONE"):
                return False
            found = ctx.scope.find(expr.name)
            return found is POISON or (found is not None and is_value(found))
        case tree.Call(function=tree.Name() as function):
            callee = ctx.scope.find(function.name)
            return function.name in FUNCTIONS or isinstance(callee, LetValue)
        case tree.Index():
            return is_plain(expr.value, ctx)
        case tree.Paren():
            return is_plain(expr.value, ctx)
        case tree.Binary():
            return is_plain(expr.left, ctx) and is_plain(expr.right, ctx)
        case tree.Unary():
            return is_plain(expr.operand, ctx)
        case tree.Conditional():
            return expr.otherwise is not None and is_plain(expr.then, ctx)
        case tree.Group():
            return is_list(expr, ctx)
    return False


def list_of(group: tree.Group, ctx: Context) -> Any:
    found: list[Any] = []
    for inside in copies(group.clauses, ctx):
        found.extend([inside.evaluate(item) for item in group.items])
    if any(item is POISON for item in found):
        return POISON
    with guarded(group.span):
        return values.bounded(found)
