"""Sizes that are known only when the module runs: read from the shapes of what flows in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.dims import Poly, symbols
from archc.emit.names import Namespace
from archc.emit.slots import is_literal
from archc.emit.vectors import ANY, Values
from archc.polynomial import Atom, Dim, Floor, Symbol, denominator_of, terms_of

if TYPE_CHECKING:
    from archc.emit.units import Unit

__all__ = ["Passed", "Size", "Sizes", "size_text"]


class Size:
    """A size in forward, by its expression."""

    def __init__(self, text: str) -> None:
        self.text = text


class Passed:
    """A size that the caller passes, since no input of the class has it."""

    def __init__(self, name: str, values: Values) -> None:
        self.name, self.values = name, values


class Sizes:
    """The sizes that forward of one class reads or is given.

    Args:
        unit: the class.
        names: names that locals may not take.
    """

    def __init__(self, unit: Unit, names: Namespace) -> None:
        self.unit = unit
        self.names = names
        self.read: dict[tuple[int, int], str] = {}
        self.passed: list[Passed] = []
        self._known: dict[Values, Size] = {}

    def slot(self, values: Values) -> Size:
        """The size, or tuple of sizes, with these values."""
        known = self._known.get(values)
        if known is None:
            known = self._known[values] = Size(self._text(values))
        return known

    def declared(self) -> list[tuple[Symbol, int, int]]:
        """The dimensions with declared facts, each with an axis of an input that is one."""
        found: dict[str, tuple[Symbol, int, int]] = {}
        for port, axis, column in self._axes():
            for symbol in symbols(column[0]):
                if symbol.facts and str(column[0]) == symbol.name:
                    found.setdefault(symbol.name, (symbol, port, axis))
        return list(found.values())

    def _text(self, values: Values) -> str:
        first = next((value for value in values if value is not ANY), None)
        if isinstance(first, tuple):
            columns = [tuple([v if v is ANY else v[i] for v in values]) for i in range(len(first))]
            return f"({', '.join([self._text(column) for column in columns])})"
        if is_literal(first) and all(v is ANY or v == first for v in values):
            return str(first)
        return self._whole(values) or self._by_symbols(values) or self._given(values)

    def _whole(self, values: Values) -> str | None:
        for port, axis, column in self._axes():
            if all(v is ANY or v == c for v, c in zip(values, column, strict=True)):
                return self._bind(port, axis, column)
        for port, axis, column in self._axes():
            for text, scaled in _multiples(column):
                if all(v is ANY or v == c for v, c in zip(values, scaled, strict=True)):
                    return text.replace("{}", self._bind(port, axis, column))
        return None

    def _by_symbols(self, values: Values) -> str | None:
        present = {value for value in values if value is not ANY}
        if len(present) != 1:
            return None
        size = present.pop()
        bound: dict[str, str] = {}
        for symbol in sorted(symbols(size), key=lambda s: s.name):
            name = self._symbol(symbol)
            if name is None:
                return None
            bound[symbol.name] = name
        return size_text(size, bound)

    def _symbol(self, symbol: Symbol) -> str | None:
        for port, axis, column in self._axes():
            if all(isinstance(c, Poly) and str(c) == symbol.name for c in column):
                return self._bind(port, axis, column)
        return None

    def _given(self, values: Values) -> str:
        name = self.names.add("size")
        self.passed.append(Passed(name, values))
        return name

    def _axes(self) -> list[tuple[int, int, Values]]:
        found = []
        for port, stream in enumerate(self.unit.inputs):
            rank = min([shape.rank for shape in stream.shapes if shape is not ANY], default=0)
            for axis in range(rank):
                column = tuple([shape.sizes[axis] for shape in stream.shapes])
                found.append((port, axis, column))
        return found

    def _bind(self, port: int, axis: int, column: Values) -> str:
        known = self.read.get((port, axis))
        if known is None:
            texts = {str(size) for size in column}
            shape = self.unit.inputs[port].shapes[0]
            alone = texts.pop() if len(texts) == 1 else ""
            known = self.names.add(alone if alone.isidentifier() else shape.axes[axis].name)
            self.read[port, axis] = known
        return known


def _multiples(column: Values) -> list[tuple[str, Values]]:
    found: list[tuple[str, Values]] = []
    for k in (2, 3, 4, 8, 16, 32):
        found.append((f"{k} * {{}}", tuple([k * c for c in column])))
        found.append((f"{{}} // {k}", tuple([c // k for c in column])))
    for k in (1, 2):
        found.append((f"{{}} + {k}", tuple([c + k for c in column])))
        found.append((f"{{}} - {k}", tuple([c - k for c in column])))
    return found


def size_text(size: Dim, names: dict[str, str]) -> str:
    """A formula in Python, with exact integer division, over the names of its symbols."""
    if isinstance(size, int):
        return str(size)
    text = ""
    for monomial, factor in terms_of(size).items():
        factors = [_power(atom, exponent, names) for atom, exponent in monomial]
        if abs(factor) != 1 or not factors:
            factors.insert(0, str(abs(factor)))
        term = " * ".join(factors)
        sign = "-" if factor < 0 else "+"
        text = f"{text} {sign} {term}" if text else (f"-{term}" if factor < 0 else term)
    divisor = denominator_of(size)
    if divisor == 1:
        return text
    single = text.replace("_", "a").isalnum()
    return f"{text} // {divisor}" if single else f"({text}) // {divisor}"


def _power(atom: Atom, exponent: int, names: dict[str, str]) -> str:
    if isinstance(atom, Symbol):
        name = names[atom.name]
        return name if exponent == 1 else f"{name}**{exponent}"
    assert isinstance(atom, Floor)
    above, below = size_text(atom.numerator, names), size_text(atom.divisor, names)
    upper = above if above.replace("_", "a").isalnum() else f"({above})"
    lower = below if below.replace("_", "a").isalnum() else f"({below})"
    quotient = f"({upper} // {lower})"
    return quotient if exponent == 1 else f"{quotient} ** {exponent}"
