"""Where streams enter a net, and claims about shapes."""

from __future__ import annotations

from typing import Any

from archc.dims import same, symbols
from archc.lower.context import Context, Problem
from archc.lower.evaluate import evaluate
from archc.lower.lengths import add_lengths, claimed_lengths
from archc.lower.operator_arguments import make_operator
from archc.lower.things import NONE, POISON, OperatorValue, Stream, is_stream, is_value, name_of
from archc.op import OpError
from archc.shapes import Shape
from archlang import tree
from archlang.diagnostics import Label
from archlang.source import Span
from archlang.values import show

__all__ = ["check_claim", "enter", "enter_named"]


def enter(thing: OperatorValue, incoming: Any, expr: tree.Expr, ctx: Context) -> Any:
    """INPUT, SEQUENCE or TOKENS at the head of a chain: an input of the net, or, in a net that is
    used as a block, a check of what flows in.

    Raises:
        Problem: when what flows in is something else.
    """
    if incoming is not None:
        return _check_incoming(thing, incoming, expr.span, ctx)
    made = _new_input("x", thing, expr.span, ctx)
    if made is not POISON and ctx.builder is not None and ctx.builder.input_stream is None:
        ctx.builder.input_stream = made
        ctx.scope.names.setdefault("x", made)
    return made


def enter_named(entry: tree.Input, incoming: Any, ctx: Context) -> Any:
    """One input of an `in` statement of a net.

    Raises:
        Problem: when it does not say what it is, or something else flows in.
    """
    if entry.value is None:
        help = f"in {entry.name} = INPUT(3, 224, 224)"
        message = f"{entry.name} does not say what it is"
        raise Problem("open-input", message, entry.span, help=help)
    thing = evaluate(entry.value, ctx)
    if thing is POISON:
        return POISON
    if not isinstance(thing, OperatorValue) or thing.op.family != "input":
        message = f"an input is INPUT, SEQUENCE or TOKENS, found {name_of(thing)}"
        raise Problem("open-input", message, entry.value.span)
    if incoming is not None:
        return _check_incoming(thing, incoming, entry.value.span, ctx)
    return _new_input(entry.name, thing, entry.span, ctx)


def _check_incoming(thing: OperatorValue, incoming: Any, span: Span, ctx: Context) -> Any:
    if not isinstance(incoming, Stream):
        message = f"{thing.op.name} takes one stream, found {name_of(incoming)}"
        raise Problem("stream-count", message, span)
    if not thing.given:
        return incoming
    op = make_operator(thing, span, ctx)
    if op is POISON:
        return POISON
    try:
        op.infer(incoming.shape.whole())
    except OpError as error:
        more = (Label(incoming.span, str(incoming.shape)),)
        raise Problem(error.code, error.message, span, more=more, help=error.help) from error
    return incoming


def _new_input(name: str, thing: OperatorValue, span: Span, ctx: Context) -> Any:
    root = ctx.session.root
    if root is None:
        message = f"{thing.op.name} begins a net, not a block"
        raise Problem("open-input", message, span, help="what flows into a block is called x")
    thing = _as_given_outside(name, thing, span, ctx)
    if not thing.given:
        ctx.session.open.setdefault("--input 3x224x224", "the input")
        if not ctx.session.sketch:
            message = f"{thing.op.name} does not say its sizes"
            help = f"{thing.op.name}(3, 224, 224), or give --input 3x224x224"
            raise Problem("open-input", message, span, help=help)
        return POISON
    op = make_operator(thing, span, ctx)
    if op is POISON:
        return POISON
    try:
        shape = op.infer()
    except OpError as error:
        raise Problem(error.code, error.message, span, help=error.help) from error
    assert isinstance(shape, Shape)
    _note_symbols(shape, ctx)
    made = root.add_input(name, shape, span)
    return made if not getattr(op, "lengths", False) else add_lengths(made, root, span, ctx)


