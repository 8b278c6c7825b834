"""What autograd keeps of one application of an operator until the backward pass."""

from __future__ import annotations

from typing import Literal

from archc.dims import Dim
from archlang.record import Record

__all__ = ["NO_TENSORS", "Extra", "Kind", "Saves"]

# The type of an extra tensor: that of the activations; the type of statistics, which is float32
# where activations are narrower; int64; bool.
Kind = Literal["real", "statistic", "index", "mask"]


class Extra(Record):
    """A tensor that only the backward pass needs: indices, a mask, statistics.

    Args:
        elements: how many elements it has, for one example where `batched`.
        kind: of which type they are.
        batched: whether there are so many for each example, or for all of them together.
    """

    elements: Dim
    kind: Kind = "real"
    batched: bool = True


class Saves(Record):
    """What is kept: inputs and outputs by their position, and extra tensors.

    Parameters are kept by the module and are left out.
    """

    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    extras: tuple[Extra, ...] = ()


NO_TENSORS = Saves()
