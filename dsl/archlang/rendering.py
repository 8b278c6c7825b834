"""Diagnostics as people read them, with frames of their source, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from archlang.canvas import Style, paint
from archlang.diagnostics import Diagnostic, Label, Note
from archlang.display import escape, wrap
from archlang.frames import Line, frame
from archlang.source import Source, Span

__all__ = ["render", "render_plain", "to_json"]

WIDTH = 140  # where no width is given, as in a file


def render_plain(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as text without colours, a blank line between them."""
    return render(diagnostics, color=False, width=None)


def render(diagnostics: Iterable[Diagnostic], *, color: bool, width: int | None) -> str:
    """The diagnostics as text, a blank line between them, without a line end after the last.

    Args:
        diagnostics: in the order in which they are shown.
        color: whether to use the colours of a terminal.
        width: the columns of the terminal, None where there is none. Longer source lines are cut
            around their labels, notes are wrapped; help is not, since it is there to be copied.
    """
    return "\n\n".join([_Text(d, color, width).text() for d in diagnostics])


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The diagnostics as plain data: lines and columns count from 1, the end is excluded.

    The place is that of the primary label and is None where a diagnostic has none.
    """
    return [
        {
            "code": d.code,
            "severity": d.severity,
            "message": d.message,
            **_place(d.span),
            "labels": [{**_place(label.span), "text": label.text} for label in d.labels],
            "notes": [{"text": note.text, **_place(note.span)} for note in d.notes],
            "help": d.help,
        }
        for d in diagnostics
    ]


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return dict.fromkeys(["file", "line", "column", "end_line", "end_column"])
    start, end = span.position, span.end_position
    return {
        "file": span.source.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    }


class _Text:
    """One diagnostic on its way to text."""

    def __init__(self, diagnostic: Diagnostic, color: bool, width: int | None) -> None:
        self.diagnostic, self.color, self.width = diagnostic, color, width or WIDTH
        self.wraps = width is not None
        numbers = [label.span.end_position.line for label in diagnostic.labels]
        self.gutter = len(str(max(numbers, default=1)))

    def text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        diagnostic = self.diagnostic
        head = self._paint(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity)
        yield head + self._paint(f": {self._on_one_line(diagnostic.message)}", "bold")
        for position, (source, labels) in enumerate(_by_source(diagnostic.labels)):
            yield from self._frame(source, labels, "-->" if position == 0 else ":::")
        for note in diagnostic.notes:
            yield from self._note(note)
        if diagnostic.help is not None:
            yield from self._said("help", diagnostic.help)

    def _frame(self, source: Source, labels: list[tuple[Label, bool]], arrow: str) -> Iterator[str]:
        yield self._arrow(labels[0][0].span, arrow)
        yield self._bar(None)
        room = max(self.width - self.gutter - 4, 30)
        for line in frame(source, labels, self.diagnostic.severity, room):
            yield self._source_line(line)

    def _source_line(self, line: Line) -> str:
        text = line.row.text(self.color)
        if line.gap:
            dots = self._paint("...", "secondary")
            return f"{dots}{' ' * (self.gutter + 1)}{text}" if text else dots
        bar = self._bar(line.number)
        return f"{bar} {text}" if text else bar

    def _bar(self, number: int | None) -> str:
        shown = "" if number is None else str(number)
        return self._paint(f" {shown.rjust(self.gutter)} |", "secondary")

    def _arrow(self, span: Span, arrow: str) -> str:
        place = span.position
        pointed = self._paint(f"{' ' * (self.gutter + 1)}{arrow}", "secondary")
        return f"{pointed} {escape(span.source.name)}:{place.line}:{place.column}"

    def _note(self, note: Note) -> Iterator[str]:
        text = escape(note.text, keep="\n")
        if self.wraps:
            room = max(self.width - len("note: "), 30)
            text = "\n".join([part for line in text.split("\n") for part in wrap(line, room)])
        yield from self._said("note", text)
        if note.span is not None:
            yield self._arrow(note.span, "-->")

    def _said(self, word: Style, text: str) -> Iterator[str]:
        first, *rest = escape(text, keep="\n").split("\n")
        yield f"{self._paint(word, word)}: {first}"
        for line in rest:
            yield f"{' ' * (len(word) + 2)}{line}".rstrip()

    def _on_one_line(self, text: str) -> str:
        return escape(text.replace("\n", " "))

    def _paint(self, text: str, style: Style) -> str:
        return paint(text, style, self.color)


def _by_source(labels: tuple[Label, ...]) -> list[tuple[Source, list[tuple[Label, bool]]]]:
    """The labels of each file, the file of the primary label first."""
    found: list[tuple[Source, list[tuple[Label, bool]]]] = []
    for position, label in enumerate(labels):
        source = label.span.source
        group = next((group for known, group in found if known is source), None)
        if group is None:
            group = []
            found.append((source, group))
        group.append((label, position == 0))
    return found
