"""Texts by which the copies of a repeat differ: progressions, items of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archc.emit.slots import Slot
from archc.emit.vectors import ANY, Values

__all__ = ["as_list", "doubled_text", "first_text", "later", "present", "stepped_text"]

_CONDITIONAL = " if "
_SIMPLE = re.compile(r" if \w+ == 0$")


def present(column: Values, position: int) -> Any:
    """The value of a column at an entry; any other where the entry never uses it."""
    value = column[position]
    return next((v for v in column if v is not ANY), None) if value is ANY else value


def as_list(slot: Slot) -> str:
    """The text of a slot with a list to run over."""
    if not slot.constant:
        return slot.text
    text = slot.text
    return "[" + text[1:-1].rstrip(",") + "]"


def later(slot: Slot) -> Callable[[], str]:
    """The text of another slot, once that is filled."""
    return lambda: slot.text


def first_text(first: str, rest: str, index: str) -> str:
    """`first if index == 0 else rest`."""
    only, same, _ = first.rpartition(f" else {rest}")
    if same and first.endswith(same) and only.count(_CONDITIONAL) == 1 and _SIMPLE.search(only):
        return f"{only} and {index} == 0 else {rest}"
    first = f"({first})" if _CONDITIONAL in first else first
    return f"{first} if {index} == 0 else {rest}"


def stepped_text(start: str, step: str, index: str) -> str:
    """`start + step * index`."""
    down = re.fullmatch(r"-\d+", step) is not None
    size = step.lstrip("-") if down else step
    start = f"({start})" if _CONDITIONAL in start else start
    product = index if size == "1" else f"{_operand(size)} * {index}"
    if start == "0" and not down:
        return product
    return f"{start} {'-' if down else '+'} {product}"


def doubled_text(start: str, factor: str, index: str) -> str:
    """`start * factor**index`."""
    power = (
        f"{factor}**{index}"
        if factor.isidentifier() or factor.isdigit()
        else f"({factor}) ** {index}"
    )
    return power if start == "1" else f"{_operand(start)} * {power}"


def _operand(text: str) -> str:
    return text if re.fullmatch(r"\w+(\[\d+\])?", text) else f"({text})"
