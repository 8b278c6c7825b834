"""How a file is to be written, whatever the net."""

from __future__ import annotations

from archlang.record import Record

__all__ = ["PLAIN", "Manner"]


class Manner(Record):
    """Choices about a module that change nothing of what it computes.

    Args:
        comments: whether lines of `forward` say the shape of what they make.
        checkpoint: whether blocks are computed again in the backward pass instead of keeping what
            is inside.
        fast: whether its example runs in the memory format that is fastest for inference.
        generate: whether a net whose output can be fed back gets `step` and `generate`.
    """

    comments: bool = True
    checkpoint: bool = False
    fast: bool = False
    generate: bool = True


PLAIN = Manner()
