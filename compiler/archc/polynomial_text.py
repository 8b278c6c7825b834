"""How sizes print: as formulas of the language, and as LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from archc.polynomial import Dim, Poly, atoms_of, make
from archc.polynomial_atoms import Atom, Floor, Monomial, Symbol, key

__all__ = ["floor_text", "to_latex", "to_text"]


def to_text(dim: Dim) -> str:
    """The expanded sum, highest degree first: `9*C**2*H*W`, `(H - 1)//2 + 1`, `H/2`."""
    shorter = _shortened(dim)
    return str(shorter) if isinstance(shorter, int) else _Plain().sum(shorter)


def to_latex(dim: Dim) -> str:
    r"""The same as LaTeX, without dollar signs: `9 C^{2} H W`, `\frac{H}{2}`."""
    shorter = _shortened(dim)
    return str(shorter) if isinstance(shorter, int) else _Latex().sum(shorter)


def floor_text(numerator: Dim, divisor: Dim) -> str:
    """A floor quotient as the language writes it."""
    return _Plain().floor(numerator, divisor)


class _Plain:
    """The notation of the language."""

    times = "*"

    def sum(self, dim: Dim) -> str:
        if isinstance(dim, int):
            return str(dim)
        together = dim.terms.get((), 0) % dim.denominator != 0
        broken = {m: c for m, c in dim.terms.items() if c % dim.denominator}
        if not together or len(broken) == 1:
            return self._join(dim.terms, dim.denominator)
        whole = {m: c // dim.denominator for m, c in dim.terms.items() if m not in broken}
        quotient = self.fraction(self._join(broken, 1), dim.denominator, several=True)
        return f"{self._join(whole, 1)} + {quotient}" if whole else quotient

    def _join(self, terms: Mapping[Monomial, int], denominator: int) -> str:
        text = ""
        for monomial, coefficient in sorted(terms.items(), key=_order):
            negative = coefficient < 0
            term = self.term(
                monomial, abs(coefficient), denominator, bare=bool(text) or not negative
            )
            if text:
                text += f" - {term}" if negative else f" + {term}"
            else:
                text = f"-{term}" if negative else term
        return text

    def term(self, monomial: Monomial, coefficient: int, denominator: int, *, bare: bool) -> str:
        common = gcd(coefficient, denominator)
        number, below = coefficient // common, denominator // common
        alone = number == 1 and below == 1 and len(monomial) == 1 and monomial[0][1] == 1
        factors = [self.power(atom, e, alone and bare) for atom, e in monomial]
        if number != 1 or not factors:
            factors.insert(0, str(number))
        product = self.times.join(factors)
        return product if below == 1 else self.fraction(product, below)

    def fraction(self, above: str, below: int, *, several: bool = False) -> str:
        return f"({above})/{below}" if several else f"{above}/{below}"

    def power(self, atom: Atom, exponent: int, alone: bool) -> str:
        text = atom.name if isinstance(atom, Symbol) else atom.text
        if isinstance(atom, Floor) and not alone:
            text = f"({text})"
        return text if exponent == 1 else f"{text}**{exponent}"

    def floor(self, numerator: Dim, divisor: Dim) -> str:
        return f"{self._operand(numerator)}//{self._operand(divisor)}"

    def _operand(self, dim: Dim) -> str:
        text = self.sum(dim)
        plain = isinstance(dim, int) and dim >= 0
        return text if plain or text.isidentifier() else f"({text})"


class _Latex(_Plain):
    """The notation of papers."""

    times = " "

    def fraction(self, above: str, below: int, *, several: bool = False) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, atom: Atom, exponent: int, alone: bool) -> str:
        text = _latex_name(atom.name) if isinstance(atom, Symbol) else self._floored(atom)
        return text if exponent == 1 else f"{text}^{{{exponent}}}"

    def _floored(self, atom: Floor) -> str:
        above, below = self.sum(atom.numerator), self.sum(atom.divisor)
        return rf"\left\lfloor \frac{{{above}}}{{{below}}} \right\rfloor"


def _latex_name(name: str) -> str:
    if len(name) == 1:
        return name
    escaped = name.replace("_", r"\_")
    return rf"\mathit{{{escaped}}}" if name.isascii() else rf"\text{{{escaped}}}"


def _order(item: tuple[Monomial, int]) -> tuple[object, ...]:
    monomial = item[0]
    degree = sum(exponent for _, exponent in monomial)
    return (-degree, [(key(atom), -exponent) for atom, exponent in monomial])


# --- shorter sums --------------------------------------------------------------------------------

FEW_TERMS, MANY_TERMS = 4, 200


def _shortened(dim: Dim) -> Dim:
    """The same size in fewer terms, if half as many do.

    The elements of a map of ceil(H / 2) by ceil(W / 2) are a sum of four terms in
    floor((H - 1) / 2), and one term in floor((H + 1) / 2), which is one more.
    """
    if isinstance(dim, int) or not FEW_TERMS <= len(dim.terms) <= MANY_TERMS:
        return dim
    shorter = dim
    for atom in sorted({*atoms_of(dim)}, key=key):
        if isinstance(atom, Floor):
            raised = _raised(shorter, atom)
            shorter = raised if len(raised.terms) < len(shorter.terms) else shorter
    return shorter if 2 * len(shorter.terms) <= len(dim.terms) else dim


def _raised(dim: Poly, floor: Floor) -> Poly:
    """The size with the floor written as one less than the floor of one more."""
    above = floor.numerator + floor.divisor
    more = floor.replace(numerator=above, text=floor_text(above, floor.divisor))
    less = make({((more, 1),): 1}) - 1
    total: Dim = 0
    for monomial, coefficient in dim.terms.items():
        exponent = dict(monomial).get(floor, 0)
        others = tuple([item for item in monomial if item[0] != floor])
        total = total + make({others: coefficient}) * less**exponent
    assert isinstance(total, Poly)
    return Poly(dict(total.terms), total.denominator * dim.denominator)
