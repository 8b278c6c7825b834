"""Sizes with floors, case by case: what remainders the symbols may leave."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import lcm, prod

from archc.polynomial import Dim, Poly, atoms_of, make
from archc.polynomial_atoms import Floor, Symbol

__all__ = ["cases", "divisor_choices"]

MOST_CASES = 256


def cases(difference: Poly) -> Iterator[Dim]:
    """The size with each symbol as period*k + r, for every r, so that floors by numbers resolve.

    The size itself where floors by symbols stand in it, or where there would be too many cases.
    """
    from archc.dims import substitute

    periods = _periods(difference)
    names = sorted(periods, key=lambda s: s.name)
    remainders = [range(s.remainder, periods[s], s.divisor) for s in names]
    if not names or prod([len(choices) for choices in remainders]) > MOST_CASES:
        yield difference
        return
    for chosen in product(*remainders):
        pairs = zip(names, chosen, strict=True)
        yield substitute(difference, {s.name: _residue_class(s, periods[s], r) for s, r in pairs})


def divisor_choices(difference: Poly) -> Iterator[dict[Symbol, int]]:
    """Divisors of the symbols that could make floors vanish, the smallest first."""
    periods = _periods(difference)
    symbols = sorted([s for s in periods if s.remainder == 0], key=lambda s: s.name)
    choices = [_divisors(s, periods[s]) for s in symbols]
    if not symbols or prod([len(c) for c in choices]) > MOST_CASES:
        return
    for chosen in sorted(product(*choices), key=lambda c: (prod(c), c)):
        yield dict(zip(symbols, chosen, strict=True))


def _divisors(symbol: Symbol, period: int) -> list[int]:
    own = symbol.divisor
    if period > MOST_CASES:
        return []
    return [d for d in range(own, period + 1, own) if period % d == 0]


def _residue_class(symbol: Symbol, period: int, remainder: int) -> Dim:
    least = -(-(symbol.minimum - remainder) // period)
    most = None if symbol.maximum is None else (symbol.maximum - remainder) // period
    return make({((Symbol(symbol.name, least, most), 1),): period}) + remainder


def _periods(difference: Poly) -> dict[Symbol, int]:
    """After how many steps of each symbol all floors repeat; empty where they do not."""
    found: dict[Symbol, int] = {}
    return found if _collect(difference, 1, found) else {}


def _collect(dim: Dim, modulus: int, periods: dict[Symbol, int]) -> bool:
    for atom in set(atoms_of(dim)):
        if isinstance(atom, Floor):
            if not isinstance(atom.divisor, int):
                return False
            if not _collect(atom.numerator, modulus * atom.divisor, periods):
                return False
        elif modulus > 1:
            periods[atom] = lcm(periods.get(atom, atom.divisor), modulus)
    return True
