"""A user's mistake, on its way."""

from __future__ import annotations

from archlang.diagnostics import Diagnostic, Label, Note
from archlang.source import Span

__all__ = ["Problem"]


class Problem(Exception):
    """A user's mistake on its way to the next place that collects diagnostics."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        label: str = "",
        more: tuple[Label, ...] = (),
        notes: tuple[Note, ...] = (),
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        labels = () if span is None else (Label(span, label), *more)
        self.diagnostic = Diagnostic(code, message, labels, notes, help)
