"""Which expressions need parentheses where: the levels of operators.py, read the other way."""

from __future__ import annotations

from archlang.operators import CHAIN_LEVEL, COMPARE_LEVEL, LEVELS, NOT_LEVEL, UNARY_LEVEL
from archlang.tree import (
    Binary,
    Bundle,
    Chain,
    Claimed,
    Compare,
    Conditional,
    Expr,
    Group,
    Named,
    Optional,
    Paren,
    Range,
    Repeat,
    Unary,
    When,
)

__all__ = [
    "ANY_LEVEL",
    "CONDITION_LEVEL",
    "NEVER_LEVEL",
    "OPERATION_LEVEL",
    "POSTFIX_LEVEL",
    "PRIMARY_LEVEL",
    "RANGE_LEVEL",
    "STEP_LEVEL",
    "SUM_LEVEL",
    "WHEN_LEVEL",
    "ends_in_repeat",
    "fits_argument",
    "fits_condition",
    "fits_operand",
    "fits_otherwise",
    "fits_then",
    "level",
]

ANY_LEVEL = -3
WHEN_LEVEL = -2
RANGE_LEVEL = -1
OPERATION_LEVEL = 0
CONDITION_LEVEL = 1
SUM_LEVEL = LEVELS["+"]
STEP_LEVEL = CHAIN_LEVEL + 1
PRIMARY_LEVEL = STEP_LEVEL + 1
POSTFIX_LEVEL = PRIMARY_LEVEL + 1
NEVER_LEVEL = POSTFIX_LEVEL + 1


def level(node: Expr) -> int:
    """How tightly an expression holds together: the higher, the tighter."""
    match node:
        case Bundle():
            return ANY_LEVEL
        case When():
            return WHEN_LEVEL
        case Range():
            return RANGE_LEVEL
        case Conditional():
            return STEP_LEVEL if _is_step(node) else OPERATION_LEVEL
        case Binary():
            return LEVELS[node.operator]
        case Compare():
            return COMPARE_LEVEL
        case Unary():
            return NOT_LEVEL if node.operator == "not" else UNARY_LEVEL
        case Chain():
            return CHAIN_LEVEL
        case Named() | Claimed():
            return STEP_LEVEL
        case Optional() | Repeat():
            return PRIMARY_LEVEL
        case _:
            return POSTFIX_LEVEL


def _is_step(node: Conditional) -> bool:
    if isinstance(node.then, Conditional) or level(node.then) < STEP_LEVEL:
        return False
    return node.otherwise is None or _is_other_step(node.otherwise)


def _is_other_step(node: Expr) -> bool:
    if isinstance(node, Conditional):
        return level(node.then) >= PRIMARY_LEVEL and _is_step(node)
    return level(node) >= PRIMARY_LEVEL


def fits_then(node: Expr) -> bool:
    """Whether an expression may stand before the `if` of arithmetic without parentheses."""
    if level(node) < CONDITION_LEVEL or isinstance(node, Conditional):
        return False
    return not isinstance(_last_operand(node), Chain | Conditional)


def fits_otherwise(node: Expr) -> bool:
    """Whether an expression may stand behind the `else` of arithmetic without parentheses."""
    if isinstance(node, Conditional):
        return node.otherwise is not None and fits_then(node.then)
    if level(node) < CONDITION_LEVEL:
        return False
    return not isinstance(_first_operand(node), Chain | Named | Claimed | Conditional)


def fits_operand(node: Expr, *, followed_by: str | None) -> bool:
    """Whether a step or chain may be an operand without parentheses.

    Args:
        node: the operand.
        followed_by: the operator behind it, if one follows.
    """
    last = _last_operand(node)
    if followed_by == "*" and isinstance(_last_step(last), Group):
        return False  # it would repeat the group
    steps = last.steps if isinstance(last, Chain) else (last,)
    first = steps[0]
    while isinstance(first, Named | Claimed):
        first = first.value
    if isinstance(first, Conditional) and first.otherwise is not None:
        return False
    # A condition takes the arithmetic that follows it.
    ends_open = isinstance(steps[-1], Conditional) and steps[-1].otherwise is None
    return not (ends_open and followed_by not in (None, "|", "@"))


def fits_argument(node: Expr) -> bool:
    """Whether an expression may be an argument or a value without parentheses."""
    match node:
        case Bundle() | When() | Named() | Claimed():
            return False
        case Chain():
            return level(node.steps[0]) >= PRIMARY_LEVEL
        case Conditional():
            # An arrow behind the last part would continue the whole, not that part.
            if node.otherwise is None or isinstance(node.otherwise, Chain):
                return False
            parts = (node.then, node.condition)
            return all(fits_condition(part) for part in parts) and fits_argument(node.otherwise)
        case Range():
            return True
        case _:
            return fits_condition(node)


def fits_condition(node: Expr) -> bool:
    """Whether an expression may stand without parentheses where no `if` may."""
    if isinstance(node, Binary):
        inside = node.operator not in ("|", "@")
        return inside and fits_condition(node.left) and fits_condition(node.right)
    if isinstance(node, Compare):
        return all(fits_condition(operand) for operand in node.operands)
    if isinstance(node, Unary):
        return fits_condition(node.operand)
    return level(node) >= PRIMARY_LEVEL


def _last_operand(node: Expr) -> Expr:
    while True:
        if isinstance(node, Binary):
            node = node.right
        elif isinstance(node, Compare):
            node = node.operands[-1]
        elif isinstance(node, Unary):
            node = node.operand
        else:
            return node


def ends_in_repeat(node: Expr) -> bool:
    """Whether an operator behind an expression would follow the count of a repeat."""
    last = _last_step(_last_operand(node))
    return isinstance(last, Repeat) and not isinstance(last.count, Paren)


def _last_step(node: Expr) -> Expr:
    return node.steps[-1] if isinstance(node, Chain) else node


def _first_operand(node: Expr) -> Expr:
    while True:
        if isinstance(node, Binary):
            node = node.left
        elif isinstance(node, Compare):
            node = node.operands[0]
        elif isinstance(node, Unary):
            node = node.operand
        else:
            return node
