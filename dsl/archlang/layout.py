"""Documents that fit a width: text, places where lines may break, and which break together.

The algebra is Wadler's ("A prettier printer", 1998) with the additions that comments need: a group
that holds a comment breaks, and a comment at the end of a line waits for that end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archlang.record import Record

__all__ = [
    "HARD",
    "LINE",
    "SOFT",
    "Align",
    "Break",
    "Concat",
    "Doc",
    "Fill",
    "Group",
    "Nest",
    "Suffix",
    "align",
    "concat",
    "fill",
    "group",
    "is_forced",
    "join",
    "render",
]


class Break(Record):
    """A place where a line may end; `flat` stands there when it does not."""

    flat: str
    forced: bool = False


class Suffix(Record):
    """A comment that stands at the end of the line."""

    text: str
    forced: bool = True


class Concat(Record):
    """Documents one behind the other."""

    parts: tuple[Doc, ...]
    forced: bool


class Group(Record):
    """Breaks all of its own places or none."""

    body: Doc
    forced: bool


class Fill(Record):
    """Parts with breaks between them, each of which ends the line only where it must.

    Args:
        parts: part, break, part and so on.
        forced: whether one of them cannot stand on one line.
        start: the place of the first part that is still to be written.
    """

    parts: tuple[Doc, ...]
    forced: bool
    start: int = 0


class Nest(Record):
    """Lines inside start further to the right, by so many columns."""

    columns: int
    body: Doc
    forced: bool


class Align(Record):
    """Lines inside start in the column where this starts."""

    body: Doc
    forced: bool


Doc = str | Break | Suffix | Concat | Group | Fill | Nest | Align

LINE = Break(" ")
SOFT = Break("")
HARD = Break("", forced=True)


def concat(*parts: Doc) -> Doc:
    """Documents one behind the other."""
    return Concat(parts, any(is_forced(part) for part in parts))


def group(body: Doc) -> Doc:
    """A document that stands on one line if it fits."""
    return Group(body, is_forced(body))


def fill(parts: Iterable[Doc]) -> Doc:
    """Parts on as few lines as they need; every second one is a break."""
    kept = tuple(parts)
    return Fill(kept, any(is_forced(part) for part in kept))


def nest(columns: int, body: Doc) -> Doc:
    """A document whose further lines are indented."""
    return Nest(columns, body, is_forced(body))


def align(body: Doc) -> Doc:
    """A document whose further lines start below its first."""
    return Align(body, is_forced(body))


def join(separator: Doc, parts: Iterable[Doc]) -> list[Doc]:
    """The parts with the separator between them."""
    joined: list[Doc] = []
    for part in parts:
        if joined:
            joined.append(separator)
        joined.append(part)
    return joined


def is_forced(doc: Doc) -> bool:
    """Whether a document cannot stand on one line."""
    return False if isinstance(doc, str) else doc.forced


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
                if flat and not doc.forced:
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
            case Fill():
                self.fill(indent, flat, doc, stack)

    def fill(self, indent: int, flat: bool, doc: Fill, stack: list[_Item]) -> None:
        """Write the first part of a fill, and decide about the break behind it."""
        if flat:
            stack.extend((indent, True, part) for part in reversed(doc.parts[doc.start :]))
            return
        first, *rest = doc.parts[doc.start : doc.start + 3]
        behind = stack if not rest else []
        fits = not is_forced(first) and self.fits([(indent, True, first)], behind)
        if not rest:
            stack.append((indent, fits, first))
            return
        separator, second = rest
        pair = (indent, True, concat(first, separator, second))
        is_last = doc.start + 3 == len(doc.parts)
        together = not is_forced(pair[2]) and self.fits([pair], stack if is_last else [])
        stack.append((indent, False, doc.replace(start=doc.start + 2)))
        stack.append((indent, together, separator))
        stack.append((indent, fits, first))

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
                case Nest() | Align() | Group():
                    items.append((indent, flat and not doc.forced, doc.body))
                case Suffix():
                    pass
        return False
