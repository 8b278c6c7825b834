"""What is said of an equation that became a fused kernel."""

from __future__ import annotations

from archlang.record import Record
from archlang.source import Span

__all__ = ["Note"]


class Note(Record):
    """One equation that was recognised.

    Args:
        what: the block or cell, as the file names it.
        kernel: what computes it ("F.scaled_dot_product_attention").
        span: where the equation stands.
    """

    what: str
    kernel: str
    span: Span

    @property
    def text(self) -> str:
        """The sentence, with the place."""
        place = f"{self.span.source.name}:{self.span.position.line}"
        return f"{place}: {self.what} is recognised as {self.kernel}"
