"""Attributes that hold plain values: what forward needs of the constructor's arguments."""

from __future__ import annotations

from archc.emit.names import Namespace, literal
from archc.emit.slots import Slot

__all__ = ["Attributes"]


class Attributes:
    """The values of one class that forward reads, by the slots that they come from.

    Args:
        names: the attributes that the class has already.
    """

    def __init__(self, names: Namespace) -> None:
        self.names = names
        self.assignments: list[tuple[str, str]] = []
        self._known: dict[str, str] = {}

    def in_forward(self, slot: Slot) -> str:
        """The text of a slot in forward: a literal, or an attribute that `__init__` sets."""
        if slot.constant:
            return literal(slot.value)
        return f"self.{self._name(slot)}"

    def in_constructor(self, slot: Slot) -> str:
        """The text of a flag in `__init__`: a parameter's name, or the attribute."""
        text = slot.text
        if text.isidentifier():
            return text
        return f"self.{self._name(slot)}"

    def _name(self, slot: Slot) -> str:
        text = slot.text
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self.names.add(text if text.isidentifier() else slot.hint)
            self.assignments.append((known, text))
        return known
