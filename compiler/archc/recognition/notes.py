"""What is said of an equation that is computed in another way than it is written."""

from __future__ import annotations

from archlang.record import Record
from archlang.source import Span

__all__ = ["Note"]


class Note(Record):
    """One equation that was recognised.

    Args:
        what: the block or cell, as the file names it.
        fact: what is said of it ("is recognised as torch.lstm").
        span: where the equation stands.
    """

    what: str
    fact: str
    span: Span

    @property
    def text(self) -> str:
        """The sentence, with the place."""
        place = f"{self.span.source.name}:{self.span.position.line}"
        return f"{place}: {self.what} {self.fact}"
