"""Reads a row of operands, operators and suffixes by the levels of the operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from archlang.automaton import Token
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.operators import (
    CHAIN_LEVEL,
    COMPARE_LEVEL,
    NOT_LEVEL,
    UNARY_LEVEL,
    As,
    Claim,
    IfElse,
    IfThen,
    Part,
    level_of,
)
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
    Unary,
)

__all__ = ["Row"]


class Row:
    """Reads a row from left to right.

    Args:
        parts: the row; it starts with an operand or a prefix, and every operator has its operand.
        diagnostics: takes what is wrong.
    """

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
        if not isinstance(token, Token) or level_of(token) < level:
            return None
        self.place += 1
        return token

    def binary(self, left: Expr, token: Token) -> Expr:
        """Read the right side of an operator whose left side is read."""
        if token.type == "COMPARE":
            return self.comparison(left, token)
        # `**` alone groups to the right.
        level = level_of(token)
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


def _loose_not(token: Token, place: Span) -> Diagnostic:
    return Diagnostic(
        "loose-not",
        "`not` behind an operator needs parentheses",
        (Label(Span(place.source, token.start, token.end)),),
        help="write `(not ...)`",
    )
