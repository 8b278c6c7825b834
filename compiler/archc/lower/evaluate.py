"""Expressions whose meaning is known without letting anything flow: values, blocks, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archc.lower.context import ALGEBRA, POISONED, Context, Problem
from archc.lower.things import (
    NONE,
    POISON,
    BlockValue,
    Bundle,
    ChainValue,
    FunctionValue,
    LetValue,
    OperatorValue,
    Scope,
    Stream,
    is_block,
    is_stream,
    is_value,
    name_of,
)
from archc.op import REGISTRY, Op
from archlang import tree, values
from archlang.diagnostics import ArchError
from archlang.source import Span
from archlang.values import FUNCTIONS, Undecided, ValueProblem, show

__all__ = ["bind_pattern", "copies", "evaluate", "evaluate_value", "guarded", "lookup", "needs_incoming"]

MOST_STEPS = 3_000_000


def evaluate(expr: tree.Expr, ctx: Context) -> Any:
    """What an expression means: a value, a block, a stream.

    A chain that starts with an operator is a block without parameters until something flows into it.

    Raises:
        Problem: with the place, when it means nothing.
    """
    ctx.session.steps += 1
    if ctx.session.steps > MOST_STEPS:
        # Said once: whatever else is asked for from here on follows from it.
        first = ctx.session.steps == MOST_STEPS + 1
        code = "too-much-work" if first else POISONED
        raise Problem(code, "this file asks for too much work", expr.span)
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
            return _call(expr, ctx)
        case tree.Paren():
            return evaluate(expr.value, ctx)
        case tree.Tuple():
            return _tuple(expr, ctx)
        case tree.Range():
            return _range(expr, ctx)
        case tree.Unary() | tree.Binary() | tree.Compare():
            return _operation(expr, ctx)
        case tree.Conditional() if _chooses_value(expr, ctx):
            return _conditional(expr, ctx)
        case tree.Group() if is_list(expr, ctx):
            return _list(expr, ctx)
    return _flowing(expr, ctx)


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


class guarded:
    """Turns what values raise into a Problem at a place."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, ValueProblem):
            raise Problem(error.code, error.message, self.span, help=error.help) from error
        if isinstance(error, Undecided):
            raise undecided(error, self.span) from error
        if isinstance(error, OverflowError):
            raise Problem("number-too-large", "this size is too large", self.span) from error


