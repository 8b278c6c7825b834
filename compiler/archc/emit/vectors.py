"""Values over the instances of a class, and formulas that give them.

A block becomes one class; wherever its instances differ there is a vector with one value for each
instance. A vector that a constructor argument explains, or a simple formula of one, is written so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from archc.emit.names import literal
from archlang.record import Record

__all__ = [
    "ANY",
    "Candidate",
    "Formula",
    "Values",
    "constant",
    "covers",
    "explain",
    "explain_tuple",
    "is_constant",
]


class _Any:
    def __repr__(self) -> str:
        return "ANY"


ANY: Any = _Any()  # the value of an instance that never uses it
Values = tuple[Any, ...]


class Candidate(Record):
    """An expression with its value in each instance: a name, or an item of what has a name.

    Args:
        flows: whether it is a size of what flows in.
        parameter: the name that an item is taken from.
    """

    name: str
    values: Values
    flows: bool = False
    parameter: str | None = None

    @property
    def used(self) -> str:
        """The name that it uses."""
        return self.parameter or self.name


class Formula(Record):
    """An expression over candidates. `names` are those that it uses."""

    text: str
    names: tuple[str, ...]


def same(left: Any, right: Any) -> bool:
    """Equal, and of one kind: True is not 1, and 1.0 is not 1."""
    return left == right and type(left) is type(right)


def used(values: Values) -> list[Any]:
    """The values of the instances that use them."""
    return [value for value in values if value is not ANY]


def is_constant(values: Values) -> bool:
    """Whether all instances that use it agree."""
    present = used(values)
    return all(same(value, present[0]) for value in present)


def constant(values: Values) -> Any:
    """The value of a constant vector; None where nobody uses it."""
    return next(iter(used(values)), None)


def explain(values: Values, candidates: Sequence[Candidate]) -> Formula | None:
    """The simplest formula over the candidates that gives the values in every instance, or None.

    Tried in order: a name alone; k * a, a // k, a + k; a * b, a + b, a // b, a + k * b; k * a + m.
    """
    for candidate in candidates:
        if covers(candidate.values, values):
            return Formula(candidate.name, (candidate.used,))
    if not all(type(value) is int for value in used(values)):
        return None
    numeric = [c for c in candidates if all(v is ANY or type(v) is int for v in c.values)]
    for search in (_scaled, _shifted, _pairs, _linear):
        for formula, computed in search(values, numeric):
            if covers(computed, values):
                return formula
    return None


def explain_tuple(values: Values, candidates: Sequence[Candidate]) -> Formula | None:
    """Tuples of equal length whose every item is constant or has a formula: `(d, 0)`; else None."""
    present = used(values)
    if not all(isinstance(value, tuple) and len(value) == len(present[0]) for value in present):
        return None
    texts: list[str] = []
    names: list[str] = []
    for i in range(len(present[0])):
        column = tuple([v if v is ANY else v[i] for v in values])
        if is_constant(column):
            texts.append(literal(constant(column)))
            continue
        found = explain(column, candidates) or explain_tuple(column, candidates)
        if found is None:
            return None
        texts.append(found.text)
        names += found.names
    inside = f"{texts[0]}," if len(texts) == 1 else ", ".join(texts)
    return Formula(f"({inside})", tuple(dict.fromkeys(names)))


def covers(computed: Values, values: Values) -> bool:
    """Whether computed values are right wherever values are needed."""
    return all(v is ANY or same(c, v) for c, v in zip(computed, values, strict=True))


_Tried = Iterator[tuple[Formula, Values]]


def _scaled(values: Values, candidates: Sequence[Candidate]) -> _Tried:
    for c in candidates:
        v, base = _telling_pair(values, c.values)
        if base and v % base == 0 and v // base > 1:
            yield _multiple(c, v // base)
        if v > 0 and base // v > 1:
            yield from _quotients(c, v, base)


# Divisors that are tried where the quotient need not be exact: a kernel's half, and the like.
_SMALL = (2, 3, 4, 8)


def _multiple(c: Candidate, factor: int) -> tuple[Formula, Values]:
    return Formula(f"{factor} * {c.name}", (c.used,)), _map(lambda x: factor * x, c.values)


def _quotients(c: Candidate, v: int, base: int) -> _Tried:
    for divisor in dict.fromkeys((2, base // v, *_SMALL)):
        computed = tuple([x if x is ANY else x // divisor for x in c.values])
        yield Formula(f"{c.name} // {divisor}", (c.used,)), computed


def _shifted(values: Values, candidates: Sequence[Candidate]) -> _Tried:
    distinct = len(set(used(values)))
    for c in candidates:
        v, base = _first_pair(values, c.values)
        shift = v - base
        if distinct >= 3 or abs(shift) <= 2:
            computed = tuple([x if x is ANY else x + shift for x in c.values])
            yield Formula(_plus(c.name, shift), (c.used,)), computed


def _pairs(values: Values, candidates: Sequence[Candidate]) -> _Tried:
    for i, a in enumerate(candidates[:8]):
        for b in candidates[i + 1 : 8]:
            names = (a.used, b.used)
            factors = f"{b.name} * {a.name}" if a.flows and not b.flows else f"{a.name} * {b.name}"
            yield Formula(factors, names), _zip(lambda x, y: x * y, a, b)
            yield Formula(f"{a.name} + {b.name}", names), _zip(lambda x, y: x + y, a, b)
            for p, q in ((a, b), (b, a)):
                if not (p.flows or q.flows):
                    yield Formula(f"{p.name} // {q.name}", names), _zip(_floor, p, q)
                yield from _with_multiple(values, p, q)


def _with_multiple(values: Values, p: Candidate, q: Candidate) -> _Tried:
    triples = zip(values, p.values, q.values, strict=True)
    known = next(((v, x, y) for v, x, y in triples if ANY not in (v, x, y) and y), None)
    if known is None:
        return
    factor = (known[0] - known[1]) // known[2]
    if factor > 1:
        computed = _zip(lambda a, b: a + factor * b, p, q)
        yield Formula(f"{p.name} + {factor} * {q.name}", (p.used, q.used)), computed


def _linear(values: Values, candidates: Sequence[Candidate]) -> _Tried:
    if len(set(used(values))) < 3:
        return
    for c in candidates:
        points = sorted(
            {(x, v) for x, v in zip(c.values, values, strict=True) if x is not ANY and v is not ANY}
        )
        (x0, v0), (x1, v1) = points[0], points[-1]
        if x1 == x0 or (v1 - v0) % (x1 - x0):
            continue
        slope = (v1 - v0) // (x1 - x0)
        shift = v0 - slope * x0
        if slope > 1 and shift:
            computed = tuple([x if x is ANY else slope * x + shift for x in c.values])
            yield Formula(_plus(f"{slope} * {c.name}", shift), (c.used,)), computed


def _plus(text: str, shift: int) -> str:
    return f"{text} + {shift}" if shift > 0 else f"{text} - {-shift}"


def _floor(x: int, y: int) -> Any:
    return x // y if y else ANY


def _map(function: Callable[[Any], Any], values: Values) -> Values:
    return tuple([x if x is ANY else function(x) for x in values])


def _zip(function: Callable[[Any, Any], Any], a: Candidate, b: Candidate) -> Values:
    pairs = zip(a.values, b.values, strict=True)
    return tuple([ANY if x is ANY or y is ANY else function(x, y) for x, y in pairs])


def _first_pair(values: Values, other: Values) -> tuple[int, int]:
    pairs = zip(values, other, strict=True)
    return next(((v, x) for v, x in pairs if v is not ANY and x is not ANY), (0, 0))


def _telling_pair(values: Values, other: Values) -> tuple[int, int]:
    """The first pair without a zero, which says nothing of a factor."""
    pairs = zip(values, other, strict=True)
    told = ((v, x) for v, x in pairs if v is not ANY and x is not ANY and v and x)
    return next(told, (0, 0))
