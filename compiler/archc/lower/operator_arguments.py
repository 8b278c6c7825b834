"""The arguments of operators: from a call, `-p`, the file's defaults or the operator's own."""

from __future__ import annotations

from typing import Any

from archc.arguments import ArgumentProblem, Flowing, Kind, Whole
from archc.dims import symbols
from archc.lower.context import Context, Problem
from archc.lower.things import POISON, OperatorValue, Stream, is_stream, is_value, name_of
from archc.op import Argument, Op
from archlang import tree
from archlang.source import Span
from archlang.suggest import closest
from archlang.values import show

__all__ = ["given_arguments", "make_operator", "streams_of", "unknown_argument"]


def given_arguments(callee: OperatorValue, expr: tree.Call, ctx: Context) -> Any:
    """The operator with the arguments of a call, converted and checked.

    Raises:
        Problem: for one that is unknown, doubled or of the wrong kind.
    """
    given = dict(callee.given)
    extra = dict(callee.extra)
    new: dict[str, Any] = {}
    rest: list[Any] = []
    positions = list(callee.op.arguments)
    poisoned = False
    for argument in expr.arguments:
        spec = _spec_of(callee.op, argument, positions)
        if spec is None:
            extra[_extra_name(argument)] = ctx.evaluate(argument.value)
            continue
        if spec.name in new:
            message = f"{callee.op.name} is given {spec.name} twice"
            raise Problem("doubled-argument", message, argument.span)
        value = _raw(argument.value, spec.kind, ctx)
        if value is POISON:
            poisoned = True
        elif spec.rest and argument.name is None:
            rest.append((value, argument))
        else:
            new[spec.name] = _convert(callee.op, spec, value, argument.value, ctx)
    if poisoned or any(value is POISON for value in extra.values()):
        return POISON
    if rest:
        spec = next(s for s in callee.op.arguments if s.rest)
        values = [_convert(callee.op, spec, value, a.value, ctx) for value, a in rest]
        new[spec.name] = tuple(values)
    return OperatorValue(callee.op, tuple((given | new).items()), tuple(extra.items()))


def _extra_name(argument: tree.Argument) -> str:
    assert argument.name is not None
    return argument.name


def _spec_of(op: type[Op], argument: tree.Argument, positions: list[Argument]) -> Argument | None:
    if argument.name is None:
        return _by_position(op, argument, positions)
    found = next((s for s in op.arguments if s.name == argument.name), None)
    if found is not None:
        return found
    if getattr(op, "extra", None):
        return None
    raise unknown_argument(op.name, argument, [s.name for s in op.arguments])


def unknown_argument(what: str, argument: tree.Argument, names: list[str]) -> Problem:
    """The Problem for an argument name that does not exist."""
    assert argument.name is not None
    near = closest(argument.name, names) or _FOREIGN.get(argument.name.casefold(), [])
    near = [name for name in near if name in names]
    takes = f"{what} takes {', '.join(names)}" if names else f"{what} takes no arguments"
    return Problem(
        "unknown-argument",
        f"{what} has no argument {argument.name}",
        argument.span,
        help=f"did you mean {near[0]}?" if near else takes,
    )


_FOREIGN = {
    "out_channels": ["filters"], "kernel_size": ["kernel"], "strides": ["stride"],
    "padding": ["pad"], "out_features": ["units"], "num_groups": ["groups"], "p": ["rate"],
    "use_bias": ["bias"], "dim": ["axis"], "rate": ["p"], "pool_size": ["kernel"],
    "dilation_rate": ["dilation"], "momentum": ["momentum"], "units": ["units"],
}  # fmt: skip


def _by_position(op: type[Op], argument: tree.Argument, positions: list[Argument]) -> Argument:
    if not positions:
        count = len(op.arguments)
        takes = "no arguments" if count == 0 else f"at most {count} argument{'s' * (count > 1)}"
        help = _flows(op, argument.value) if isinstance(argument.value, tree.Name) else None
        raise Problem("argument-count", f"{op.name} takes {takes}", argument.span, help=help)
    spec = positions[0]
    if not spec.rest:
        positions.pop(0)
    return spec


def _flows(op: type[Op], expr: tree.Expr) -> str:
    # Operators are written like the functions of other tools, and are none.
    return f"a stream flows into an operator: `{expr.span.text} -> {op.name}`"


