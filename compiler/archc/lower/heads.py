"""Whether something must flow into an expression: whether an operand starts with an operator."""

from __future__ import annotations

from archc.lower.context import Context, Problem
from archc.lower.things import OperatorValue, is_block
from archc.op import REGISTRY, Op
from archlang import tree
from archlang.diagnostics import ArchError
from archlang.functions import FUNCTIONS

__all__ = ["needs_incoming", "operator_of"]


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
                return not ctx.is_list(expr)
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
        operator = None if name.name in FUNCTIONS else operator_of(name)
        return operator is not None and operator.family != "input"
    if isinstance(found, OperatorValue):
        return found.op.family != "input"
    return is_block(found)


def operator_of(name: tree.Name) -> type[Op] | None:
    """The operator of a name, a user's included.

    Raises:
        Problem: operator-unavailable, when its declaration cannot be imported.
    """
    try:
        return REGISTRY.get(name.name)
    except ArchError as error:
        found = error.diagnostics[0]
        raise Problem(found.code, found.message, name.span, help=found.help) from error
