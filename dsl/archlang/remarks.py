"""Which comments and line ends belong to which part of a file: the formatter keeps them there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

from archlang.documents import HARD, LINE, ROW, TAIL, Break, Doc, Suffix, concat
from archlang.record import Record
from archlang.source import Span
from archlang.tree import Comment

__all__ = ["Remarks", "Slot", "blank_between", "close", "gaps", "trailing", "with_lead"]


class Slot(Record):
    """A part of a list with its comments.

    Args:
        span: where the author wrote it.
        doc: the part.
        lead: the comments on lines of their own before it.
        trail: the comment that follows it on its line.
    """

    span: Span
    doc: Doc
    lead: tuple[Comment, ...]
    trail: tuple[Comment, ...] = ()


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
            if number == 0 and not opened:
                upward, lead = lead, ()
            slots.append(Slot(span, doc, lead, trail))
            start = span.end
        self._raised = upward + self._raised
        return slots, self.take(start, stop)


def with_lead(slot: Slot, before: Doc = "") -> Doc:
    """A part with the comments above it, and a word between them and the part."""
    comments: list[Doc] = []
    for comment in slot.lead:
        comments.extend((comment.text.rstrip(), HARD))
    return concat(*comments, before, slot.doc) if comments or before else slot.doc


def trailing(slot: Slot) -> Doc:
    """The comment that follows a part on its line."""
    return Suffix(slot.trail[0].text.rstrip()) if slot.trail else ""


def gaps(slots: Sequence[Slot], between: Break = LINE, *, trails: bool = False) -> list[Doc]:
    """The line ends between the parts of a list: where the author put one, it is kept.

    Args:
        slots: the parts.
        between: what stands where the author put none.
        trails: whether what the author wrote behind a part of several lines may stay there.
    """
    found: list[Doc] = []
    for slot, following in pairwise(slots):
        if slot.trail:
            found.append(concat(trailing(slot), ROW))
        elif between is LINE and _has_line_end(slot.span, slot.span.end, following.span.start):
            found.append(ROW)
        elif trails and (slot.lead or _has_line_end(slot.span, slot.span.start, slot.span.end)):
            found.append(TAIL)
        else:
            found.append(between)
    return found


def _has_line_end(span: Span, start: int, stop: int) -> bool:
    return span.source.text.find("\n", start, stop) >= 0


def close(slots: Sequence[Slot], rest: Sequence[Comment]) -> Doc:
    """What stands before the closing bracket of a list: its last comments."""
    last = trailing(slots[-1]) if slots else ""
    if rest:
        return concat(last, *(concat(HARD, comment.text.rstrip()) for comment in rest), HARD)
    return concat(last, HARD) if last else ""


def blank_between(first: Span, second: Span) -> bool:
    """Whether the author left a blank line between two places."""
    text = first.source.text[first.end : second.start]
    lines = text.split("\n")
    return any(not line.strip() for line in lines[1:-1])
