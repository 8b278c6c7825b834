"""Floor division of polynomials, in canonical form.

Everything that is known to be a multiple of the divisor leaves the floor; what stays has
coefficients from 0 to divisor - 1 and a constant from 1 - divisor to 0; a floor inside a floor is
merged with it. So (2*H)//2 is H, (H//2)//3 is H//6, and (H + 2)//4 is (H - 2)//4 + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from archc.polynomial import (
    MOST_DEPTH,
    MOST_TERMS,
    Dim,
    TooLarge,
    atoms_of,
    denominator_of,
    make,
    terms_of,
)
from archc.polynomial_atoms import Atom, Floor, Monomial, Symbol, Terms, key

__all__ = ["divide_exactly", "floor_divide", "residue"]

Powers = tuple[int, ...]


def floor_divide(dividend: Dim, divisor: Dim) -> Dim:
    """The floor of dividend / divisor.

    Raises:
        ZeroDivisionError: when the divisor is 0.
        TooLarge: beyond the bounds of `polynomial`.
    """
    if isinstance(divisor, int):
        if divisor < 0:
            return floor_divide(-dividend, -divisor)
        if divisor == 0:
            raise ZeroDivisionError("division of a size by zero")
        return _by_integer(terms_of(dividend), divisor * denominator_of(dividend))
    numerator = make(dict(terms_of(dividend))) * denominator_of(divisor)
    return _by_polynomial(numerator, make(dict(divisor.terms)) * denominator_of(dividend))


def divide_exactly(dividend: Dim, divisor: Dim) -> tuple[Dim, Dim]:
    """The quotient as (above, below), cancelled; below is 1 where the division is exact.

    Both sizes have whole coefficients, and the divisor is not 0.
    """
    above, below = _cancel(dividend, divisor)
    if isinstance(below, int):
        whole = floor_divide(above, below)
        return (whole, 1) if whole * below == above else (above, below)
    content = gcd(*below.terms.values())
    exact, left_over = _divide(above, make({m: c // content for m, c in below.terms.items()}))
    return divide_exactly(exact, content) if left_over == 0 else (above, below)


def residue(monomial: Monomial) -> tuple[int, int]:
    """What is known of a product of atoms: (modulus, remainder)."""
    modulus, remainder = 0, 1
    for atom, exponent in monomial:
        if not isinstance(atom, Symbol) or atom.divisor == 1:
            return 1, 0
        for _ in range(exponent):
            cross = (modulus * atom.divisor, modulus * atom.remainder, atom.divisor * remainder)
            modulus, remainder = gcd(*cross), remainder * atom.remainder
            remainder %= modulus
    return modulus, remainder


# --- by a number ---------------------------------------------------------------------------------


def _by_integer(numerator: Mapping[Monomial, int], divisor: int) -> Dim:
    whole, rest, constant = _split(numerator, divisor)
    modulus, remainder = _known(rest, divisor)
    constant -= (remainder + constant) % modulus
    if modulus == divisor:
        whole[()] = whole.get((), 0) + constant
        return make(_sum(whole, rest), divisor)
    common = gcd(divisor, *rest.values())
    rounds = -(-constant // divisor)
    whole[()] = whole.get((), 0) + rounds * divisor
    rest[()] = constant - rounds * divisor
    inside = make({monomial: c // common for monomial, c in rest.items()})
    return make(whole, divisor) + _floor(inside, divisor // common)


def _split(numerator: Mapping[Monomial, int], divisor: int) -> tuple[Terms, Terms, int]:
    """Terms that are whole after division, terms that are not, and the constant."""
    whole: Terms = {}
    rest: Terms = {}
    constant = 0
    for monomial, coefficient in numerator.items():
        if not monomial:
            constant += coefficient
            continue
        modulus, remainder = residue(monomial)
        kept = coefficient % (divisor // gcd(divisor, modulus))
        moved = coefficient - kept
        whole[monomial] = moved
        whole[()] = whole.get((), 0) - moved * remainder
        constant += moved * remainder
        if kept:
            rest[monomial] = kept
    return whole, rest, constant


def _known(terms: Terms, divisor: int) -> tuple[int, int]:
    """The sum of the terms modulo a factor of the divisor: (factor, remainder)."""
    factor, total = divisor, 0
    for monomial, coefficient in terms.items():
        modulus, remainder = residue(monomial)
        factor = gcd(factor, coefficient * modulus)
        total += coefficient * remainder
    return factor, total % factor


def _sum(left: Terms, right: Terms) -> Terms:
    total = dict(left)
    for monomial, coefficient in right.items():
        total[monomial] = total.get(monomial, 0) + coefficient
    return total


# --- by a polynomial -----------------------------------------------------------------------------


def _by_polynomial(dividend: Dim, divisor: Dim) -> Dim:
    """Both with whole coefficients."""
    dividend, divisor = _cancel(dividend, divisor)
    if isinstance(divisor, int):
        return floor_divide(dividend, divisor)
    content = gcd(*divisor.terms.values())
    exact, left_over = _divide(dividend, make({m: c // content for m, c in divisor.terms.items()}))
    if left_over == 0:
        return floor_divide(exact, content)
    quotient, left_over = _divide(dividend, divisor)
    if left_over != dividend:
        return quotient + _by_polynomial(left_over, divisor)
    return _floor(dividend, divisor)


def _cancel(dividend: Dim, divisor: Dim) -> tuple[Dim, Dim]:
    """Both without their common number and common atoms, the divisor's first term positive."""
    terms, others = terms_of(dividend), terms_of(divisor)
    common = gcd(*terms.values(), *others.values())
    atoms = sorted({*atoms_of(dividend), *atoms_of(divisor)}, key=key)
    if _lead(others, atoms)[1] < 0:
        common = -common
    monomials = [*terms, *others]
    least = {a: min(dict(monomial).get(a, 0) for monomial in monomials) for a in atoms}
    shared = {atom: exponent for atom, exponent in least.items() if exponent}
    return _reduce(terms, common, shared), _reduce(others, common, shared)


