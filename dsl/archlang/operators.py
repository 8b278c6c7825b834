"""How tightly operators bind: a flat row of operands, operators and suffixes becomes a tree.

The grammar says what may stand where; the levels below say what belongs to what. The one thing that
levels cannot say is `if ... else`: in a chain it chooses between two steps, in arithmetic between
everything on its left and everything on its right, as in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from archlang.automaton import Token
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.record import Record
from archlang.source import Span
from archlang.tree import (
    Binary,
    BinaryOperator,
    Chain,
    Claimed,
    Compare,
    CompareOperator,
    Conditional,
    Expr,
    Named,
    Number,
    Paren,
    Repeat,
    Unary,
)

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
    "combine",
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


def combine(parts: Sequence[Part], diagnostics: Diagnostics) -> Expr:
    """Put a row of operands, operators and suffixes into a tree.

    Args:
        parts: the row; it starts with an operand or a prefix and every operator has its operand.
        diagnostics: takes what reads in two ways.
    """
    if len(parts) == 1:
        return cast(Expr, parts[0])
    _refuse_counts(parts, diagnostics)
    place = _choice_of_sums(parts, diagnostics)
    if place is None:
        return _Row(parts, diagnostics).operation(0)
    marker = cast(IfElse, parts[place])
    then = combine(parts[:place], diagnostics)
    otherwise = combine(parts[place + 1 :], diagnostics)
    return Conditional(then.span.to(otherwise.span), then, marker.condition, otherwise)


def _refuse_counts(parts: Sequence[Part], diagnostics: Diagnostics) -> None:
    """Refuse `[A]*n-1`, which is meant as `[A]*(n-1)` and would subtract 1 from the stream."""
    for repeat, operator, number in zip(parts, parts[1:], parts[2:], strict=False):
        if not isinstance(repeat, Repeat) or isinstance(repeat.count, Paren):
            continue
        if isinstance(operator, Token) and isinstance(number, Number):
            count, sign = repeat.count.span.text, operator.text
            diagnostics.add(
                Diagnostic(
                    "repeat-count",
                    "a repeat count is a number, a name or a value in parentheses",
                    (Label(Span(number.span.source, operator.start, number.span.end)),),
                    help=f"write `*({count}{sign}{number.text})`",
                )
            )


def _choice_of_sums(parts: Sequence[Part], diagnostics: Diagnostics) -> int | None:
    """The place of the first `if p else` that chooses between all before it and all behind it."""
    if not any(isinstance(part, IfElse) for part in parts):
        return None
    if not any(_is_arithmetic(part) for part in parts):
        return None
    for place, part in enumerate(parts):
        if not isinstance(part, IfElse):
            continue
        left, right = _run_before(parts, place), _run_after(parts, place)
        if _has_arrow(left):
            continue
        if _has_arrow(right) or any(isinstance(p, As | Claim) for p in right):
            diagnostics.add(_two_readings(part))
            continue
        return place
    return None


def _is_arithmetic(part: Part) -> bool:
    return isinstance(part, Token) and part.type != "ARROW"


def _has_arrow(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, Token) and part.type == "ARROW" for part in parts)


def _run_before(parts: Sequence[Part], place: int) -> Sequence[Part]:
    start = place
    while start > 0 and not (_is_arithmetic(parts[start - 1]) or _is_choice(parts[start - 1])):
        start -= 1
    return parts[start:place]


def _run_after(parts: Sequence[Part], place: int) -> Sequence[Part]:
    start = place + 1
    while _is_arithmetic(parts[start]):
        start += 1
    stop = start
    while stop < len(parts) and not (_is_arithmetic(parts[stop]) or _is_choice(parts[stop])):
        stop += 1
    return parts[start:stop]


def _is_choice(part: Part) -> bool:
    return isinstance(part, IfElse)


def _two_readings(marker: IfElse) -> Diagnostic:
    return Diagnostic(
        "ambiguous-condition",
        "this `if ... else` stands in arithmetic and reads in two ways",
        (Label(marker.span, "chooses between two steps, or between two sums"),),
        help="put what it chooses between in parentheses: `a + (b if p else c)`",
    )


class _Row:
    """Reads a row from left to right."""

    def __init__(self, parts: Sequence[Part], diagnostics: Diagnostics) -> None:
        self.parts = parts
        self.place = 0
        self.diagnostics = diagnostics

    def operation(self, level: int) -> Expr:
        """Read operators that bind at least as tightly as the level."""
        left = self.operand(level)
        while (token := self.operator(level)) is not None:
            left = self.binary(left, token)
        return left

    def operator(self, level: int) -> Token | None:
        """The operator that comes next, if it binds at least as tightly as the level."""
        if self.place == len(self.parts):
            return None
        token = self.parts[self.place]
        if not isinstance(token, Token) or _level(token) < level:
            return None
        self.place += 1
        return token

    def binary(self, left: Expr, token: Token) -> Expr:
        """Read the right side of an operator whose left side is read."""
        if token.type == "COMPARE":
            return self.comparison(left, token)
        # `**` alone groups to the right.
        level = _level(token)
        right = self.operation(level if token.type == "POWER" else level + 1)
        place = Span(left.span.source, token.start, token.end)
        operator = cast(BinaryOperator, token.text)
        return Binary(left.span.to(right.span), operator, left, right, place)

    def comparison(self, left: Expr, token: Token | None) -> Expr:
        """Read `a < b <= c` as one comparison."""
        operands, operators = [left], []
        while token is not None:
            operators.append(cast(CompareOperator, token.text))
            operands.append(self.operation(COMPARE_LEVEL + 1))
            token = self.operator(COMPARE_LEVEL)
        return Compare(left.span.to(operands[-1].span), tuple(operands), tuple(operators))

    def operand(self, level: int) -> Expr:
        """Read a prefix and what it applies to, or a chain."""
        token = self.parts[self.place]
        if not isinstance(token, Token):
            return self.chain()
        self.place += 1
        if token.type == "NOT" and level > NOT_LEVEL:
            self.diagnostics.add(_loose_not(token, self.source))
        operand = self.operation(NOT_LEVEL if token.type == "NOT" else UNARY_LEVEL)
        span = Span(operand.span.source, token.start, operand.span.end)
        return Unary(span, "not" if token.type == "NOT" else "-", operand)

    @property
    def source(self) -> Span:
        """The place of the first operand."""
        return next(part for part in self.parts if not isinstance(part, Token | Claim)).span

    def chain(self) -> Expr:
        """Read steps joined by arrows."""
        steps = [self.step()]
        while self.operator(CHAIN_LEVEL) is not None:
            steps.append(self.step())
        if len(steps) == 1:
            return steps[0]
        return Chain(steps[0].span.to(steps[-1].span), tuple(steps))

    def step(self) -> Expr:
        """Read an operand with its suffixes."""
        step = self.take()
        while self.place < len(self.parts):
            part = self.parts[self.place]
            if isinstance(part, IfThen | IfElse):
                step = self.condition(step)
                continue
            if isinstance(part, As):
                step = Named(step.span.to(part.span), step, part.name, part.span)
            elif isinstance(part, Claim):
                step = Claimed(step.span.to(part.shape.span), step, part.shape)
            else:
                break
            self.place += 1
        return step

    def condition(self, then: Expr) -> Expr:
        """Read `if p`, or `if p else b` with what may follow b in the same way."""
        marker = self.parts[self.place]
        if isinstance(marker, IfThen):
            self.place += 1
            return Conditional(then.span.to(marker.span), then, marker.condition, None)
        if not isinstance(marker, IfElse):
            return then
        self.place += 1
        otherwise = self.take()
        if self.place < len(self.parts):
            otherwise = self.condition(otherwise)
        return Conditional(then.span.to(otherwise.span), then, marker.condition, otherwise)

    def take(self) -> Expr:
        """Read one operand; behind `else` it may have a minus."""
        part = self.parts[self.place]
        self.place += 1
        if not isinstance(part, Token):
            return cast(Expr, part)
        operand = self.take()
        span = Span(operand.span.source, part.start, operand.span.end)
        return Unary(span, "not" if part.type == "NOT" else "-", operand)


def _level(token: Token) -> int:
    if token.type == "COMPARE":
        return COMPARE_LEVEL
    return CHAIN_LEVEL if token.type == "ARROW" else LEVELS[token.text]


def _loose_not(token: Token, place: Span) -> Diagnostic:
    return Diagnostic(
        "loose-not",
        "`not` behind an operator needs parentheses",
        (Label(Span(place.source, token.start, token.end)),),
        help="write `(not ...)`",
    )
