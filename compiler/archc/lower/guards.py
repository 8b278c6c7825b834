"""What values raise, told as a Problem with its place."""

from __future__ import annotations

from typing import Any

from archc.lower.context import Problem
from archlang.source import Span
from archlang.values import Undecided, ValueProblem, show

__all__ = ["guarded", "undecided"]


class guarded:
    """Turns what values raise into a Problem at a place."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, ValueProblem):
            raise Problem(error.code, error.message, self.span, help=error.help) from error
        if isinstance(error, Undecided):
            raise undecided(error, self.span) from error
        if isinstance(error, OverflowError):
            raise Problem("number-too-large", "this size is too large", self.span) from error


def undecided(error: Undecided, span: Span) -> Problem:
    """What is said where a comparison depends on symbolic sizes."""
    from archc.dims import symbols

    names = sorted({s.name for side in (error.left, error.right) for s in symbols(side)})
    sizes = " and ".join(names)
    return Problem(
        "undecided",
        f"whether {show(error.left)} {error.operator} {show(error.right)} depends on {sizes}",
        span,
        help=f"bind it: `{' '.join(f'-p {name}=...' for name in names)}`",
    )
