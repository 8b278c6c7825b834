"""Diagnostics are data: what is wrong, where, and what to write instead.

They are collected while a file is read and compiled, and rendered at the edge (`rendering.py`).
"""

from __future__ import annotations

from typing import Literal

from archlang.record import Record
from archlang.source import Span

__all__ = ["ArchError", "Diagnostic", "Diagnostics", "Label", "Note", "Severity"]

Severity = Literal["error", "warning", "note"]


class Label(Record):
    """A place with a word about it; the first label of a diagnostic is its primary one."""

    span: Span
    text: str = ""


class Note(Record):
    """How we got here, or a fact that helps; with a place when it has one."""

    text: str
    span: Span | None = None


class Diagnostic(Record):
    """One thing that is wrong.

    Args:
        code: a word such as "shape-mismatch" that `archc explain` knows.
        message: one sentence, lower case, without a full stop.
        labels: the guilty place first, then the places that show the facts.
        notes: the stack of block instances, innermost first, and other facts.
        help: what to write instead: an edit that compiles.
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[Note, ...] = ()
    help: str | None = None
    severity: Severity = "error"

    @property
    def span(self) -> Span | None:
        """The guilty place."""
        return self.labels[0].span if self.labels else None


class Diagnostics:
    """Collects diagnostics in the order in which they are found, each once."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        """Take a diagnostic in, unless the same was said of the same place."""
        key = (diagnostic.code, diagnostic.message, diagnostic.span)
        self._found.setdefault(key, diagnostic)

    def extend(self, more: tuple[Diagnostic, ...]) -> None:
        """Take several in."""
        for diagnostic in more:
            self.add(diagnostic)

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        """Everything found so far."""
        return tuple(self._found.values())

    @property
    def failed(self) -> bool:
        """Whether one of them is an error."""
        return any(d.severity == "error" for d in self._found.values())


class ArchError(Exception):
    """A program is wrong: carries the diagnostics and prints as the command does."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        from archlang.rendering import render_plain

        return render_plain(self.diagnostics)
