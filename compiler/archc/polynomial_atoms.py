"""What sizes are made of: symbols, floor quotients, and products of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archlang.record import Record, field

if TYPE_CHECKING:
    from archc.polynomial import Dim

__all__ = ["Atom", "Floor", "Monomial", "Symbol", "Terms", "key", "multiply_monomials"]


class Symbol(Record):
    """A symbolic size, with what the file declares of it.

    Args:
        name: as declared.
        minimum: the least value it can have.
        maximum: the greatest, None when nothing is said.
        divisor: the value leaves `remainder` when divided by it (`dim H % 32 == 0`).
        remainder: from 0 to divisor - 1.
    """

    name: str
    minimum: int = 1
    maximum: int | None = None
    divisor: int = 1
    remainder: int = 0

    def accepts(self, value: int) -> bool:
        """Whether the declared facts allow that value."""
        below = self.maximum is not None and value > self.maximum
        return value >= self.minimum and not below and value % self.divisor == self.remainder

    @property
    def facts(self) -> str:
        """What is declared, in the notation of the file: "H % 32 == 0, H <= 1024", or ""."""
        parts = []
        if self.divisor > 1:
            parts.append(f"{self.name} % {self.divisor} == {self.remainder}")
        if self.minimum != 1:
            parts.append(f"{self.name} >= {self.minimum}")
        if self.maximum is not None:
            parts.append(f"{self.name} <= {self.maximum}")
        return ", ".join(parts)


class Floor(Record):
    """The floor of numerator / divisor; made by `polynomial_division` only, in canonical form.

    Args:
        numerator: with whole coefficients.
        divisor: a polynomial, or an int of at least 2.
        text: how it prints; orders atoms.
        low, high: bounds of its value, None where there is none.
        depth: of floors inside it, this one included.
    """

    numerator: Dim
    divisor: Dim
    text: str = field(compare=False)
    low: int | None = field(compare=False)
    high: int | None = field(compare=False)
    depth: int = field(compare=False)


Atom = Symbol | Floor
Monomial = tuple[tuple[Atom, int], ...]
Terms = dict[Monomial, int]


def key(atom: Atom) -> tuple[object, ...]:
    """Orders atoms: symbols by name, then floors by what they print."""
    if isinstance(atom, Symbol):
        limit = -1 if atom.maximum is None else atom.maximum
        return (0, atom.name, atom.minimum, limit, atom.divisor, atom.remainder)
    return (1, atom.text)


def multiply_monomials(left: Monomial, right: Monomial) -> Monomial:
    """The product of two monomials."""
    if not left or not right:
        return left or right
    powers = dict(left)
    for atom, exponent in right:
        powers[atom] = powers.get(atom, 0) + exponent
    return tuple(sorted(powers.items(), key=lambda item: key(item[0])))
