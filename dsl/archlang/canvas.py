"""A strip of terminal columns to draw on, and the few colours in use."""

from __future__ import annotations

from typing import Literal

from archlang.display import width

__all__ = ["Row", "Style", "paint"]

Style = Literal["plain", "bold", "error", "warning", "note", "help", "secondary"]

_CODES: dict[Style, str] = {
    "plain": "",
    "bold": "\x1b[1m",
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "note": "\x1b[1;36m",
    "help": "\x1b[1;32m",
    "secondary": "\x1b[1;34m",
}


def paint(text: str, style: Style, color: bool) -> str:
    """The text in a colour, where colour is wanted."""
    code = _CODES[style]
    return f"{code}{text}\x1b[0m" if color and code and text else text


class Row:
    """One row of a drawing: characters by column, each with a style."""

    def __init__(self) -> None:
        self._cells: dict[int, tuple[str, Style]] = {}

    def put(self, column: int, text: str, style: Style = "plain") -> None:
        """Write a text from a column on, over what is there; a wide character takes two columns."""
        for character in text:
            size = width(character)
            if size == 0:
                before = self._cells.get(column - 1, (" ", style))
                self._cells[column - 1] = (before[0] + character, before[1])
                continue
            self._cells[column] = (character, style)
            for behind in range(column + 1, column + size):
                self._cells[behind] = ("", style)
            column += size

    def fill(self, start: int, end: int, character: str, style: Style) -> None:
        """Write one narrow character into the columns from start to end, the end excluded."""
        for column in range(start, end):
            self._cells[column] = (character, style)

    @property
    def empty(self) -> bool:
        """Whether nothing was written."""
        return not self._cells

    def text(self, color: bool) -> str:
        """The row, without spaces at its end."""
        parts: list[str] = []
        run = ""
        run_style: Style = "plain"
        for column in range(max(self._cells, default=-1) + 1):
            character, style = self._cells.get(column, (" ", run_style))
            if style != run_style:
                parts.append(paint(run, run_style, color))
                run, run_style = "", style
            run += character
        parts.append(paint(run.rstrip(), run_style, color))
        return "".join(parts).rstrip()
