"""Bodies: an expression, or statements with `in`, `out`, `share` and `param`."""

from __future__ import annotations

from typing import Any

from archc.lower.context import Context, Problem
from archc.lower.evaluate import evaluate, evaluate_value
from archc.lower.inputs import enter_named
from archc.lower.joins import operator_named
from archc.lower.operators import operation
from archc.lower.steps import Timed
from archc.lower.streams import define, stream
from archc.lower.things import (
    NONE,
    POISON,
    Bundle,
    Scope,
    SharedValue,
    Stream,
    is_block,
    is_stream,
    name_of,
)
from archlang import tree
from archlang.source import Span
from archlang.values import show

__all__ = ["prepare", "run_body", "run_statements"]


class _Result:
    """What the `out` statements of a body collect."""

    def __init__(self) -> None:
        self.outputs: list[tuple[str | None, Any, bool]] = []
        self.last: Any = None


def run_body(block: tree.Block, names: dict[str, Any], ctx: Context) -> Any:
    """Lower a body; returns what leaves it. Training-only outputs stay with the builder.

    Raises:
        Problem: for an expression body; statements report their own and go on.
    """
    scope = Scope(ctx.file.scope, names)
    inside = ctx.with_scope(scope)
    for parameter in block.parameters or ():
        scope.spans[parameter.name] = parameter.span
    if not isinstance(block.body, tree.Body):
        return stream(block.body, inside)
    return run_statements(block.body.statements, block.body.span, inside)


def run_statements(statements: tuple[tree.Statement, ...], span: Span, ctx: Context) -> Any:
    """Lower statements, each of which reports its own problems; returns what leaves them."""
    result = _Result()
    failed = _run_each(statements, result, ctx)
    return POISON if failed else _leaving(result, span, ctx)


def prepare(statements: tuple[tree.Statement, ...], ctx: Context) -> bool:
    """Lower statements from which nothing leaves; returns whether all is well."""
    return not _run_each(statements, _Result(), ctx)


def _run_each(statements: tuple[tree.Statement, ...], result: _Result, ctx: Context) -> bool:
    failed = False
    for statement in statements:
        try:
            _statement(statement, result, ctx)
        except Problem as problem:
            failed = True
            ctx.report(problem.diagnostic)
            _poison(statement, ctx)
    return failed


def _leaving(result: _Result, span: Span, ctx: Context) -> Any:
    builder = ctx.builder
    assert builder is not None
    always = [(name, thing) for name, thing, training in result.outputs if not training]
    builder.training = [(name, thing) for name, thing, training in result.outputs if training]
    if not always:
        if result.last is None:
            message = "this body lets nothing out"
            raise Problem("no-output", message, span, help="end it with `out ...`")
        return result.last
    if any(thing is POISON for _, thing in always):
        return POISON
    if len(always) == 1:
        builder.output_names = [always[0][0]]
        return always[0][1]
    builder.output_names = [name for name, _ in always]
    return Bundle(tuple([thing for _, thing in always]), tuple([name for name, _ in always]))


def _poison(statement: tree.Statement, ctx: Context) -> None:
    # What a wrong statement would have defined is unknown, and says nothing more.
    match statement:
        case tree.Assign():
            for target in statement.targets:
                if isinstance(target, tree.Name):
                    ctx.scope.names[target.name] = POISON
                elif isinstance(target.value, tree.Name):
                    _spoil(target.value.name, ctx)
        case tree.Share() | tree.Param():
            ctx.scope.names.setdefault(statement.name, POISON)
        case tree.In():
            for entry in statement.inputs:
                ctx.scope.names.setdefault(entry.name, POISON)


def _spoil(name: str, ctx: Context) -> None:
    found = ctx.scope.find(name)
    if isinstance(found, Timed):
        found.step.current.setdefault(name, POISON)


