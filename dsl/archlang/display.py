"""How text takes up columns of a terminal, and what of it must not reach one."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, east_asian_width

from archlang.record import Record

__all__ = ["Cell", "cells", "escape", "width", "wrap"]

TAB = 4

# Control and format characters (among them those that turn the direction of writing), surrogates,
# private and unassigned ones, line and paragraph separators: a file could fake output with them.
_HIDDEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
_COMBINING = frozenset(["Mn", "Me"])


class Cell(Record):
    """One character of a line as it is shown.

    Args:
        text: what stands for it: itself, spaces for a tab, `<U+202E>` for what is hidden.
        column: its first column on the terminal, counted from 0.
        width: how many columns it takes: 2 for wide characters, 0 for combining ones.
    """

    text: str
    column: int
    width: int


@lru_cache(maxsize=2)  # the mistakes of one long line come one after the other
def cells(line: str) -> tuple[Cell, ...]:
    """The characters of a line, one cell each, where a terminal shows them."""
    found = []
    column = 0
    for character in line:
        text = " " * (TAB - column % TAB) if character == "\t" else _shown(character)
        size = len(text) if len(text) != 1 else _columns(character)
        found.append(Cell(text, column, size))
        column += size
    return tuple(found)


def escape(text: str, *, keep: str = "") -> str:
    """The text with hidden characters spelt out, but for those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join([c if c in keep else _shown(c) for c in text])


def width(text: str) -> int:
    """The columns that an escaped text takes."""
    if text.isascii():
        return len(text)
    return sum([_columns(character) for character in text])


def wrap(text: str, columns: int) -> list[str]:
    """The lines of an escaped text, broken at spaces where they would not fit."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and width(longer) > columns:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _shown(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    return f"<U+{ord(character):04X}>" if category(character) in _HIDDEN else character


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    if category(character) in _COMBINING or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1
