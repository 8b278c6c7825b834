"""A flat row of operands, operators and suffixes becomes a tree.

The grammar says what may stand where; the levels of the operators say what belongs to what. The one
thing that levels cannot say is `if ... else`: in a chain it chooses between two steps, in
arithmetic between everything on its left and everything on its right, as in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from archlang.automaton import Token
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.operators import As, Claim, IfElse, Part
from archlang.row import Row
from archlang.source import Span
from archlang.tree import Conditional, Expr, Number, Paren, Repeat

__all__ = ["combine"]

_ARITHMETIC = frozenset({"POWER", "STAR", "SLASH", "PERCENT", "PLUS", "MINUS"})


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
        return Row(parts, diagnostics).operation(0)
    marker = cast(IfElse, parts[place])
    then = combine(parts[:place], diagnostics)
    otherwise = combine(parts[place + 1 :], diagnostics)
    return Conditional(then.span.to(otherwise.span), then, marker.condition, otherwise)


def _refuse_counts(parts: Sequence[Part], diagnostics: Diagnostics) -> None:
    """Refuse `[A]*n-1`, which is meant as `[A]*(n-1)` and would subtract 1 from the stream."""
    for repeat, operator, number in zip(parts, parts[1:], parts[2:], strict=False):
        if not isinstance(repeat, Repeat) or isinstance(repeat.count, Paren):
            continue
        if not isinstance(operator, Token) or operator.type not in _ARITHMETIC:
            continue
        if isinstance(number, Number):
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