def undecided(error: Undecided, span: Span) -> Problem:
    """What is said where a comparison depends on symbolic sizes."""
    from archc.dims import symbols

    names = sorted({s.name for side in (error.left, error.right) for s in symbols(side)})
    sizes = " and ".join(names)
    return Problem(
        "undecided",
        f"whether {show(error.left)} {error.operator} {show(error.right)} depends on {sizes}",
        span,
        help=f"bind it: `{' '.join(f'-p {name}=...' for name in names)}`",
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
    if found is not None:
        return found
    if name.name in FUNCTIONS:
        return FunctionValue(name.name)
    operator = _operator(name)
    if operator is not None and not operator.internal:
        return OperatorValue(operator)
    from archc.lower.unknown import unknown_name

    return unknown_name(name, ctx)


def _operator(name: tree.Name) -> type[Op] | None:
    try:
        return REGISTRY.get(name.name)
    except ArchError as error:
        found = error.diagnostics[0]
        raise Problem(found.code, found.message, name.span, help=found.help) from error


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
        found = evaluate(whole, ctx)
    if found is POISON:
        return POISON
    if isinstance(found, Stream):
        return _size(found, expr)
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
    found = evaluate(expr.value, ctx)
    if found is POISON:
        return POISON
    position = _position(expr.index, ctx)
    if isinstance(found, Bundle):
        with guarded(expr.span):
            return _of_bundle(found, position)
    if not isinstance(found, (list, tuple, range)):
        message = f"{name_of(found)} cannot be indexed"
        raise Problem("value-type", message, expr.span, help="lists and bundles can")
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


# --- calls ---------------------------------------------------------------------------------------


def _call(expr: tree.Call, ctx: Context) -> Any:
    callee = evaluate(expr.function, ctx)
    if callee is POISON:
        return POISON
    match callee:
        case FunctionValue():
            return _apply_function(callee, expr, ctx)
        case LetValue():
            return _apply_let(callee, expr, ctx)
        case OperatorValue():
            from archc.lower.operators import given_arguments

            return given_arguments(callee, expr, ctx)
    from archc.lower.parameters import given_parameters

    return given_parameters(callee, expr, ctx)


def _plain_arguments(expr: tree.Call, name: str, ctx: Context) -> list[Any]:
    named = next((a for a in expr.arguments if a.name is not None), None)
    if named is not None:
        message = f"{name} takes its arguments by position"
        raise Problem("unknown-argument", message, named.span)
    return [evaluate(argument.value, ctx) for argument in expr.arguments]


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
    with guarded(expr.span):
        return values.call(function.name, tuple(arguments), ALGEBRA)


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
    return evaluate_value(let.value, inside, f"the result of {let.name}")


# --- operators on values -------------------------------------------------------------------------


def _tuple(expr: tree.Tuple, ctx: Context) -> Any:
    items = tuple([evaluate(item, ctx) for item in expr.items])
    return POISON if any(item is POISON for item in items) else items


def _range(expr: tree.Range, ctx: Context) -> Any:
    start = evaluate_value(expr.start, ctx, "the start of a range")
    stop = evaluate_value(expr.stop, ctx, "the end of a range")
    if start is POISON or stop is POISON:
        return POISON
    if not isinstance(start, int) or not isinstance(stop, int) or isinstance(start, bool):
        message = f"a range takes whole numbers, found {show(start)}..{show(stop)}"
        raise Problem("value-type", message, expr.span)
    return range(start, stop)


def _operation(expr: tree.Unary | tree.Binary | tree.Compare, ctx: Context) -> Any:
    if isinstance(expr, tree.Compare):
        return _compare(expr, ctx)
    if isinstance(expr, tree.Binary) and expr.operator in ("and", "or"):
        return _logic(expr, ctx)
    if isinstance(expr, tree.Binary):
        return _binary(expr, ctx)
    operand = evaluate(expr.operand, ctx)
    if operand is POISON:
        return POISON
    if expr.operator == "not":
        with guarded(expr.operand.span):
            return not values.truth(operand)
    if not is_value(operand):
        return _flowing(expr, ctx)
    with guarded(expr.span):
        return values.negate(operand)


def _binary(expr: tree.Binary, ctx: Context) -> Any:
    if expr.operator in ("|", "@") or needs_incoming(expr, ctx):
        return _flowing(expr, ctx)
    left, right = evaluate(expr.left, ctx), evaluate(expr.right, ctx)
    if left is POISON or right is POISON:
        return POISON
    if is_stream(left) or is_stream(right) or NONE in (left, right):
        return _flowing(expr, ctx)
    with guarded(expr.span):
        return values.arithmetic(expr.operator, left, right)


def _logic(expr: tree.Binary, ctx: Context) -> Any:
    left = evaluate(expr.left, ctx)
    if left is POISON:
        return POISON
    if is_block(left) or is_stream(left):
        return _flowing(expr, ctx)
    with guarded(expr.left.span):
        decided = values.truth(left)
    if decided == (expr.operator == "or"):
        return decided
    right = evaluate_value(expr.right, ctx, "a condition")
    if right is POISON:
        return POISON
    with guarded(expr.right.span):
        return values.truth(right)


def _compare(expr: tree.Compare, ctx: Context) -> Any:
    found = [evaluate_value(operand, ctx, "a condition") for operand in expr.operands]
    if any(item is POISON for item in found):
        return POISON
    with guarded(expr.span):
        return all(
            values.compare(operator, left, right, ALGEBRA)
            for operator, left, right in zip(expr.operators, found, found[1:], strict=False)
        )


def condition(expr: tree.Expr, ctx: Context) -> Any:
    """Whether a condition holds, or POISON."""
    found = evaluate_value(expr, ctx, "a condition")
    if found is POISON:
        return POISON
    with guarded(expr.span):
        return values.truth(found)


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


# --- lists and comprehensions --------------------------------------------------------------------


def copies(clauses: tuple[tree.For, ...], ctx: Context) -> Iterator[Context]:
    """One context for each round of a comprehension.

    Raises:
        Problem: when what it walks over is no list, or a pattern does not fit.
    """
    if not clauses:
        yield ctx
        return
    clause, rest = clauses[0], clauses[1:]
    walked = evaluate(clause.iterable, ctx)
    if walked is POISON:
        raise Problem(POISONED, "", None)
    if isinstance(walked, Bundle):
        walked = walked.items
    with guarded(clause.iterable.span):
        items = values.iterate(walked)
    for item in items:
        scope = Scope(ctx.scope)
        bind_pattern(clause.pattern, item, scope)
        inside = ctx.with_scope(scope)
        if clause.condition is None or condition(clause.condition, inside) is True:
            yield from copies(rest, inside)


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


def _list(group: tree.Group, ctx: Context) -> Any:
    found: list[Any] = []
    for inside in copies(group.clauses, ctx):
        found.extend([evaluate(item, inside) for item in group.items])
        if len(found) > values.LONGEST:
            message = f"this list has more than {values.LONGEST:,} items"
            raise Problem("list-too-long", message, group.span)
    return POISON if any(item is POISON for item in found) else found


# --- what flows ----------------------------------------------------------------------------------


def _flowing(expr: tree.Expr, ctx: Context) -> Any:
    if needs_incoming(expr, ctx):
        return ChainValue(expr, ctx.scope, ctx.file)
    from archc.lower.streams import stream

    return stream(expr, ctx)


def needs_incoming(expr: tree.Node | None, ctx: Context) -> bool:
    """Whether an expression is a block: whether something must flow in at the head of one of its
    operands."""
    match expr:
        case tree.Chain():
            return needs_incoming(expr.steps[0], ctx)
        case tree.Name():
            return _head_needs(expr, ctx)
        case tree.Call():
            return isinstance(expr.function, tree.Name) and _head_needs(expr.function, ctx)
        case tree.Group() | tree.Fork() | tree.Bundle():
            if isinstance(expr, tree.Group) and expr.clauses:
                return not is_list(expr, ctx)
            return any(needs_incoming(item, ctx) for item in expr.items)
        case tree.Repeat():
            return True
        case tree.Paren() | tree.Named() | tree.Optional() | tree.Claimed() | tree.Transpose():
            return needs_incoming(expr.value, ctx)
        case tree.Binary():
            return needs_incoming(expr.left, ctx) or needs_incoming(expr.right, ctx)
        case tree.Unary():
            return needs_incoming(expr.operand, ctx)
        case tree.Conditional():
            if expr.otherwise is None:
                return True
            return needs_incoming(expr.then, ctx) or needs_incoming(expr.otherwise, ctx)
        case tree.When():
            return needs_incoming(expr.then, ctx) or needs_incoming(expr.otherwise, ctx)
    return False


def _head_needs(name: tree.Name, ctx: Context) -> bool:
    if name.name == "ID":
        return True
    found = ctx.scope.find(name.name)
    if found is None:
        operator = None if name.name in FUNCTIONS else _operator(name)
        return operator is not None and operator.family != "input"
    if isinstance(found, OperatorValue):
        return found.op.family != "input"
    return is_block(found)
