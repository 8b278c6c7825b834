"""Shapes: sizes with axes that know what they mean. The batch is never part of a shape."""

from __future__ import annotations

from typing import Literal

from archc.dims import Dim
from archlang.record import Record

__all__ = [
    "Axis", "Lengths", "Role", "Shape", "feature_map", "sequence", "space_names", "tokens",
    "vector",
]  # fmt: skip

Role = Literal["features", "space", "steps", "carried"]

_SPACE_NAMES = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}


class Lengths(Record):
    """How many positions of an axis are real, for each example; what is behind them is padding.

    Args:
        source: the input of the net whose lengths they follow from.
        strides: what happened to the lengths since, in order: (l + first) // second.
    """

    source: str
    strides: tuple[tuple[int, int], ...] = ()

    def after(self, add: int, by: int) -> Lengths:
        """The lengths (l + add) // by."""
        return self if (add, by) == (0, 1) else self.replace(strides=(*self.strides, (add, by)))

    def written(self, lengths: str) -> str:
        """The formula in Python, of the text of the input's lengths."""
        text = lengths
        for add, by in self.strides:
            above = f"({text} {'+' if add > 0 else '-'} {abs(add)})" if add else text
            text = f"{above} // {by}" if by > 1 else above
            text = f"({text})" if by > 1 else text
        return text


class Axis(Record):
    """One axis: its size, its name (`c h w d t l`, or one that a pattern introduced), its role.

    With `lengths` only so many positions of each example are real.

    The role says how operators treat it: `features` are mixed by FC and CONV, `space` is what a
    kernel moves over, `steps` are the steps of a sequence, and `carried` axes (windows, heads) are
    carried along like the batch.
    """

    size: Dim
    name: str
    role: Role
    lengths: Lengths | None = None


class Shape(Record):
    """The shape of a stream.

    Args:
        axes: in the order in which the tensor has them, the batch left out.
        vocabulary: for a sequence of integers, how many values each can take; None for reals.
    """

    axes: tuple[Axis, ...]
    vocabulary: Dim | None = None

    @property
    def sizes(self) -> tuple[Dim, ...]:
        """The sizes in order."""
        return tuple([axis.size for axis in self.axes])

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.axes)

    @property
    def elements(self) -> Dim:
        """The product of the sizes."""
        product: Dim = 1
        for axis in self.axes:
            product = product * axis.size
        return product

    @property
    def space(self) -> tuple[int, ...]:
        """The positions of the axes that a kernel moves over."""
        return tuple([i for i, axis in enumerate(self.axes) if axis.role == "space"])

    @property
    def features(self) -> int | None:
        """The position of the features axis."""
        return self._only("features")

    @property
    def steps(self) -> int | None:
        """The position of the axis of steps."""
        return self._only("steps")

    @property
    def kind(self) -> str:
        """What readers call it: "vector", "signal", "image", "volume", "sequence", "tokens",
        "sequence of images" and so on, or "tensor" where no name fits."""
        if self.vocabulary is not None:
            return "tokens"
        space = {0: "vector", 1: "signal", 2: "image", 3: "volume"}.get(len(self.space), "tensor")
        if self.features is None:
            return "tensor"
        if self.steps is None:
            return space
        return "sequence" if space == "vector" else f"sequence of {space}s"

    @property
    def padded(self) -> tuple[int, ...]:
        """The positions of the axes with padding."""
        return tuple([i for i, axis in enumerate(self.axes) if axis.lengths is not None])

    def whole(self) -> Shape:
        """The same shape without a word on padding."""
        if not self.padded:
            return self
        return self.replace(axes=tuple([axis.replace(lengths=None) for axis in self.axes]))

    def with_lengths(self, lengths: dict[int, Lengths | None]) -> Shape:
        """The same shape with padding along the axes at the given positions."""
        axes = [
            axis.replace(lengths=lengths[i]) if i in lengths else axis
            for i, axis in enumerate(self.axes)
        ]
        return self.replace(axes=tuple(axes))

    def find(self, name: str) -> int | None:
        """The position of the axis of that name."""
        return next((i for i, axis in enumerate(self.axes) if axis.name == name), None)

    def locate(self, name: str) -> int | None:
        """The position of the axis that a file calls so: the one of that name, else `c` is the axis
        of features, `t` the axis of steps and `h w d l` those of space, whatever a pattern called
        them. None where there is no such axis, or several of the name."""
        named = [i for i, axis in enumerate(self.axes) if axis.name == name]
        if len(named) == 1:
            return named[0]
        places = {"c": self.features, "t": self.steps}
        if len(self.space) in _SPACE_NAMES:
            places |= dict(zip(space_names(len(self.space)), self.space, strict=True))
        return places.get(name)

    def with_sizes(self, changes: dict[int, Dim]) -> Shape:
        """The same axes with other sizes at the given positions."""
        axes = [a.replace(size=changes[i]) if i in changes else a for i, a in enumerate(self.axes)]
        return self.replace(axes=tuple(axes))

    def _only(self, role: Role) -> int | None:
        found = [i for i, axis in enumerate(self.axes) if axis.role == role]
        return found[0] if len(found) == 1 else None

    def __str__(self) -> str:
        if len(self.axes) == 1:
            return f"({self.axes[0].size})"
        return "(" + ", ".join(str(axis.size) for axis in self.axes) + ")"


def vector(c: Dim) -> Shape:
    """A vector of c features."""
    return Shape((Axis(c, "c", "features"),))


def feature_map(c: Dim, *space: Dim) -> Shape:
    """A map of c channels over one, two or three axes of space: a signal, an image, a volume."""
    names = space_names(len(space))
    return Shape(
        (
            Axis(c, "c", "features"),
            *[Axis(size, name, "space") for size, name in zip(space, names, strict=True)],
        )
    )


def space_names(rank: int) -> tuple[str, ...]:
    """The names of the axes of a map with that many axes of space (1 to 3)."""
    return _SPACE_NAMES[rank]


def sequence(steps: Dim, step: Shape) -> Shape:
    """A sequence of equal steps, each a vector or a map."""
    return Shape((Axis(steps, "t", "steps"), *step.axes))


def tokens(steps: Dim, vocabulary: Dim) -> Shape:
    """A sequence of integers below `vocabulary`."""
    return Shape((Axis(steps, "t", "steps"),), vocabulary)
