"""Sizes: whole numbers, and polynomials in the names that a file declares with `dim`.

`Dim` is `int | Poly`. Arithmetic with `+ - * // % **` on either side gives a `Dim` again, and a
plain `int` wherever the result is constant; `/` gives an exact `Ratio` where it is no size. `==` is
equality of the canonical forms; what holds for all values is asked with `same` and `less`, which
answer yes, no or unknown (None). There is no `<`: it would have to guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from math import gcd
from typing import Any

from archc.polynomial import Dim, Poly, TooLarge, atoms_of, make
from archc.polynomial import terms_of as _terms_of
from archc.polynomial_atoms import Floor, Symbol
from archc.polynomial_bounds import bounds
from archc.polynomial_cases import cases, divisor_choices
from archc.polynomial_text import to_latex
from archc.ratio import Ratio, divide, simplest

__all__ = [
    "Dim", "Poly", "Ratio", "Symbol", "TooLarge", "at_most", "bounds", "divide", "evaluate", "less",
    "maximum", "minimum", "same", "substitute", "sufficient", "symbol", "symbols", "to_latex",
    "unknown_answers",
]  # fmt: skip


def symbol(
    name: str, minimum: int = 1, maximum: int | None = None, divisor: int = 1, remainder: int = 0
) -> Poly:
    """A symbolic size, with what the file declares of it; see `Symbol`."""
    if divisor < 1 or not 0 <= remainder < divisor:
        raise ValueError(f"{name} % {divisor} == {remainder} can never hold")
    return Poly({((Symbol(name, minimum, maximum, divisor, remainder), 1),): 1}, 1)


def symbols(dim: Dim | Ratio) -> frozenset[Symbol]:
    """The symbols that a size is made of."""
    if isinstance(dim, Ratio):
        return symbols(dim.numerator) | symbols(dim.denominator)
    return frozenset(_symbols(dim))


def _symbols(dim: Dim) -> Iterator[Symbol]:
    for atom in atoms_of(dim):
        if isinstance(atom, Symbol):
            yield atom
        else:
            yield from _symbols(atom.numerator)
            yield from _symbols(atom.divisor)


# --- values --------------------------------------------------------------------------------------


def evaluate(dim: Dim, bindings: Mapping[str, int]) -> int:
    """The value at those sizes.

    Raises:
        KeyError: with the name of a symbol that is not bound.
        ValueError: when the sizes contradict what is declared of them.
        ZeroDivisionError: when a divisor is 0 there.
    """
    if isinstance(dim, int):
        return dim
    values: dict[object, int] = {}
    for atom in set(atoms_of(dim)):
        if isinstance(atom, Symbol):
            values[atom] = bindings[atom.name]
        else:
            values[atom] = evaluate(atom.numerator, bindings) // evaluate(atom.divisor, bindings)
    total = 0
    for monomial, coefficient in dim.terms.items():
        for atom, exponent in monomial:
            coefficient *= values[atom] ** exponent
        total += coefficient
    value, left_over = divmod(total, dim.denominator)
    if left_over:
        raise ValueError(f"{dim} is not whole at {dict(bindings)}")
    return value


def substitute(dim: Dim, bindings: Mapping[str, Dim]) -> Dim:
    """The size with other sizes for some of its symbols; what is not named stays."""
    if isinstance(dim, int):
        return dim
    values: dict[object, Dim] = {}
    for atom in set(atoms_of(dim)):
        if isinstance(atom, Floor):
            above, below = substitute(atom.numerator, bindings), substitute(atom.divisor, bindings)
            values[atom] = above // below
        else:
            values[atom] = bindings.get(atom.name, make({((atom, 1),): 1}))
    total: Dim = 0
    for monomial, coefficient in dim.terms.items():
        term: Dim = coefficient
        for atom, exponent in monomial:
            term = term * values[atom] ** exponent
        total = total + term
    return total // dim.denominator


# --- what holds for all values -------------------------------------------------------------------

_UNKNOWN: ContextVar[list[tuple[Any, Any]] | None] = ContextVar("_UNKNOWN", default=None)


@contextmanager
def unknown_answers() -> Iterator[list[tuple[Any, Any]]]:
    """Collects the pairs of which `same` cannot tell, in the order in which it is asked."""
    asked: list[tuple[Any, Any]] = []
    token = _UNKNOWN.set(asked)
    try:
        yield asked
    finally:
        _UNKNOWN.reset(token)


def same(left: Dim | Ratio | float, right: Dim | Ratio | float) -> bool | None:
    """Whether two sizes are equal: for all values (True), for none (False), or unknown (None).

    A real stands for the simplest fraction that rounds to it, as in `Ratio`.
    """
    answer = _same(left, right)
    listener = _UNKNOWN.get()
    if answer is None and listener is not None:
        listener.append((left, right))
    return answer


def _same(left: Dim | Ratio | float, right: Dim | Ratio | float) -> bool | None:
    if isinstance(left, (Ratio, float)) or isinstance(right, (Ratio, float)):
        return _same(*_crossed(left, right))
    if isinstance(left, int) and isinstance(right, int):
        return left == right
    difference = left - right
    zero = _is_zero(difference)
    if zero is not None or isinstance(difference, int):
        return zero
    found: bool | None = None
    for number, case in enumerate(cases(difference)):
        answer = _is_zero(case)
        if answer is None or (number > 0 and answer is not found):
            return None
        found = answer
    return found


def less(left: Dim | Ratio | float, right: Dim | Ratio | float) -> bool | None:
    """Whether `left < right`: for all values (True), for none (False), or unknown (None)."""
    if isinstance(left, (Ratio, float)) or isinstance(right, (Ratio, float)):
        below = [r.denominator for r in (left, right) if isinstance(r, Ratio)]
        if any(less(0, d) is not True for d in below):
            return None
        return less(*_crossed(left, right))
    low, high = bounds(right - left)
    if low is not None and low > 0:
        return True
    return False if high is not None and high <= 0 else None


def at_most(left: Dim | Ratio | float, right: Dim | Ratio | float) -> bool | None:
    """Whether `left <= right`: for all values (True), for none (False), or unknown (None)."""
    more = less(right, left)
    return None if more is None else not more


def sufficient(left: Dim, right: Dim) -> tuple[str, ...]:
    """Facts that would make two sizes equal for all values, as a file declares them.

    `2*(H//2)` and `H` are equal if `H % 2 == 0`. Empty when no facts of that kind are known to do.
    """
    difference = left - right
    if isinstance(difference, int):
        return ()
    for divisors in divisor_choices(difference):
        facts = {s.name: symbol(s.name, s.minimum, s.maximum, d) for s, d in divisors.items()}
        if same(substitute(left, facts), substitute(right, facts)):
            return tuple([f"{s.name} % {d} == 0" for s, d in divisors.items() if d > s.divisor])
    return ()


def maximum(left: Dim, right: Dim) -> Dim | None:
    """The greater of two sizes, None where it is not known which one that is."""
    if at_most(left, right):
        return right
    return left if at_most(right, left) else None


def minimum(left: Dim, right: Dim) -> Dim | None:
    """The smaller of two sizes, None where it is not known which one that is."""
    if at_most(left, right):
        return left
    return right if at_most(right, left) else None


def _crossed(left: Dim | Ratio | float, right: Dim | Ratio | float) -> tuple[Dim, Dim]:
    (above, below), (other_above, other_below) = _parts(left), _parts(right)
    return above * other_below, other_above * below


def _parts(value: Dim | Ratio | float) -> tuple[Dim, Dim]:
    if isinstance(value, Ratio):
        return value.numerator, value.denominator
    return simplest(value) if isinstance(value, float) else (value, 1)


def _is_zero(difference: Dim) -> bool | None:
    if isinstance(difference, int):
        return difference == 0
    low, high = bounds(difference)
    if low == 0 == high:
        return True
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    return False if _never_by_remainder(difference) else None


def _never_by_remainder(difference: Poly) -> bool:
    """Whether it leaves a remainder that 0 does not: 2*H + 1 is never 0."""
    constant = _terms_of(difference).get((), 0)
    others = gcd(*[c for monomial, c in difference.terms.items() if monomial])
    return constant % others != 0
