"""Polynomials with exact rational coefficients over symbolic sizes and floor quotients.

A `Poly` is never constant: every operation whose result is a plain number returns an `int`. Equal
polynomials have equal terms, so that `==` and `hash` are structural. The coefficients share one
denominator; it is more than 1 only where the declared facts make every value a whole number
(`H/2` with `H % 32 == 0`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import gcd
from typing import TYPE_CHECKING

from archc.polynomial_atoms import Atom, Floor, Monomial, Symbol, Terms, multiply_monomials

if TYPE_CHECKING:
    from archc.ratio import Ratio

__all__ = [
    "Atom", "Dim", "Floor", "Monomial", "Poly", "Symbol", "Terms", "TooLarge", "atoms_of",
    "denominator_of", "make", "terms_of",
]  # fmt: skip

MOST_TERMS = 2_000
MOST_PRODUCTS = 200_000  # products of terms in one multiplication
MOST_EXPONENT = 64
MOST_BITS = 256  # of a coefficient
MOST_DEPTH = 16  # of floors inside floors


class TooLarge(OverflowError):
    """A polynomial grew beyond the bounds of this module."""


class Poly:
    """A sum of products of atoms; immutable, hashable, in canonical form."""

    __slots__ = ("_hash", "denominator", "terms")
    is_symbolic = True

    terms: Mapping[Monomial, int]
    denominator: int
    _hash: int

    def __init__(self, terms: Terms, denominator: int) -> None:
        """For `make`, which puts the terms into canonical form."""
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "denominator", denominator)
        object.__setattr__(self, "_hash", hash((frozenset(terms.items()), denominator)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Poly is immutable: cannot set {name!r}")

    def __reduce__(self) -> tuple[object, ...]:
        return (Poly, (dict(self.terms), self.denominator))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Poly):
            return NotImplemented
        return self.denominator == other.denominator and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __bool__(self) -> bool:
        raise TypeError(f"whether {self} is zero is not known: use archc.dims.same")

    def __repr__(self) -> str:
        return str(self)  # shapes and tables show the formula

    def __str__(self) -> str:
        from archc.polynomial_text import to_text

        return to_text(self)

    def __neg__(self) -> Dim:
        return Poly({m: -c for m, c in self.terms.items()}, self.denominator)

    def __pos__(self) -> Dim:
        return self

    def __add__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Poly)):
            return NotImplemented
        return _add(self, other, 1)

    def __sub__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Poly)):
            return NotImplemented
        return _add(self, other, -1)

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Poly)):
            return NotImplemented
        return _multiply(self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if not isinstance(exponent, int):
            return NotImplemented
        if exponent < 0:
            raise ValueError(f"a size to the power {exponent} is no whole number")
        if exponent > MOST_EXPONENT:
            raise TooLarge(f"the exponent {exponent} is more than {MOST_EXPONENT}")
        power: Dim = 1
        for _ in range(exponent):
            power = power * self
        return power

    def __floordiv__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Poly)):
            return NotImplemented
        from archc.polynomial_division import floor_divide

        return floor_divide(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        from archc.polynomial_division import floor_divide

        return floor_divide(other, self)

    def __mod__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Poly)):
            return NotImplemented
        return self - (self // other) * other

    def __rmod__(self, other: int) -> Dim:
        return other - (other // self) * self

    def __truediv__(self, other: Dim) -> Dim | Ratio:
        if not isinstance(other, (int, Poly)):
            return NotImplemented
        from archc.ratio import divide

        return divide(self, other)

    def __rtruediv__(self, other: int) -> Dim | Ratio:
        from archc.ratio import divide

        return divide(other, self)

    def evaluate(self, /, **bindings: int) -> int:
        """The value at those sizes: `net.macs.evaluate(T=128)`; see `archc.dims.evaluate`."""
        from archc.dims import evaluate

        return evaluate(self, bindings)


Dim = int | Poly


def make(terms: Terms, denominator: int = 1) -> Dim:
    """The sum of the terms, divided by the denominator (at least 1), in canonical form.

    Raises:
        TooLarge: beyond the bounds on terms, exponents and coefficients.
        ValueError: for a constant that is not whole, which facts that contradict each other give.
    """
    terms = {monomial: c for monomial, c in terms.items() if c}
    common = gcd(denominator, *terms.values())
    if common > 1:
        terms = {monomial: c // common for monomial, c in terms.items()}
        denominator //= common
    if not terms:
        return 0
    if len(terms) == 1 and () in terms:
        return _constant(terms[()], denominator)
    _check_size(terms, denominator)
    return Poly(terms, denominator)


def terms_of(dim: Dim) -> Mapping[Monomial, int]:
    """The terms of a size, before its denominator divides them."""
    if isinstance(dim, Poly):
        return dim.terms
    return {(): dim} if dim else {}


def denominator_of(dim: Dim) -> int:
    """The denominator of a size: 1 for an int."""
    return dim.denominator if isinstance(dim, Poly) else 1


def atoms_of(dim: Dim) -> Iterator[Atom]:
    """The atoms of a size, those inside floors not included; each may come several times."""
    for monomial in terms_of(dim):
        for atom, _ in monomial:
            yield atom


def _constant(value: int, denominator: int) -> int:
    if denominator != 1:
        raise ValueError(
            f"{value}/{denominator} is no size: the declared facts contradict each other"
        )
    return value


def _check_size(terms: Terms, denominator: int) -> None:
    if len(terms) > MOST_TERMS:
        raise TooLarge(f"a size of more than {MOST_TERMS} terms")
    if max(denominator, *map(abs, terms.values())).bit_length() > MOST_BITS:
        raise TooLarge(f"a coefficient of more than {MOST_BITS} bits")
    if any(exponent > MOST_EXPONENT for monomial in terms for _, exponent in monomial):
        raise TooLarge(f"an exponent of more than {MOST_EXPONENT}")


def _add(left: Poly, right: Dim, sign: int) -> Dim:
    divisor = denominator_of(right)
    common = gcd(left.denominator, divisor)
    scale_left, scale_right = divisor // common, sign * (left.denominator // common)
    terms = {monomial: c * scale_left for monomial, c in left.terms.items()}
    for monomial, c in terms_of(right).items():
        terms[monomial] = terms.get(monomial, 0) + c * scale_right
    return make(terms, left.denominator * scale_left)


def _multiply(left: Poly, right: Dim) -> Dim:
    factors = terms_of(right)
    if len(left.terms) * len(factors) > MOST_PRODUCTS:
        raise TooLarge(f"a product of {len(left.terms)} and {len(factors)} terms")
    terms: Terms = {}
    for monomial, c in left.terms.items():
        for other, factor in factors.items():
            product = multiply_monomials(monomial, other)
            terms[product] = terms.get(product, 0) + c * factor
    return make(terms, left.denominator * denominator_of(right))
