"""Exact quotients of sizes, for claims such as `A.macs / B.macs = 1/C + 1/9`."""

from __future__ import annotations

from math import isfinite

from archc.polynomial import Dim, Poly, denominator_of, make, terms_of
from archc.polynomial_division import divide_exactly

__all__ = ["Ratio", "divide", "simplest"]


class Ratio:
    """A quotient of two sizes that is no size itself. Equal by cross-multiplication.

    A real operand stands for the simplest fraction that is that double, so that `1/9`, which is
    evaluated before it meets a size, is a ninth.
    """

    __hash__ = None  # type: ignore[assignment]  # equality is by value, and there is no canonical form
    __slots__ = ("denominator", "numerator")
    is_symbolic = True

    def __init__(self, numerator: Dim, denominator: Dim) -> None:
        """For `divide`."""
        self.numerator = numerator
        self.denominator = denominator

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Ratio, Poly, int, float)):
            return NotImplemented
        that = _ratio(other)
        return self.numerator * that.denominator == that.numerator * self.denominator

    def __neg__(self) -> Dim | Ratio:
        return divide(-self.numerator, self.denominator)

    def __add__(self, other: Ratio | Dim | float) -> Dim | Ratio:
        that = _ratio(other)
        above = self.numerator * that.denominator + that.numerator * self.denominator
        return divide(above, self.denominator * that.denominator)

    def __sub__(self, other: Ratio | Dim | float) -> Dim | Ratio:
        that = _ratio(other)
        above = self.numerator * that.denominator - that.numerator * self.denominator
        return divide(above, self.denominator * that.denominator)

    def __rsub__(self, other: Dim | float) -> Dim | Ratio:
        return _ratio(other) - self

    def __mul__(self, other: Ratio | Dim | float) -> Dim | Ratio:
        that = _ratio(other)
        return divide(self.numerator * that.numerator, self.denominator * that.denominator)

    def __truediv__(self, other: Ratio | Dim | float) -> Dim | Ratio:
        that = _ratio(other)
        return divide(self.numerator * that.denominator, self.denominator * that.numerator)

    def __rtruediv__(self, other: Dim | float) -> Dim | Ratio:
        return _ratio(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim | Ratio:
        if exponent < 0:
            return divide(self.denominator**-exponent, self.numerator**-exponent)
        return divide(self.numerator**exponent, self.denominator**exponent)

    def __bool__(self) -> bool:
        raise TypeError(f"whether {self} is zero is not known: use archc.dims.same")

    def __str__(self) -> str:
        return f"{_operand(self.numerator)}/{_operand(self.denominator)}"

    def __repr__(self) -> str:
        return f"Ratio({self})"

    def evaluate(self, /, **bindings: int) -> float:
        """The value at those sizes."""
        from archc.dims import evaluate

        return evaluate(self.numerator, bindings) / evaluate(self.denominator, bindings)


def divide(dividend: Dim, divisor: Dim) -> Dim | Ratio:
    """The exact quotient: a size where it is one, else a `Ratio` in lower terms.

    Raises:
        ZeroDivisionError: when the divisor is 0.
    """
    above = make(dict(terms_of(dividend))) * denominator_of(divisor)
    below = make(dict(terms_of(divisor))) * denominator_of(dividend)
    if isinstance(below, int) and below == 0:
        raise ZeroDivisionError("division of a size by zero")
    above, below = divide_exactly(above, below)
    return above if below == 1 else Ratio(above, below)


def simplest(value: float) -> tuple[int, int]:
    """Numerator and denominator of the simplest fraction that rounds to that double."""
    if not isfinite(value):
        raise ValueError(f"{value} is no number to calculate with")
    sign, rest = (-1, -value) if value < 0 else (1, value)
    before, now = (0, 1), (1, 0)
    above, below = rest.as_integer_ratio()
    while below:
        whole = above // below
        above, below = below, above - whole * below
        before, now = now, (whole * now[0] + before[0], whole * now[1] + before[1])
        if now[0] / now[1] == rest:
            break
    return sign * now[0], now[1]


def _ratio(value: Ratio | Dim | float) -> Ratio:
    if isinstance(value, Ratio):
        return value
    if isinstance(value, float):
        return Ratio(*simplest(value))
    return Ratio(make(dict(terms_of(value))), denominator_of(value))


def _operand(dim: Dim) -> str:
    text = str(dim)
    return text if text.isidentifier() or text.isdigit() else f"({text})"
