"""Frames of source text: the lines of a file with what is to be said about places in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archlang.canvas import Row, Style
from archlang.diagnostics import Label
from archlang.display import Cell, cells, escape
from archlang.record import Record
from archlang.source import Source

__all__ = ["Line", "frame"]

SHOWN_LINES = 6  # a longer stretch is shown with its first and last lines
CUT = "…"


class Mark(Record):
    """A label within the lines of one file: lines and characters count from 0."""

    text: str
    primary: bool
    first_line: int
    first: int
    last_line: int
    last: int

    @property
    def long(self) -> bool:
        """Whether it covers several lines."""
        return self.last_line > self.first_line


class Line(Record):
    """One line of a frame: the number in front of it, or None; "..." stands for left-out lines."""

    number: int | None
    row: Row
    gap: bool = False


class _View(Record):
    """A source line as it is shown: its cells, and the columns of the window that is cut out."""

    cells: tuple[Cell, ...]
    start: int
    end: int

    @property
    def width(self) -> int:
        """The columns of the whole line."""
        return self.cells[-1].column + self.cells[-1].width if self.cells else 0

    def column(self, character: int) -> int:
        """Where a character (or the end of the line) stands within the window."""
        whole = self.cells[character].column if character < len(self.cells) else self.width
        return min(max(whole, self.start), self.end) - self.start


def frame(
    source: Source, labels: Iterable[tuple[Label, bool]], style: Style, width: int
) -> list[Line]:
    """The lines of one file with the labels under them.

    Args:
        source: the file.
        labels: those in this file, each with whether it is the primary one.
        style: of the primary label.
        width: the columns that a source line may take; a longer one is cut around its labels.
    """
    marks = [_mark(source, label, primary) for label, primary in labels]
    long = sorted((m for m in marks if m.long), key=lambda m: (m.first_line, -m.last_line))
    drawing = _Drawing(source, marks, long, style, max(width - 2 * bool(long) - len(long), 30))
    return list(drawing.lines())


def _mark(source: Source, label: Label, primary: bool) -> Mark:
    start, end = source.position(label.span.start), source.position(label.span.end)
    last_line, last = end.line - 1, end.column - 1
    if last == 0 and last_line > start.line - 1:  # ends with a line: its newline is not shown
        last_line -= 1
        last = len(source.lines[last_line])
    text = escape(label.text)
    return Mark(text, primary, start.line - 1, start.column - 1, last_line, last)


class _Drawing:
    """The lines of one file, from top to bottom; `bars` are the long labels that are open."""

    def __init__(
        self, source: Source, marks: list[Mark], long: list[Mark], style: Style, width: int
    ) -> None:
        self.source, self.marks, self.long, self.style, self.width = (
            source,
            marks,
            long,
            style,
            width,
        )
        self.margin = len(long) + 1 if long else 0
        self.bars: set[int] = set()

    def lines(self) -> Iterator[Line]:
        before = None
        for number in self._numbers():
            if before is not None and number > before + 1:
                yield Line(None, self._row(), gap=True)
            before = number
            yield from self._line(number)

    def _numbers(self) -> list[int]:
        found: set[int] = set()
        for mark in self.marks:
            found |= {mark.first_line, mark.last_line}
            if mark.last_line - mark.first_line < SHOWN_LINES:
                found.update(range(mark.first_line, mark.last_line))
            else:
                found |= {mark.first_line + 1, mark.last_line - 1}
        # A gap of one line is shown: "..." would take as much room.
        return sorted(found | {n + 1 for n in found if n + 2 in found})

    def _line(self, number: int) -> Iterator[Line]:
        view = self._view(number)
        yield Line(number + 1, self._source_row(number, view))
        short = [m for m in self.marks if not m.long and m.first_line == number]
        for row in _short_rows(short, view, self.margin, self.style):
            self._draw_bars(row)
            yield Line(None, row)
        starting = [m for m in self.long if m.first_line == number and not self._flush(m)]
        for mark in starting:
            yield Line(None, self._long_row(mark, view.column(mark.first), starts=True))
        for mark in reversed([m for m in self.long if m.last_line == number]):
            yield Line(None, self._long_row(mark, max(view.column(mark.last) - 1, 0), starts=False))

    def _source_row(self, number: int, view: _View) -> Row:
        row = self._row()
        for slot, mark in enumerate(self.long):
            if mark.first_line == number and self._flush(mark):
                row.put(slot, "/", self._style(mark))
                self.bars.add(slot)
        for cell in view.cells:
            if view.start <= cell.column and cell.column + cell.width <= view.end:
                row.put(self.margin + cell.column - view.start, cell.text)
        if view.start > 0:
            row.put(self.margin, CUT)
        if view.end < view.width:
            row.put(self.margin + view.end - view.start - 1, CUT)
        return row

    def _long_row(self, mark: Mark, column: int, *, starts: bool) -> Row:
        """The row in which the bar of a long label leaves its place, or comes back to it."""
        row, slot, style = self._row(), self.long.index(mark), self._style(mark)
        row.fill(slot + 1, self.margin + column, "_", style)
        row.put(self.margin + column, "^" if mark.primary else "-", style)
        if starts:
            self.bars.add(slot)
        else:
            row.put(self.margin + column + 2, mark.text, style)
            self.bars.discard(slot)
        return row

    def _row(self) -> Row:
        row = Row()
        self._draw_bars(row)
        return row

    def _draw_bars(self, row: Row) -> None:
        for slot in self.bars:
            row.put(slot, "|", self._style(self.long[slot]))

    def _flush(self, mark: Mark) -> bool:
        """Whether nothing stands before a long label on its line: its bar starts beside it."""
        return not self.source.lines[mark.first_line][: mark.first].strip()

    def _style(self, mark: Mark) -> Style:
        return self.style if mark.primary else "secondary"

    def _view(self, number: int) -> _View:
        whole = _View(cells(self.source.lines[number]), 0, 1 << 60)
        if whole.width <= self.width:
            return whole.replace(end=whole.width + 1)
        places = [(m.first, m.last) for m in self.marks if not m.long and m.first_line == number]
        places += [(m.first, m.first) for m in self.long if m.first_line == number]
        places += [(m.last, m.last) for m in self.long if m.last_line == number]
        primary = [(m.first, m.last) for m in self.marks if m.primary and m.first_line == number]
        return _window(whole, places, primary or places[:1], self.width)


def _window(
    whole: _View, places: list[tuple[int, int]], wanted: list[tuple[int, int]], width: int
) -> _View:
    """As many columns as fit, around all places, or else around the wanted one."""
    if not places:
        return whole.replace(end=width)
    for chosen in (places, wanted):
        first = min(whole.column(start) for start, _ in chosen)
        last = max(whole.column(end) for _, end in chosen)
        if last - first <= width - 4:
            break
    start = first - max((width - (last - first)) // 2, 2)
    start = max(min(start, whole.width - width), 0)
    return whole.replace(start=start, end=start + width)


def _short_rows(marks: list[Mark], view: _View, margin: int, style: Style) -> list[Row]:
    """The underlines, then the texts that do not fit behind theirs, the last one first."""
    placed = [
        _Placed(m, *_columns(m, view, margin), style if m.primary else "secondary") for m in marks
    ]
    if not placed:
        return []
    underline = Row()
    for item in sorted(placed, key=lambda p: (p.mark.primary, p.start - p.end)):
        underline.fill(item.start, item.end, "^" if item.mark.primary else "-", item.style)
    behind = max(placed, key=lambda p: (p.end, p.start))
    underline.put(behind.end + 1, behind.mark.text, behind.style)
    hanging = [item for item in placed if item.mark.text and item is not behind]
    hanging.sort(key=lambda p: p.start)
    if not hanging:
        return [underline]
    return [underline, _bars(hanging), *_hanging_rows(hanging)]


class _Placed(Record):
    """A mark within one line, with its columns and its style."""

    mark: Mark
    start: int
    end: int
    style: Style


def _hanging_rows(hanging: list[_Placed]) -> Iterator[Row]:
    for position in reversed(range(len(hanging))):
        row = _bars(hanging[:position])
        row.put(hanging[position].start, hanging[position].mark.text, hanging[position].style)
        yield row


def _bars(items: list[_Placed]) -> Row:
    row = Row()
    for item in items:
        row.put(item.start, "|", item.style)
    return row


def _columns(mark: Mark, view: _View, margin: int) -> tuple[int, int]:
    start, end = view.column(mark.first), view.column(mark.last)
    start = min(start, view.end - view.start - 1)
    return margin + start, margin + max(end, start + 1)
