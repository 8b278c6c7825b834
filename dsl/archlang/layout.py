"""Documents -> lines of a width."""

from __future__ import annotations

from collections.abc import Sequence

from archlang.documents import (
    Align,
    Break,
    Concat,
    Doc,
    Fill,
    Group,
    Nest,
    Suffix,
    Whole,
    concat,
    is_forced,
)

__all__ = ["render"]

_Item = tuple[int, bool, Doc]
"""The indentation, whether it stands on one line, and what."""


def render(doc: Doc, width: int) -> str:
    """Lay a document out.

    Args:
        doc: what to write.
        width: how many columns a line may have, where it can be broken.
    """
    printer = _Printer(width)
    stack: list[_Item] = [(0, False, doc)]
    while stack:
        printer.print(stack.pop(), stack)
    printer.end_line(0)
    return "\n".join(printer.lines)


class _Printer:
    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []
        self.line: list[str] = []
        self.column = 0
        self.suffixes: list[str] = []

    def write(self, text: str) -> None:
        """Write into the line."""
        self.line.append(text)
        self.column += len(text)

    def end_line(self, indent: int) -> None:
        """End the line and start one with so many spaces."""
        text = "".join(self.line).rstrip()
        for suffix in self.suffixes:
            text = f"{text}  {suffix}" if text.strip() else text + suffix
        self.suffixes = []
        self.lines.append(text)
        self.line = [" " * indent]
        self.column = indent

    def print(self, item: _Item, stack: list[_Item]) -> None:
        """Write one document, or put its parts on the stack."""
        indent, flat, doc = item
        match doc:
            case str():
                self.write(doc)
            case Suffix():
                self.suffixes.append(doc.text)
            case Break():
                if flat and (doc.kept or not doc.forced):
                    self.write(doc.flat)
                else:
                    self.end_line(indent)
            case Concat():
                stack.extend((indent, flat, part) for part in reversed(doc.parts))
            case Nest():
                stack.append((indent + doc.columns, flat, doc.body))
            case Align():
                stack.append((self.column, flat, doc.body))
            case Group():
                fits = flat or (not doc.forced and self.fits([(indent, True, doc.body)], stack))
                stack.append((indent, fits, doc.body))
            case Whole():
                fits = flat or _fits_whole(doc.body, self.width - self.column)
                stack.append((indent, fits, doc.body))
            case Fill():
                self.fill(indent, flat, doc, stack)

    def fill(self, indent: int, flat: bool, doc: Fill, stack: list[_Item]) -> None:
        """Write the first part of a fill, and decide about the break behind it."""
        if flat:
            stack.extend((indent, True, part) for part in reversed(doc.parts[doc.start :]))
            return
        if doc.start % 2:
            self.trail(indent, doc, stack)
            return
        first, *rest = doc.parts[doc.start : doc.start + 3]
        behind = stack if not rest else []
        fits = not is_forced(first) and self.fits([(indent, True, first)], behind)
        if not rest:
            stack.append((indent, fits, first))
            return
        separator = rest[0]
        if not fits and isinstance(separator, Break) and separator.trails:
            # Where the part ends is known only when it is written.
            stack.append((indent, False, doc.replace(start=doc.start + 1)))
            stack.append((indent, False, first))
            return
        together = self.stand_together(indent, doc, 3, stack)
        stack.append((indent, False, doc.replace(start=doc.start + 2)))
        stack.append((indent, together, separator))
        stack.append((indent, fits, first))

    def trail(self, indent: int, doc: Fill, stack: list[_Item]) -> None:
        """Decide about a break behind a part of several lines, which is written."""
        together = self.stand_together(indent, doc, 2, stack)
        stack.append((indent, False, doc.replace(start=doc.start + 1)))
        stack.append((indent, together, doc.parts[doc.start]))

    def stand_together(self, indent: int, doc: Fill, count: int, stack: list[_Item]) -> bool:
        """Whether so many documents of a fill, up to the end of a part, fit into the line."""
        end = doc.start + count
        together = concat(*doc.parts[doc.start : end])
        behind = stack if end == len(doc.parts) else []
        return not is_forced(together) and self.fits([(indent, True, together)], behind)

    def fits(self, items: list[_Item], behind: Sequence[_Item]) -> bool:
        """Whether items, and what follows up to the next line end, fit into the line."""
        room = self.width - self.column
        next_behind = len(behind)
        while room >= 0:
            if not items:
                if next_behind == 0:
                    return True
                next_behind -= 1
                items.append(behind[next_behind])
            indent, flat, doc = items.pop()
            match doc:
                case str():
                    room -= len(doc)
                case Break():
                    if doc.forced or not flat:
                        return True
                    room -= len(doc.flat)
                case Concat():
                    items.extend((indent, flat, part) for part in reversed(doc.parts))
                case Fill():
                    # No more of a long one than can matter, or it would take quadratic time.
                    parts = doc.parts[doc.start : doc.start + 2 * self.width]
                    items.extend((indent, flat, part) for part in reversed(parts))
                case Nest() | Align() | Group() | Whole():
                    items.append((indent, flat and not doc.forced, doc.body))
                case Suffix():
                    pass
        return False


def _fits_whole(doc: Doc, room: int) -> bool:
    """Whether a document fits into so many columns where no row of the author's is kept."""
    docs = [doc]
    while docs and room >= 0:
        match docs.pop():
            case str() as text:
                room -= len(text)
            case Break(forced=True, kept=False) | Suffix():
                return False
            case Break(flat=flat):
                room -= len(flat)
            case Concat(parts=parts) | Fill(parts=parts):
                docs.extend(reversed(parts))
            case Group(body=body) | Nest(body=body) | Align(body=body) | Whole(body=body):
                docs.append(body)
    return room >= 0
