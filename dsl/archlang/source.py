"""Source texts and the places in them."""

from __future__ import annotations

from bisect import bisect_right

from archlang.record import Record, field

__all__ = ["Position", "Source", "Span"]


class Position(Record):
    """A place for people: line and column, both counted from 1, columns in characters."""

    line: int
    column: int


class Source(Record):
    """The text of one file.

    Args:
        name: what messages call it, usually the path as the user gave it.
        text: the whole text, line ends normalised to "\\n".
    """

    name: str
    text: str = field(compare=False)
    lines: tuple[str, ...] = field(default=(), compare=False)
    starts: tuple[int, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, name: str, text: str) -> Source:
        """Make a source, with the index of its lines."""
        text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
        lines = tuple(text.split("\n"))
        starts, offset = [], 0
        for line in lines:
            starts.append(offset)
            offset += len(line) + 1
        return cls(name, text, lines, tuple(starts))

    def position(self, offset: int) -> Position:
        """The line and column of a character offset."""
        row = max(bisect_right(self.starts, offset) - 1, 0)
        return Position(row + 1, offset - self.starts[row] + 1)


class Span(Record):
    """A stretch of a source: character offsets, the end excluded."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters that the span covers."""
        return self.source.text[self.start : self.end]

    @property
    def position(self) -> Position:
        """Line and column of the first character."""
        return self.source.position(self.start)

    @property
    def end_position(self) -> Position:
        """Line and column just behind the last character."""
        return self.source.position(self.end)

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of the other."""
        return Span(self.source, self.start, max(self.end, other.end))
