"""What is said where weights do not fit a net."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["WeightsError", "listing", "shape_text"]

_SHOWN = 12


class WeightsError(Exception):
    """Weights that cannot be taken into a net; the message says why, with a list where it helps."""


def listing(title: str, lines: Sequence[str]) -> str:
    """A title with lines below it, not more of them than people read."""
    shown = [f"  {line}" for line in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        shown.append(f"  and {len(lines) - _SHOWN:,} more")
    return "\n".join([f"{title}:", *shown])


def shape_text(shapes: Iterable[Sequence[int]]) -> str:
    """The shapes of a group's tensors: `64×3×7×7, 64`."""
    return ", ".join(["×".join(map(str, shape)) or "scalar" for shape in shapes])