def _reduce(terms: Mapping[Monomial, int], number: int, shared: Mapping[Atom, int]) -> Dim:
    reduced: Terms = {}
    for monomial, coefficient in terms.items():
        powers = ((atom, exponent - shared.get(atom, 0)) for atom, exponent in monomial)
        reduced[tuple([(atom, e) for atom, e in powers if e])] = coefficient // number
    return make(reduced)


def _divide(dividend: Dim, divisor: Dim) -> tuple[Dim, Dim]:
    """Quotient and remainder with whole coefficients, terms of the highest degree first."""
    atoms = sorted({*atoms_of(dividend), *atoms_of(divisor)}, key=key)
    factors = {_powers(m, atoms): c for m, c in terms_of(divisor).items()}
    lead = max(factors, key=_degree)
    work = {_powers(m, atoms): c for m, c in terms_of(dividend).items()}
    quotient: dict[Powers, int] = {}
    remainder: dict[Powers, int] = {}
    for _ in range(MOST_TERMS):
        if not work:
            return _monomials(quotient, atoms), _monomials(remainder, atoms)
        top = max(work, key=_degree)
        step = tuple([a - b for a, b in zip(top, lead, strict=True)])
        times = work[top] // factors[lead] if min(step, default=0) >= 0 else 0
        if times:
            quotient[step] = times
            _subtract(work, factors, step, times)
        if top in work:
            remainder[top] = work.pop(top)
    raise TooLarge(f"a division of sizes of more than {MOST_TERMS} steps")


def _subtract(
    work: dict[Powers, int], factors: Mapping[Powers, int], step: Powers, times: int
) -> None:
    for powers, coefficient in factors.items():
        at = tuple([a + b for a, b in zip(powers, step, strict=True)])
        left = work.pop(at, 0) - times * coefficient
        if left:
            work[at] = left


def _degree(powers: Powers) -> tuple[int, Powers]:
    return sum(powers), powers


def _powers(monomial: Monomial, atoms: list[Atom]) -> Powers:
    exponents = dict(monomial)
    return tuple([exponents.get(atom, 0) for atom in atoms])


def _monomials(terms: Mapping[Powers, int], atoms: list[Atom]) -> Dim:
    found: Terms = {}
    for powers, coefficient in terms.items():
        found[tuple([(a, e) for a, e in zip(atoms, powers, strict=True) if e])] = coefficient
    return make(found)


def _lead(terms: Mapping[Monomial, int], atoms: list[Atom]) -> tuple[Monomial, int]:
    return max(terms.items(), key=lambda item: _degree(_powers(item[0], atoms)))


# --- what cannot be divided further --------------------------------------------------------------


def _floor(numerator: Dim, divisor: Dim) -> Dim:
    if isinstance(numerator, int) and isinstance(divisor, int):
        return numerator // divisor
    from archc.polynomial_bounds import bounds, quotient_bounds

    low, high = quotient_bounds(numerator, divisor)
    if low is not None and low == high:
        return low
    inner = _only_floor(numerator)
    least = bounds(divisor)[0]
    if inner is None or least is None or least < 1:
        return _atom(numerator, divisor, low, high)
    # floor((floor(A / a) + N) / d) is floor((A + a*N) / (a*d)) for a whole N and a d of at least 1.
    others = numerator - make({((inner, 1),): 1})
    return floor_divide(inner.numerator + inner.divisor * others, inner.divisor * divisor)


def _only_floor(numerator: Dim) -> Floor | None:
    """The one floor of a sum, if it stands there plainly."""
    holding = [
        (monomial, coefficient)
        for monomial, coefficient in terms_of(numerator).items()
        if any(isinstance(atom, Floor) for atom, _ in monomial)
    ]
    if len(holding) != 1:
        return None
    monomial, coefficient = holding[0]
    atom, exponent = monomial[0]
    plain = len(monomial) == 1 and exponent == 1 and coefficient == 1
    return atom if plain and isinstance(atom, Floor) else None


def _atom(numerator: Dim, divisor: Dim, low: int | None, high: int | None) -> Dim:
    from archc.polynomial_text import floor_text

    inside = [a.depth for d in (numerator, divisor) for a in atoms_of(d) if isinstance(a, Floor)]
    depth = 1 + max(inside, default=0)
    if depth > MOST_DEPTH:
        raise TooLarge(f"floor divisions nested more than {MOST_DEPTH} deep")
    atom = Floor(numerator, divisor, floor_text(numerator, divisor), low, high, depth)
    return make({((atom, 1),): 1})
