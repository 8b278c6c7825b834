"""The operators, how tightly they bind, and the suffixes that stand among them."""

from __future__ import annotations

from archlang.automaton import Token
from archlang.record import Record
from archlang.source import Span
from archlang.tree import Expr

__all__ = [
    "CHAIN_LEVEL",
    "COMPARE_LEVEL",
    "LEVELS",
    "NOT_LEVEL",
    "UNARY_LEVEL",
    "As",
    "Claim",
    "IfElse",
    "IfThen",
    "Part",
    "level_of",
]

NOT_LEVEL = 3
COMPARE_LEVEL = 4
UNARY_LEVEL = 8
CHAIN_LEVEL = 11
LEVELS = {
    "or": 1,
    "and": 2,
    "|": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
    "//": 7,
    "%": 7,
    "**": 9,
    "@": 10,
}
"""Level of each binary operator: the higher, the tighter."""


class As(Record):
    """The suffix `as stem`."""

    name: str
    span: Span


class Claim(Record):
    """The suffix `:: (64, 112, 112)`."""

    shape: Expr


class IfThen(Record):
    """The suffix `if p`."""

    condition: Expr
    span: Span


class IfElse(Record):
    """`if p else`, between two operands."""

    condition: Expr
    span: Span


Part = Expr | Token | As | Claim | IfThen | IfElse


def level_of(token: Token) -> int:
    """How tightly an operator binds."""
    if token.type == "COMPARE":
        return COMPARE_LEVEL
    return CHAIN_LEVEL if token.type == "ARROW" else LEVELS[token.text]