def _statement(statement: tree.Statement, result: _Result, ctx: Context) -> None:
    match statement:
        case tree.In():
            _in(statement, ctx)
        case tree.Assign():
            result.last = _assign(statement, ctx)
        case tree.Out():
            for output in statement.outputs:
                _refuse_doubled(output, result)
                made = _out(output, ctx)
                result.outputs.append((output.name, made, output.training))
                _runs_on(output, made, ctx)
        case tree.Share():
            _share(statement, ctx)
        case tree.Param():
            _param(statement, ctx)


# --- in ------------------------------------------------------------------------------------------


def _in(statement: tree.In, ctx: Context) -> None:
    builder = ctx.builder
    assert builder is not None
    if any(entry.value is not None for entry in statement.inputs):
        _in_of_net(statement, ctx)
        return
    items = ctx.incoming.items if isinstance(ctx.incoming, Bundle) else (ctx.incoming,)
    if ctx.incoming is None:
        message = "an input of a net says what it is"
        first = statement.inputs[0]
        help = f"in {first.name} = INPUT(3, 224, 224)"
        raise Problem("open-input", message, first.span, help=help)
    if len(items) != len(statement.inputs):
        takes = f"{len(statement.inputs)} stream{'s' * (len(statement.inputs) > 1)}"
        flows = "one flows in" if len(items) == 1 else f"a bundle of {len(items)} flows in"
        raise Problem("stream-count", f"this takes {takes}, {flows}", statement.span)
    for entry, item in zip(statement.inputs, items, strict=True):
        if isinstance(item, Stream):
            builder.name_input(item, entry.name)
        define(entry.name, item, entry.span, ctx)


def _in_of_net(statement: tree.In, ctx: Context) -> None:
    builder = ctx.builder
    assert builder is not None
    incoming = ctx.incoming
    items: list[Any] = [None] * len(statement.inputs)
    if incoming is not None:
        items = list(incoming.items) if isinstance(incoming, Bundle) else [incoming]
        if len(items) != len(statement.inputs):
            message = f"this takes {len(statement.inputs)} streams, {len(items)} flow in"
            raise Problem("stream-count", message, statement.span)
    for entry, item in zip(statement.inputs, items, strict=True):
        made = enter_named(entry, item, ctx)
        define(entry.name, made, entry.span, ctx)
        if len(statement.inputs) == 1:
            builder.input_stream = made
            ctx.scope.names["x"] = made


def _runs_on(output: tree.Output, made: Any, ctx: Context) -> None:
    # A named output of a cell can be read one step later.
    found = None if output.name is None else ctx.scope.find(output.name)
    if isinstance(found, Timed) and found.name not in found.step.current:
        found.define(made, output.span)


# --- assignments ---------------------------------------------------------------------------------


def _assign(statement: tree.Assign, ctx: Context) -> Any:
    made = stream(statement.value, ctx)
    if len(statement.targets) == 1:
        target = statement.targets[0]
        _give(target, made, ctx)
        _label(_name_of_target(target), made, ctx)
        return made
    parts = _parts(made, statement)
    for one, part in zip(statement.targets, parts, strict=True):
        _give(one, part, ctx)
    return made


def _give(target: tree.Name | tree.Index, made: Any, ctx: Context) -> None:
    if isinstance(target, tree.Name):
        define(target.name, made, target.span, ctx)
        return
    found = ctx.scope.find(_name_of_target(target))
    if not isinstance(found, Timed):
        message = "`[t]` on the left of `=` belongs into a cell"
        raise Problem("time-index", message, target.span, help="`cell Name(n) { ... }`")
    found.define(made, target.span)


def _name_of_target(target: tree.Name | tree.Index) -> str:
    inner = target.value if isinstance(target, tree.Index) else target
    return inner.name if isinstance(inner, tree.Name) else ""


def _label(name: str, made: Any, ctx: Context) -> None:
    builder = ctx.builder
    if builder is None or not isinstance(made, Stream) or made.builder is not builder:
        return
    if made.wire.node >= 0 and builder.nodes[made.wire.node].label is None:
        builder.nodes[made.wire.node] = builder.nodes[made.wire.node].replace(label=name)


