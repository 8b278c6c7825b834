"""What flows: a tensor with the names of its axes, the batch in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Many", "Stream", "join", "matmul", "merge", "over_steps"]


class Stream:
    """A tensor (B, ...) and the names of all its axes but the batch."""

    def __init__(self, data: Tensor, axes: tuple[str, ...]) -> None:
        assert data.dim() == len(axes) + 1, (data.shape, axes)
        self.data, self.axes = data, axes
        self.state: dict[str, Stream] = {}  # what a cell remembers behind the last step

    def size(self, axis: str) -> int:
        """The size of an axis by its name; `c` is the last one where none has that name."""
        return self.data.shape[self.position(axis)]

    def position(self, axis: str | int) -> int:
        """Which dimension of the tensor an axis is, by its name or its place behind the batch."""
        if isinstance(axis, int):
            return axis + 1 if axis >= 0 else self.data.dim() + axis
        if axis in self.axes:
            return self.axes.index(axis) + 1
        if axis == "c":
            return self.data.dim() - 1
        raise KeyError(axis)

    @property
    def space(self) -> tuple[str, ...]:
        """The axes behind the features of a map."""
        if "c" not in self.axes:
            return ()
        return self.axes[self.axes.index("c") + 1 :]

    def with_data(self, data: Tensor) -> Stream:
        """Other numbers on the same axes."""
        return Stream(data, self.axes)


class Many(list[Any]):
    """A bundle; `names` of its parts where `out` gave them."""

    names: tuple[str | None, ...] = ()


def over_steps(stream: Stream, axes: int, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """Compute on the last `axes` axes, whatever stands in front is part of the batch."""
    data = stream.data
    front = data.shape[: data.dim() - axes]
    flat = data.reshape(-1, *data.shape[data.dim() - axes :])
    made = compute(flat)
    return made.reshape(*front, *made.shape[1:])


def join(
    left: Stream | float, right: Stream | float, compute: Callable[[Any, Any], Tensor]
) -> Stream:
    """Element by element; a vector reaches over space and steps, leading axes are carried."""
    if not isinstance(left, Stream) or not isinstance(right, Stream):
        shaped = left if isinstance(left, Stream) else right
        assert isinstance(shaped, Stream)
        one = left.data if isinstance(left, Stream) else left
        two = right.data if isinstance(right, Stream) else right
        return shaped.with_data(compute(one, two))
    wide = left if len(left.axes) >= len(right.axes) else right
    return wide.with_data(compute(_spread(left, wide), _spread(right, wide)))


def _spread(stream: Stream, wide: Stream) -> Tensor:
    if len(stream.axes) == len(wide.axes) or not stream.axes:
        return stream.data.reshape(*stream.data.shape, *[1] * (len(wide.axes) - len(stream.axes)))
    sizes = [stream.data.shape[0]]
    for axis in wide.axes:
        sizes.append(stream.size(axis) if axis in stream.axes else 1)
    return stream.data.reshape(sizes)


def matmul(left: Stream, right: Stream) -> Stream:
    """The product over the last axis of one and the axis before the last of the other."""
    made = torch.einsum("...ij,...jk->...ik", left.data, right.data)
    wide = left if len(left.axes) >= len(right.axes) else right
    return Stream(made, (*wide.axes[:-2], left.axes[-2], right.axes[-1]))


def merge(parts: list[Stream], axis: str) -> Stream:
    """Side by side along an axis."""
    first = max(parts, key=lambda part: len(part.axes))
    wide = [_over_space(part, first) for part in parts]
    return first.with_data(torch.cat(wide, first.position(axis)))


def _over_space(part: Stream, wide: Stream) -> Tensor:
    if part.axes == wide.axes or part.axes != ("c",):
        return part.data
    sizes = list(wide.data.shape)
    sizes[wide.position("c")] = part.size("c")
    return _spread(part, wide).expand(sizes)
