"""Conditions of the source as conditions of the generated code, where they can be written so.

A condition is taken over only if it gives, in every instance of the class, what lowering found.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from archc.emit.names import literal
from archc.emit.vectors import ANY, Formula, Values, is_constant
from archc.graph import Choice
from archlang import tree
from archlang.record import Record

if TYPE_CHECKING:
    from archc.emit.units import Unit

__all__ = ["compare_known", "translate"]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv,
    "%": operator.mod,
}  # fmt: skip
_RANK = {
    "or": 1,
    "and": 2,
    "not": 3,
    "compare": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "//": 6,
    "%": 6,
    "atom": 9,
}


class _Part(Record):
    text: str
    values: Values
    rank: int
    names: tuple[str, ...]


class _Unknown(Exception):
    """Something that the class does not know."""


def translate(choice: Choice, values: Values, unit: Unit) -> Formula | None:
    """The condition of a choice over the parameters of the class, or None.

    Args:
        choice: one instance's node.
        values: whether the step is there, by instance.
        unit: the class; its candidates are what the condition may use.
    """
    if choice.condition is not None:
        try:
            part = _Translator(unit).part(choice.condition)
        except (_Unknown, TypeError, ZeroDivisionError):
            part = None
        if part is not None and part.names and _gives(part.values, values):
            return Formula(part.text, part.names)
    return compare_known(values, unit)


def compare_known(values: Values, unit: Unit) -> Formula | None:
    """A comparison of one parameter with a number, or of two, that gives the values; or None."""
    known = unit.scope.candidates()
    for c in known:
        if all(type(v) is bool for v in c.values):
            if _gives(c.values, values):
                return Formula(c.name, (c.used,))
            if _gives(tuple([not v for v in c.values]), values):
                return Formula(f"not {c.name}", (c.used,))
    for c in known:
        # A size that flows in is compared with a number by chance only.
        for sign in () if c.flows else ("==", "!="):
            for number in dict.fromkeys(c.values):
                if _simple(number) and _gives(_compared(c.values, sign, number), values):
                    return Formula(f"{c.name} {sign} {literal(number)}", (c.used,))
    for i, a in enumerate(known):
        for b in known[i + 1 :]:
            for sign in ("==", "!="):
                pairs = zip(a.values, b.values, strict=True)
                found = tuple([ANY if ANY in (x, y) else _COMPARE[sign](x, y) for x, y in pairs])
                if _gives(found, values):
                    return Formula(f"{a.name} {sign} {b.name}", (a.used, b.used))
    return None


def _simple(value: Any) -> bool:
    return type(value) in (int, str)


def _compared(values: Values, sign: str, number: Any) -> Values:
    return tuple([ANY if v is ANY else _COMPARE[sign](v, number) for v in values])


def _gives(found: Values, wanted: Values) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(w is ANY or (f is not ANY and bool(f) == w) for f, w in pairs)


class _Translator:
    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.size = len(unit.regions)

    def part(self, node: tree.Node) -> _Part:
        """The text and the values of a piece of the condition; what is constant is a literal."""
        made = self._part(node)
        if is_constant(made.values) and made.values and made.values[0] is not ANY:
            return _Part(literal(made.values[0]), made.values, _RANK["atom"], ())
        return made

    def _part(self, node: tree.Node) -> _Part:
        match node:
            case tree.Number() | tree.Boolean() | tree.Text():
                return self._constant(node.value)
            case tree.Name():
                return self._name(node.name)
            case tree.Attribute(value=tree.Name(), name="c"):
                return self._features(node.value.name)  # type: ignore[union-attr]
            case tree.Paren():
                return self.part(node.value)
            case tree.Compare():
                return self._compare(node)
            case tree.Call(function=tree.Name(name="len"), arguments=(tree.Argument() as given,)):
                return self._length(given.value)
            case tree.Index(value=tree.Name() as table, index=tree.Number(value=int() as place)):
                return self._item(table.name, place)
            case tree.Unary(operator="not"):
                inner = self.part(node.operand)
                values = tuple([not v for v in inner.values])
                return _Part(f"not {_inside(inner, 'not')}", values, _RANK["not"], inner.names)
            case tree.Binary(operator="and" | "or"):
                return self._logic(node)
            case tree.Binary() if node.operator in _ARITHMETIC:
                return self._arithmetic(node)
        raise _Unknown

    def _constant(self, value: Any) -> _Part:
        return _Part(literal(value), (value,) * self.size, _RANK["atom"], ())

    def _name(self, name: str) -> _Part:
        values = []
        for region in self.unit.regions:
            value = dict(region.arguments).get(name, ANY)
            if value is ANY or isinstance(value, (list, tuple)):
                raise _Unknown
            values.append(value)
        return self._known(tuple(values), name)

    def _length(self, node: tree.Node) -> _Part:
        if not isinstance(node, tree.Name):
            raise _Unknown
        lists = [dict(region.arguments).get(node.name) for region in self.unit.regions]
        if not all(isinstance(found, (list, tuple)) for found in lists):
            raise _Unknown
        return self._known(tuple([len(found) for found in lists if found is not None]), "")

    def _item(self, name: str, place: int) -> _Part:
        rows = [dict(region.arguments).get(name) for region in self.unit.regions]
        if not all(isinstance(row, (list, tuple)) and place < len(row) for row in rows):
            raise _Unknown
        values = tuple([row[place] for row in rows if row is not None])
        if any(isinstance(value, (list, tuple)) for value in values):
            raise _Unknown
        return self._known(values, "")

    def _features(self, name: str) -> _Part:
        for port, stream in zip(self.unit.region.inputs, self.unit.inputs, strict=True):
            if port.name == name or (name == "ID" and port is self.unit.region.inputs[0]):
                values = []
                for shape in stream.shapes:
                    if shape.features is None:
                        raise _Unknown
                    values.append(shape.axes[shape.features].size)
                return self._known(tuple(values), "")
        raise _Unknown

    def _known(self, values: Values, name: str) -> _Part:
        if is_constant(values):
            return self._constant(values[0])
        known = self.unit.scope.candidates()
        for candidate in sorted(known, key=lambda candidate: candidate.name != name):
            if candidate.values == values:
                return _Part(candidate.name, values, _RANK["atom"], (candidate.used,))
        raise _Unknown

    def _compare(self, node: tree.Compare) -> _Part:
        parts = [self.part(operand) for operand in node.operands]
        text = _inside(parts[0], "+")
        results = [True] * self.size
        for sign, left, right in zip(node.operators, parts, parts[1:], strict=False):
            text += f" {sign} {_inside(right, '+')}"
            pairs = zip(results, left.values, right.values, strict=True)
            results = [done and _COMPARE[sign](a, b) for done, a, b in pairs]
        return _Part(text, tuple(results), _RANK["compare"], _names(*parts))

    def _logic(self, node: tree.Binary) -> _Part:
        left, right = self.part(node.left), self.part(node.right)
        neutral = node.operator == "and"
        for one, other in ((left, right), (right, left)):
            if not one.names and all(bool(v) is neutral for v in one.values):
                return other
        pairs = zip(left.values, right.values, strict=True)
        if node.operator == "and":
            values = tuple([bool(a and b) for a, b in pairs])
        else:
            values = tuple([bool(a or b) for a, b in pairs])
        sign = node.operator
        text = f"{_inside(left, sign)} {sign} {_inside(right, sign)}"
        return _Part(text, values, _RANK[sign], _names(left, right))

    def _arithmetic(self, node: tree.Binary) -> _Part:
        left, right = self.part(node.left), self.part(node.right)
        function = _ARITHMETIC[node.operator]
        pairs = zip(left.values, right.values, strict=True)
        values = tuple([function(a, b) for a, b in pairs])
        tighter = {"+": "+", "-": "*", "*": "*", "//": "atom", "%": "atom"}[node.operator]
        text = f"{_inside(left, node.operator)} {node.operator} {_inside(right, tighter)}"
        return _Part(text, values, _RANK[node.operator], _names(left, right))


def _inside(part: _Part, sign: str) -> str:
    return part.text if part.rank >= _RANK[sign] else f"({part.text})"


def _names(*parts: _Part) -> tuple[str, ...]:
    return tuple(dict.fromkeys([name for part in parts for name in part.names]))
