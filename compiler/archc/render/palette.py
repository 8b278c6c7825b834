"""Colours: one for each kind of operator.

The fills are Paul Tol's light scheme (https://personal.sron.nl/~pault/), mixed with white so that
a picture stays calm: made for labelled cells, told apart by colour-blind readers, and light enough
for black text (contrast 9:1 and more). No meaning rests on colour alone: a cell says its operator.
"""

from __future__ import annotations

from archlang.record import Record

__all__ = ["EDGE", "GROUP_FILLS", "INK", "KINDS", "LINE", "QUIET", "Kind", "kind_of"]

INK = "#1b1f24"  # text
QUIET = "#57606a"  # text that explains: shapes, titles of groups
LINE = "#4a5260"  # outlines
EDGE = "#4a5260"
GROUP_FILLS = ("#f4f6f8", "#eaeef2", "#dfe5eb")  # nested blocks, outermost first
GROUP_LINE = "#a9b4c0"


class Kind(Record):
    """A kind of operator in the legend: its word and its fill."""

    word: str
    fill: str


KINDS: dict[str, Kind] = {
    "convolution": Kind("convolution", "#a3c4ea"),
    "linear": Kind("fully connected", "#8fd3c1"),
    "pooling": Kind("pooling", "#f6b08f"),
    "normalisation": Kind("normalisation", "#f3e3a3"),
    "activation": Kind("activation", "#f9c9d2"),
    "regularisation": Kind("regularisation", "#d9d9d9"),
    "shape": Kind("shape", "#ffffff"),
    "elementwise": Kind("arithmetic", "#d3dd84"),
    "join": Kind("arithmetic", "#d3dd84"),
    "embedding": Kind("embedding", "#c9c46a"),
    "recurrent": Kind("recurrent", "#b9d9a0"),
    "attention": Kind("attention", "#c7e9ff"),
    "user": Kind("own operator", "#d9c7ec"),
    "block": Kind("block", "#dfe5eb"),
}


def kind_of(family: str) -> Kind:
    """The kind of a family of operators; families without a colour are drawn as users' own."""
    return KINDS.get(family, KINDS["user"])