def _as_given_outside(name: str, thing: OperatorValue, span: Span, ctx: Context) -> OperatorValue:
    session = ctx.session
    key = name if name in session.inputs else None
    if key not in session.inputs or (key is None and None in session.used_inputs):
        return thing
    session.used_inputs.add(key)
    sizes = session.inputs[key]
    given: dict[str, Any] = {}
    rest = list(sizes)
    for spec in thing.op.arguments:
        if spec.rest:
            given[spec.name], rest = tuple(rest), []
        elif rest and spec.name != "lengths":
            given[spec.name] = rest.pop(0)
    if rest:
        message = f"--input gives {len(sizes)} sizes, {thing.op.name} takes fewer"
        raise Problem("argument-count", message, span)
    kept = {n: v for n, v in thing.given if n not in given or given[n] == ()}
    return OperatorValue(thing.op, tuple((given | kept).items()))


def _note_symbols(shape: Shape, ctx: Context) -> None:
    for axis in shape.axes:
        found = {symbol.name for symbol in symbols(axis.size)}
        target = ctx.session.features if axis.role == "features" else ctx.session.moving
        target.update(found)
    ctx.session.moving -= ctx.session.features


# --- claims --------------------------------------------------------------------------------------


def check_claim(made: Any, expr: tree.Claimed, ctx: Context) -> Any:
    """`:: (64, 112, 112)`: the stream, when it has that shape.

    A claim that names a kind (`:: SEQUENCE(T, C)`) also says what the axes mean.

    Raises:
        Problem: shape-claim-failed, with both shapes.
    """
    if made is POISON:
        return POISON
    if not isinstance(made, Stream):
        found = "NONE" if made is NONE else name_of(made)
        raise Problem("shape-claim-failed", f"a shape is claimed of {found}", expr.shape.span)
    claimed = evaluate(expr.shape, ctx)
    if claimed is POISON:
        return made
    if isinstance(claimed, OperatorValue) and claimed.op.family == "input":
        return _claimed_kind(made, claimed, expr, ctx)
    if is_stream(claimed) or not is_value(claimed):
        message = f"a shape is sizes in parentheses, found {name_of(claimed)}"
        raise Problem("shape-claim-failed", message, expr.shape.span)
    sizes = claimed if isinstance(claimed, tuple) else (claimed,)
    _compare(made, sizes, expr)
    return made


def _claimed_kind(made: Stream, thing: OperatorValue, expr: tree.Claimed, ctx: Context) -> Any:
    op = make_operator(thing, expr.shape.span, ctx)
    if op is POISON:
        return made
    try:
        shape = op.infer()
    except OpError as error:
        raise Problem(error.code, error.message, expr.shape.span, help=error.help) from error
    _compare(made, shape.sizes, expr)
    shape = claimed_lengths(made.shape, shape, getattr(op, "lengths", False), expr.shape.span)
    return Stream(made.builder, made.wire, shape, made.span)


def _compare(made: Stream, sizes: tuple[Any, ...], expr: tree.Claimed) -> None:
    found = made.shape.sizes
    answers: list[bool | None] = [False]
    if len(found) == len(sizes):
        answers = [_equal(a, b) for a, b in zip(found, sizes, strict=True)]
    if all(answers):
        return
    claimed = f"({', '.join(show(size) for size in sizes)})"
    more = (Label(made.span, str(made.shape)),) if made.span != expr.shape.span else ()
    if False not in answers:
        message = f"whether {made.shape} is {claimed} cannot be known"
        raise Problem("undecided", message, expr.shape.span, more=more)
    message = f"the shape is {made.shape}, not {claimed}"
    raise Problem(
        "shape-claim-failed", message, expr.shape.span, more=more, help=f"write `:: {made.shape}`"
    )


def _equal(found: Any, claimed: Any) -> bool | None:
    if isinstance(claimed, (bool, str, float)):
        return bool(found == claimed) and not isinstance(claimed, bool)
    return same(found, claimed)
