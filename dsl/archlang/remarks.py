"""Which comment belongs to which part of a file, so that the formatter keeps it there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from archlang.layout import HARD, Doc, Suffix, concat
from archlang.record import Record
from archlang.source import Span
from archlang.tree import Comment

__all__ = ["Remarks", "Slot", "blank_between", "close", "with_lead"]


class Slot(Record):
    """A part of a list with its comments.

    Args:
        doc: the part, with the comment at the end of its line.
        lead: the comments on lines of their own before it.
        trailed: whether a comment follows it on its line.
    """

    doc: Doc
    lead: tuple[Comment, ...]
    trailed: bool


class Remarks:
    """The comments of a file, each of which is handed out once.

    Args:
        comments: in the order of the file.
    """

    def __init__(self, comments: Sequence[Comment]) -> None:
        self._comments = list(comments)
        self._starts = [comment.span.start for comment in comments]
        self._raised: tuple[Comment, ...] = ()

    def take(self, start: int, stop: int) -> tuple[Comment, ...]:
        """Hand out what starts between two offsets."""
        if not self._comments:
            return ()
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, stop)
        taken = tuple(self._comments[first:last])
        del self._comments[first:last], self._starts[first:last]
        return taken

    def take_trailing(self, start: int, stop: int) -> tuple[Comment, ...]:
        """Hand out the comment that follows on the same line, if there is one."""
        first = bisect_left(self._starts, start)
        if first == len(self._starts) or self._starts[first] >= stop:
            return ()
        if self._comments[first].own_line:
            return ()
        return self.take(start, self._starts[first] + 1)

    def raised(self) -> tuple[Comment, ...]:
        """Hand out the comments that had no place before the first part of an open list."""
        taken, self._raised = self._raised, ()
        return taken

    def slots(
        self,
        parts: Sequence[tuple[Span, Callable[[], Doc]]],
        start: int,
        stop: int,
        *,
        opened: bool = False,
    ) -> tuple[list[Slot], tuple[Comment, ...]]:
        """Give the parts of a list their comments.

        Args:
            parts: where each part stands, and what writes it.
            start: the offset where the list starts.
            stop: the offset where it ends.
            opened: whether a comment may stand before the first part. It may behind a bracket; else
                it is raised, and stands before what the list is a part of.

        Returns:
            the parts, and the comments behind the last one.
        """
        slots: list[Slot] = []
        upward: tuple[Comment, ...] = ()
        for number, (span, write) in enumerate(parts):
            lead = self.take(start, span.start)
            doc = write()
            # What the part has no place for stands before it.
            lead += self.raised() + self.take(span.start, span.end)
            following = parts[number + 1][0].start if number + 1 < len(parts) else stop
            trail = self.take_trailing(span.end, following)
            if trail:
                doc = concat(doc, Suffix(trail[0].text.rstrip()))
            if number == 0 and not opened:
                upward, lead = lead, ()
            slots.append(Slot(doc, lead, bool(trail)))
            start = span.end
        self._raised = upward + self._raised
        return slots, self.take(start, stop)


def with_lead(slot: Slot, before: Doc = "") -> Doc:
    """A part with the comments above it, and a word between them and the part."""
    comments: list[Doc] = []
    for comment in slot.lead:
        comments.extend((comment.text.rstrip(), HARD))
    return concat(*comments, before, slot.doc) if comments or before else slot.doc


def close(slots: Sequence[Slot], rest: Sequence[Comment]) -> Doc:
    """What stands before the closing bracket of a list: its last comments."""
    if rest:
        return concat(*(concat(HARD, comment.text.rstrip()) for comment in rest), HARD)
    return HARD if slots and slots[-1].trailed else ""


def blank_between(first: Span, second: Span) -> bool:
    """Whether the author left a blank line between two places."""
    text = first.source.text[first.end : second.start]
    lines = text.split("\n")
    return any(not line.strip() for line in lines[1:-1])
