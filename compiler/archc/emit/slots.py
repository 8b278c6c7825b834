"""Slots: the places of a class where its instances may differ, and the scopes that fill them.

While a class is built, every literal is a slot with one value for each instance. When all slots are
known, the class's scope finds the fewest constructor arguments that explain them; a repeat's scope
first explains by the index of the copy or by a list what differs between copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.emit.names import Namespace, identifier, literal
from archc.emit.vectors import (
    ANY,
    Candidate,
    Formula,
    Values,
    constant,
    covers,
    explain,
    explain_tuple,
    is_constant,
)

__all__ = ["ClassScope", "Extra", "Parameter", "Scope", "Slot", "SymbolicSize", "is_literal"]


class SymbolicSize(Exception):
    """A size that a constructor needs is still symbolic."""


class Slot:
    """One place in the code with its values.

    Args:
        values: one for each entry of the scope, `ANY` where an instance never gets there.
        hint: what a new argument for it would be called.
        guess: a formula from the source, already checked against the values.
    """

    def __init__(self, values: Values, hint: str, guess: Formula | None = None) -> None:
        self.values = values
        self.hint = hint
        self.guess = guess
        self.write: Callable[[], str] = lambda: literal(constant(values))

    @property
    def constant(self) -> bool:
        """Whether it is a literal."""
        return is_constant(self.values)

    @property
    def value(self) -> Any:
        """The literal's value."""
        return constant(self.values)

    @property
    def text(self) -> str:
        """The expression, once the scopes are solved."""
        return self.write()


class Scope:
    """Where slots live: a class, or the copies of a repeat inside one."""

    size: int
    slots: list[Slot]

    def slot(self, values: Values, hint: str, guess: Formula | None = None) -> Slot:
        """A place with these values."""
        raise NotImplementedError


class Parameter:
    """A constructor's parameter.

    Args:
        default: the literal default that the file gives, or `ANY` without one.
        flows: whether it is a size of what flows in.
    """

    def __init__(
        self, name: str, values: Values, default: Any = ANY, *, flows: bool = False
    ) -> None:
        self.name = name
        self.values = values
        self.default = default
        self.flows = flows

    @property
    def annotation(self) -> str:
        """Its type."""
        return _type_of([v for v in self.values if v is not ANY])

    def items(self) -> list[Candidate]:
        """What formulas may take out of a row of a table, `row[0]`: the items that differ.

        None unless the rows have equally many plain items, of which more than one differs.
        """
        rows = [value for value in self.values if value is not ANY]
        if not all(isinstance(row, tuple) and len(row) == len(rows[0]) for row in rows):
            return []
        columns = [
            tuple([v if v is ANY else v[i] for v in self.values]) for i in range(len(rows[0]))
        ]
        found = [
            Candidate(f"{self.name}[{i}]", column, parameter=self.name)
            for i, column in enumerate(columns)
            if not is_constant(column) and not any(isinstance(v, tuple) for v in column)
        ]
        return found if len(found) > 1 else []


class Extra:
    """An attribute that forward needs: `self.groups = groups`."""

    def __init__(self, name: str, slot: Slot) -> None:
        self.name = name
        self.slot = slot


class ClassScope(Scope):
    """The scope of a class.

    Args:
        size: the number of instances.
        candidates: the parameters that the block has in the file and what its inputs say, in the
            order of the constructor's parameters.
        closed: no parameter may be made up (the class of a net).
        names: names of the class that a parameter may not take.
    """

    def __init__(
        self, size: int, candidates: list[Parameter], *, closed: bool, names: Namespace
    ) -> None:
        self.size = size
        self.known = [c for c in candidates if not is_constant(c.values)]
        self.closed = closed
        self.names = names
        self.slots: list[Slot] = []
        self.children: list[Any] = []
        self.made: list[Parameter] = []
        self.used: set[str] = set()
        self.unexplained = False

    def slot(self, values: Values, hint: str, guess: Formula | None = None) -> Slot:
        """A place with these values."""
        made = Slot(values, hint, guess)
        if not made.constant:
            self.slots.append(made)
        return made

    def forget(self, slots: set[Slot]) -> None:
        """Leave out places that are never written."""
        self.slots = [slot for slot in self.slots if slot not in slots]

    def candidates(self) -> list[Candidate]:
        """What formulas may use."""
        whole = [Candidate(p.name, p.values, p.flows) for p in (*self.known, *self.made)]
        return [*whole, *[item for parameter in self.known for item in parameter.items()]]

    def solve(self) -> None:
        """Fill all slots; afterwards `parameters` are known."""
        for child in reversed(self.children):
            child.solve()
        found: list[tuple[Values, Formula]] = []
        # What more instances use is explained first; the rest may be a part of it.
        for slot in sorted(self.slots, key=lambda slot: slot.values.count(ANY)):
            formula = slot.guess or self._known(slot, found) or self._formula(slot)
            found.append((slot.values, formula))
            self.used.update(formula.names)
            slot.write = _writer(formula.text)

    def _known(self, slot: Slot, found: list[tuple[Values, Formula]]) -> Formula | None:
        return next((formula for values, formula in found if covers(values, slot.values)), None)

    def _formula(self, slot: Slot) -> Formula:
        candidates = self.candidates()
        found = explain(slot.values, candidates) or explain_tuple(slot.values, candidates)
        return found or self._new(slot)

    def _new(self, slot: Slot) -> Formula:
        self.unexplained = self.unexplained or self.closed
        name = self.names.add(slot.hint)
        self.made.append(Parameter(name, slot.values))
        return Formula(name, (name,))

    def simple(self, values: Values) -> str | None:
        """The text of values by what is known already; None where that takes a new parameter."""
        if is_constant(values):
            return literal(constant(values))
        usable = [c for c in self.candidates() if c.used in self.used]
        formula = explain(values, usable)
        return formula.text if formula else None

    @property
    def parameters(self) -> list[Parameter]:
        """The constructor's parameters: those without a default first."""
        used = [p for p in (*self.known, *self.made) if p.name in self.used]
        return sorted(used, key=lambda p: p.default is not ANY)


def is_literal(value: Any) -> bool:
    """Whether it can be written as a constant."""
    if isinstance(value, (tuple, list)):
        return all(is_literal(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _writer(text: str) -> Callable[[], str]:
    return lambda: text


def _type_of(values: list[Any]) -> str:
    kinds = list(dict.fromkeys([_one_type(value) for value in values]))
    if set(kinds) == {"int", "float"}:
        return "float"
    tuples = [kind for kind in kinds if kind.startswith("tuple[")]
    if len(tuples) > 1:
        items = [item for value in values if isinstance(value, tuple) for item in value]
        kinds = [k for k in kinds if k not in tuples] + [f"tuple[{_type_of(items)}, ...]"]
    return " | ".join(sorted(kinds, key=lambda kind: kind == "None")) or "int"


def _one_type(value: Any) -> str:
    if isinstance(value, tuple):
        items = [_one_type(item) for item in value]
        if len(items) > 3 and len(set(items)) == 1:
            return f"tuple[{items[0]}, ...]"
        return f"tuple[{', '.join(items)}]" if items else "tuple[()]"
    return "None" if value is None else type(value).__name__


def parameter_name(name: str) -> str:
    """A parameter of the file as a parameter of the constructor."""
    return identifier(name)