def _raw(expr: tree.Expr, kind: Kind, ctx: Context) -> Any:
    if isinstance(expr, tree.Name):
        words = kind.words
        is_word = words is None or expr.name in words
        if is_word:
            return expr.name
    if isinstance(expr, tree.Tuple) and kind.words is None:
        return tuple([_raw(item, kind, ctx) for item in expr.items])
    return ctx.evaluate(expr)


def _convert(op: type[Op], spec: Argument, value: Any, expr: tree.Expr, ctx: Context) -> Any:
    if isinstance(spec.kind, Flowing) and isinstance(value, Stream):
        return value
    if not is_value(value):
        message = f"{op.name}'s {spec.name} is {spec.kind.text}, found {name_of(value)}"
        help = _flows(op, expr) if is_stream(value) else None
        raise Problem("argument-type", message, expr.span, help=help)
    try:
        converted = spec.kind.convert(value)
    except ArgumentProblem as problem:
        code = "argument-value" if _is_number(value) else "argument-type"
        message = f"{op.name}'s {spec.name} is {problem.expected}, found {show(value)}"
        raise Problem(code, message, expr.span) from problem
    if isinstance(spec.kind, Whole) and spec.kind.features and not isinstance(converted, int):
        _check_features(op, spec, converted, expr, ctx)
    return converted


def _check_features(op: type[Op], spec: Argument, size: Any, expr: tree.Expr, ctx: Context) -> None:
    moving = sorted(s.name for s in symbols(size) if s.name in ctx.session.moving)
    if moving:
        raise Problem(
            "undecided",
            f"{op.name}'s {spec.name} is {size}, but parameters cannot depend on {moving[0]}",
            expr.span,
            help=f"bind it: `-p {moving[0]}=...`",
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def make_operator(thing: OperatorValue, span: Span, ctx: Context) -> Any:
    """The operator with all its arguments: given, else from `-p`, else from the file's defaults,
    else its own; POISON when a sketch leaves one open.

    Raises:
        Problem: when one is missing.
    """
    values = {n: v for n, v in thing.given if not isinstance(v, Stream)}
    flowing = [n for n, v in thing.given if isinstance(v, Stream)]
    values |= {n: thing.op.inputs[0] + number for number, n in enumerate(flowing)}
    for spec in thing.op.arguments:
        if spec.name in values:
            continue
        found = _default(thing.op, spec, ctx)
        if found is not None:
            values[spec.name] = found[0]
        elif spec.required:
            _missing(thing.op, spec, span, ctx)
            return POISON
    if thing.extra:
        values[getattr(thing.op, "extra", "")] = thing.extra
    return thing.op(**values)


def streams_of(thing: OperatorValue) -> list[Stream]:
    """The streams among the arguments: inputs of the operator behind those that flow in."""
    return [value for _, value in thing.given if isinstance(value, Stream)]


def _default(op: type[Op], spec: Argument, ctx: Context) -> tuple[Any] | None:
    for name in (op.name, op.takes_defaults_of):
        if name is None:
            continue
        key = f"{name}.{spec.name}"
        if key in ctx.session.bindings:
            ctx.session.used.add(key)
            return (_convert_binding(op, spec, ctx.session.bindings[key], key),)
        for argument in reversed(ctx.file.defaults.get(name, [])):
            if argument.name == spec.name:
                inside = Context(ctx.session, None, ctx.file.scope, ctx.file, frame=ctx.frame)
                value = _raw(argument.value, spec.kind, inside)
                return (_convert(op, spec, value, argument.value, inside),)
    return None


def _convert_binding(op: type[Op], spec: Argument, value: Any, key: str) -> Any:
    try:
        return spec.kind.convert(value)
    except ArgumentProblem as problem:
        message = f"-p {key} is {problem.expected}, found {show(value)}"
        raise Problem("argument-value", message, None) from problem


def _missing(op: type[Op], spec: Argument, span: Span, ctx: Context) -> None:
    key = f"{op.name}.{spec.name}"
    if ctx.session.sketch:
        ctx.session.open.setdefault(f"-p {key}=...", f"{spec.name} of {op.name}")
        return
    example = f"{op.name}(64)" if op.arguments[0] is spec else f"{op.name}({spec.name}=...)"
    message = f"{op.name} needs {spec.name}: {spec.text}"
    raise Problem(
        "missing-argument", message, span, help=f"write `{example}`, or give -p {key}=..."
    )
