"""Documents that fit a width: text, places where lines may break, and which break together.

The algebra is Wadler's ("A prettier printer", 1998) with additions. For comments: a group that
holds one breaks, and a comment at the end of a line waits for that end. For rows: a break that the
author put is kept, unless the whole that it belongs to stands on one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archlang.record import Record

__all__ = [
    "HARD",
    "LINE",
    "ROW",
    "SOFT",
    "TAIL",
    "Align",
    "Break",
    "Concat",
    "Doc",
    "Fill",
    "Group",
    "Nest",
    "Suffix",
    "Whole",
    "align",
    "alternate",
    "concat",
    "fill",
    "group",
    "is_forced",
    "join",
    "whole",
]


class Break(Record):
    """A place where a line may end; `flat` stands there when it does not.

    Args:
        flat: what stands there within a line.
        forced: whether the line ends there.
        kept: whether it does so because the author ended it: not where the whole fits on one line.
        trails: whether what follows may stay behind a part of several lines, where the author put
            it.
    """

    flat: str
    forced: bool = False
    kept: bool = False
    trails: bool = False


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
        start: the place of the part, or of the break, that is to be written next.
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


class Whole(Record):
    """A definition, a head or a statement: on one line if it fits, else with the author's rows."""

    body: Doc
    forced: bool


Doc = str | Break | Suffix | Concat | Group | Fill | Nest | Align | Whole

LINE = Break(" ")
SOFT = Break("")
HARD = Break("", forced=True)
ROW = Break(" ", forced=True, kept=True)
TAIL = Break(" ", trails=True)


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


def whole(body: Doc) -> Doc:
    """A document that stands on one line if it fits, whatever rows the author gave it."""
    return Whole(body, is_forced(body))


def join(separator: Doc, parts: Iterable[Doc]) -> list[Doc]:
    """The parts with the separator between them."""
    joined: list[Doc] = []
    for part in parts:
        if joined:
            joined.append(separator)
        joined.append(part)
    return joined


def alternate(parts: Sequence[Doc], between: Sequence[Doc]) -> list[Doc]:
    """The parts with what stands between them, which is one less."""
    joined: list[Doc] = [*parts[:1]]
    for gap, part in zip(between, parts[1:], strict=True):
        joined.extend((gap, part))
    return joined


def is_forced(doc: Doc) -> bool:
    """Whether a document cannot stand on one line."""
    return False if isinstance(doc, str) else doc.forced
