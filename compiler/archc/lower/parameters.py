"""Parameters of blocks and nets: what a call gives, what defaults and domains say."""

from __future__ import annotations

from typing import Any

from archc.lower.context import ALGEBRA, Context, Problem
from archc.lower.evaluate import evaluate
from archc.lower.operator_arguments import unknown_argument
from archc.lower.things import POISON, BlockValue, ChainValue, SharedValue, is_value, name_of
from archlang import tree, values
from archlang.source import Span
from archlang.values import show

__all__ = ["check_domain", "first_of_domain", "given_parameters", "unbound"]


def given_parameters(callee: Any, expr: tree.Call, ctx: Context) -> Any:
    """A block with the arguments of a call.

    Raises:
        Problem: for one that is unknown, doubled or one too many, or when it is no block.
    """
    if isinstance(callee, (ChainValue, SharedValue)) and not expr.arguments:
        return callee
    if not isinstance(callee, BlockValue):
        what = name_of(callee)
        help = "only operators, blocks and functions are called"
        if isinstance(callee, (ChainValue, SharedValue)):
            help = "it has no parameters"
        raise Problem("not-callable", f"{what} takes no arguments", expr.span, help=help)
    given: dict[str, Any] = {}
    for argument in expr.arguments:
        name = _name_of(callee, argument, given)
        if name in given:
            message = f"{callee.block.name} is given {name} twice"
            raise Problem("doubled-argument", message, argument.span)
        given[name] = evaluate(argument.value, ctx)
        parameter = next(p for p in callee.block.parameters or () if p.name == name)
        check_domain(parameter, given[name], argument.value.span, callee, ctx)
    if any(value is POISON for value in given.values()):
        return POISON
    return BlockValue(callee.file, callee.block, tuple((dict(callee.given) | given).items()))


def _name_of(callee: BlockValue, argument: tree.Argument, given: dict[str, Any]) -> str:
    parameters = [p.name for p in callee.block.parameters or ()]
    if argument.name is not None:
        if argument.name not in parameters:
            raise unknown_argument(callee.block.name, argument, parameters)
        return argument.name
    earlier = dict(callee.given)
    free = [name for name in parameters if name not in earlier and name not in given]
    if not free:
        count = len(parameters)
        takes = "no arguments" if count == 0 else f"at most {count} argument{'s' * (count > 1)}"
        raise Problem("argument-count", f"{callee.block.name} takes {takes}", argument.span)
    return free[0]


def unbound(block: BlockValue) -> list[tree.Parameter]:
    """The parameters that are not given yet."""
    given = dict(block.given)
    return [p for p in block.block.parameters or () if p.name not in given]


def first_of_domain(parameter: tree.Parameter, ctx: Context) -> Any | None:
    """The first member of a parameter's domain; None when it has no domain."""
    if parameter.domain is None:
        return None
    domain = evaluate(parameter.domain, ctx)
    if domain is POISON:
        return POISON
    if isinstance(domain, range) and domain.stop < domain.start:
        message = f"the domain {show(domain)} holds nothing: its end comes before its start"
        help = f"write `{domain.stop}..{domain.start}`"
        raise Problem("argument-value", message, parameter.domain.span, help=help)
    if isinstance(domain, range):
        return domain.start
    if isinstance(domain, list) and domain:
        return domain[0]
    message = f"a domain is a range `1..3` or a list, found {name_of(domain)}"
    raise Problem("argument-type", message, parameter.domain.span)


def check_domain(
    parameter: tree.Parameter, value: Any, span: Span | None, block: BlockValue, ctx: Context
) -> None:
    """Check a value against a parameter's domain.

    Raises:
        Problem: when it lies outside.
    """
    if parameter.domain is None or value is POISON:
        return
    inside = Context(ctx.session, None, block.file.scope, block.file, frame=ctx.frame)
    domain = evaluate(parameter.domain, inside)
    if domain is POISON:
        return
    allowed = _lies_in(value, domain)
    if not allowed:
        what = f"{parameter.name} of {block.block.name}"
        message = f"{what} is one of {show(domain)}, found {name_of(value)}"
        raise Problem("argument-value", message, span)


def _lies_in(value: Any, domain: Any) -> bool:
    if isinstance(domain, range):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and domain.start <= value <= domain.stop
    if not is_value(value):
        return any(value == item for item in domain)
    return any(is_value(item) and values.compare("==", value, item, ALGEBRA) for item in domain)