def _parts(made: Any, statement: tree.Assign) -> list[Any]:
    wanted = len(statement.targets)
    if made is POISON:
        return [POISON] * wanted
    items = made.items if isinstance(made, Bundle) else made
    if isinstance(items, (list, tuple)) and len(items) == wanted:
        return list(items)
    found = str(len(items)) if isinstance(items, (list, tuple)) else name_of(made)
    message = f"{wanted} names stand on the left, {found} on the right"
    raise Problem("pattern-mismatch", message, statement.span)


def _refuse_doubled(output: tree.Output, result: _Result) -> None:
    if output.name is not None and any(name == output.name for name, _, _ in result.outputs):
        message = f"{output.name} is named twice"
        raise Problem("doubled-name", message, output.span, help="give one of the two another name")


def _out(output: tree.Output, ctx: Context) -> Any:
    made = stream(output.value, ctx)
    if made is POISON or is_stream(made):
        if output.name is not None:
            _label(output.name, made, ctx)
        return made
    what = "NONE" if made is NONE else f"{name_of(made)}, which is a value"
    message = f"`out` lets a stream out, found {what}"
    raise Problem("value-as-stream", message, output.value.span)


# --- share and param -----------------------------------------------------------------------------


def _share(statement: tree.Share, ctx: Context) -> None:
    what = evaluate(statement.value, ctx)
    assert ctx.builder is not None
    if what is POISON:
        define(statement.name, POISON, statement.span, ctx)
        return
    if not is_block(what):
        message = f"`share` names a module, found {name_of(what)}"
        help = f"share {statement.name} = EMBED(512)"
        raise Problem("not-a-module", message, statement.value.span, help=help)
    from archc.lower.regions import names_at

    name = ctx.builder.unique(names_at(statement, ctx, statement.name))
    define(
        statement.name, SharedValue(name, ctx.builder, what, statement.span), statement.span, ctx
    )


def _param(statement: tree.Param, ctx: Context) -> None:
    sizes = evaluate_value(statement.shape, ctx, "the shape of a param")
    if sizes is POISON:
        define(statement.name, POISON, statement.span, ctx)
        return
    listed = sizes if isinstance(sizes, tuple) else (sizes,)
    if not listed:
        help = f"a single number is `param {statement.name} = (1)`"
        raise Problem(
            "argument-value", "a param needs a size, found ()", statement.shape.span, help=help
        )
    for size in listed:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            message = f"a size of a param is a whole number of at least 1, found {show(size)}"
            raise Problem("argument-value", message, statement.shape.span)
    init, scale = _init(statement.init, ctx)
    op = operator_named("PARAM")(sizes=tuple(listed), init=init, scale=scale)
    from archc.lower.regions import names_at

    name = names_at(statement, ctx, statement.name)
    made = operation(op, [], statement.span, name, ctx)
    _label(statement.name, made, ctx)
    define(statement.name, made, statement.span, ctx)


def _init(expr: tree.Expr | None, ctx: Context) -> tuple[str, float]:
    if expr is None:
        return "zeros", 1.0
    name = expr.function if isinstance(expr, tree.Call) else expr
    known = ("zeros", "ones", "normal", "uniform")
    if not isinstance(name, tree.Name) or name.name not in known:
        message = f"unknown way to start a param: {expr.span.text}"
        raise Problem(
            "unknown-init", message, expr.span, help="init zeros, ones, normal(0.02), uniform(0.1)"
        )
    arguments = expr.arguments if isinstance(expr, tree.Call) else ()
    if not arguments:
        return name.name, 1.0
    scale = evaluate_value(arguments[0].value, ctx, "a deviation")
    if len(arguments) > 1 or isinstance(scale, bool) or not isinstance(scale, (int, float)):
        message = f"{name.name} takes one number, found {expr.span.text}"
        raise Problem("argument-type", message, expr.span)
    return name.name, float(scale)
