"""What is known of the values of a size: bounds that always hold.

Two bounds are computed and the better one is taken. One writes every atom as its least value plus
what exceeds it, so that terms with positive coefficients only add. The other first replaces floors:
floor(A / m) lies between (A - m + 1) / m and A / m.
"""

from __future__ import annotations

from math import lcm, prod

from archc.polynomial import Dim, Poly, TooLarge, atoms_of, make, terms_of
from archc.polynomial_atoms import Atom, Floor, Monomial, Symbol

__all__ = ["atom_bounds", "bounds", "quotient_bounds"]

Bounds = tuple[int | None, int | None]

MOST_SHIFTED = 400  # terms after every atom became its least value plus an excess


def bounds(dim: Dim) -> Bounds:
    """The least and the greatest value a size can have; None where no bound is known."""
    if isinstance(dim, int):
        return dim, dim
    highest = _lowest(-dim)
    return _lowest(dim), None if highest is None else -highest


def atom_bounds(atom: Atom) -> Bounds:
    """The bounds of a symbol or floor."""
    if isinstance(atom, Floor):
        return atom.low, atom.high
    low = atom.minimum + (atom.remainder - atom.minimum) % atom.divisor
    if atom.maximum is None:
        return low, None
    return low, atom.maximum - (atom.maximum - atom.remainder) % atom.divisor


def quotient_bounds(numerator: Dim, divisor: Dim) -> Bounds:
    """The bounds of floor(numerator / divisor): known for positive divisors only."""
    least, most = bounds(divisor)
    if least is None or least < 1:
        return None, None
    low, high = bounds(numerator)
    if low is not None and low >= 0 and _always_less(numerator, divisor):
        return 0, 0
    if low is not None:
        low = _quotient(low, most if low >= 0 else least)
    if high is not None:
        high = _quotient(high, least if high >= 0 else most)
    return low, high


def _quotient(value: int, divisor: int | None) -> int:
    """The floor, where None stands for a divisor beyond all bounds."""
    if divisor is None:
        return 0 if value >= 0 else -1
    return value // divisor


def _always_less(left: Dim, right: Dim) -> bool:
    if isinstance(left, int) and isinstance(right, int):
        return left < right
    least = _lowest(right - left)
    return least is not None and least > 0


def _lowest(dim: Dim) -> int | None:
    if isinstance(dim, int):
        return dim
    found = [_lowest_by_excess(dim), _lowest_without_floors(dim)]
    known = [low for low in found if low is not None]
    return max(known, default=None)


def _lowest_by_excess(dim: Poly) -> int | None:
    if all(len(monomial) < 2 and _linear(monomial) for monomial in dim.terms):
        return _lowest_of_linear(dim)
    excess = _excess(dim)
    if excess is None:
        return None
    total = 0
    for monomial, coefficient in terms_of(excess).items():
        if not monomial:
            total += coefficient
        elif coefficient < 0:
            highest = [(atom_bounds(atom)[1], exponent) for atom, exponent in monomial]
            if any(high is None for high, _ in highest):
                return None
            total += coefficient * prod([high**e for high, e in highest if high is not None])
    return -(-total // dim.denominator)


def _linear(monomial: Monomial) -> bool:
    return not monomial or monomial[0][1] == 1


def _lowest_of_linear(dim: Poly) -> int | None:
    """What the excess of each atom comes to where no products stand: the same, and quick."""
    total = 0
    for monomial, coefficient in dim.terms.items():
        if not monomial:
            total += coefficient
            continue
        low, high = atom_bounds(monomial[0][0])
        extreme = low if coefficient > 0 else high
        if extreme is None:
            return None
        total += coefficient * extreme
    return -(-total // dim.denominator)


def _excess(dim: Poly) -> Dim | None:
    """The numerator, with every atom as its least value plus a symbol of at least 0."""
    if sum(prod([e + 1 for _, e in monomial]) for monomial in dim.terms) > MOST_SHIFTED:
        return None
    shifted: dict[Atom, Dim] = {}
    for position, atom in enumerate(dict.fromkeys(atoms_of(dim))):
        low, high = atom_bounds(atom)
        if low is None:
            return None
        symbol = Symbol(str(position), 0, None if high is None else high - low)
        shifted[atom] = make({((symbol, 1),): 1}) + low
    total: Dim = 0
    for monomial, coefficient in dim.terms.items():
        product: Dim = coefficient
        for atom, exponent in monomial:
            product = product * shifted[atom] ** exponent
        total = total + product
    return total


def _lowest_without_floors(dim: Poly) -> int | None:
    chosen = {monomial: _removable(monomial) for monomial in dim.terms}
    floors = [floor for floor in chosen.values() if floor is not None]
    if not floors:
        return None
    scale = lcm(*[floor.divisor for floor in floors if isinstance(floor.divisor, int)])
    total: Dim = 0
    try:
        for monomial, coefficient in dim.terms.items():
            total = total + _relaxed(monomial, coefficient, chosen[monomial], scale)
    except TooLarge:
        return None
    low = _lowest(total)
    return None if low is None else -(-low // (scale * dim.denominator))


def _relaxed(monomial: Monomial, coefficient: int, floor: Floor | None, scale: int) -> Dim:
    """At most `scale` times the term, without the floor."""
    if floor is None or not isinstance(floor.divisor, int):
        return make({monomial: coefficient * scale})
    slack = floor.divisor - 1 if coefficient > 0 else 0
    others = make({tuple([item for item in monomial if item[0] != floor]): coefficient})
    return others * (floor.numerator - slack) * (scale // floor.divisor)


def _removable(monomial: Monomial) -> Floor | None:
    """A floor by a number that stands there once, beside atoms that are never negative."""
    for atom, exponent in monomial:
        if not isinstance(atom, Floor) or not isinstance(atom.divisor, int) or exponent > 1:
            continue
        lows = [atom_bounds(other)[0] for other, _ in monomial if other != atom]
        if all(low is not None and low >= 0 for low in lows):
            return atom
    return None
