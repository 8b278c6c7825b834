"""Operators that add positions to a map or take some away: PAD, CROP."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import AxisNames, Number, Pad, Sizes, Words
from archc.dims import Dim, less
from archc.op import Constant, Example, Expression, OpError, TorchForm, argument
from archc.ops.axes import find_axes, find_axis, per_axis, require_reals, settled
from archc.ops.layouts import Layout, layout
from archc.ops.moving import Keywords, Moving
from archc.saves import NO_TENSORS, Saves
from archc.shapes import Shape
from archc.sight import UNKNOWN, Reach


def placed(operator: str, shape: Shape) -> Layout:
    require_reals(operator, shape)
    return layout(shape, operator)


def named(keywords: Keywords) -> str:
    return "".join(f", {name}={{{name}}}" for name, _ in keywords)


class Padding(Moving):
    """Adds positions around a map, or before and after the steps of a sequence of vectors.

    `PAD(1)` adds one on every side, `PAD((1, 2))` one above and below and two left and right,
    `PAD(((0, 1), 2))` names the two sides of an axis. `axis` names other axes than those of space:
    `PAD(((0, 64),), axis=c)` adds 64 channels behind the others. The new positions hold `value`, or
    with mode=reflect, replicate or circular what the map holds. Costs nothing.
    """

    name: ClassVar[str] = "PAD"
    foreign: ClassVar[tuple[str, ...]] = (
        "ZeroPad2d", "ZeroPadding2D", "ZeroPadding1D", "ConstantPad2d", "ReflectionPad2d",
        "ReplicationPad2d", "Padding",
    )  # fmt: skip
    sizes: Any = argument(
        "how much is added: one number, one for each axis, or (before, after)", Pad()
    )
    value: Any = argument("what the new positions hold", Number(), 0)
    mode: str = argument(
        "zeros, reflect, replicate or circular",
        Words(words=("zeros", "reflect", "replicate", "circular")),
        "zeros",
    )
    axis: Any = argument("which axes grow", AxisNames(nothing=True), None, shown="those of space")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> PAD(1)", output="(3, 7, 9)"),
        Example("INPUT(3, 5, 7) -> PAD(((0, 2),), axis=c)", output="(5, 5, 7)"),
        Example("INPUT(3, 5, 7) -> PAD(((0, 1), 2), mode=reflect)", output="(3, 6, 11)"),
        Example("SEQUENCE(11, 13) -> PAD(((2, 0),), value=-1)", output="(13, 13)"),
    )

    def _sides(self, rank: int) -> list[tuple[int, int]]:
        sizes = per_axis(self.name, "sizes", self.sizes, rank)
        return [size if isinstance(size, tuple) else (size, size) for size in sizes]

    def _along_axes(self, shape: Shape) -> dict[int, tuple[int, int]]:
        """The two sides of each axis that `axis` names."""
        require_reals(self.name, shape)
        if self.mode != "zeros":
            message = f"mode={self.mode} pads the axes of space; axis goes with zeros or a value"
            raise OpError(message, code="argument-value")
        find_axes(self.name, shape, self.axis)
        named = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        positions = [find_axis(self.name, shape, axis) for axis in named]
        return dict(zip(positions, self._sides(len(positions)), strict=True))

    def infer(self, *inputs: Shape) -> Shape:
        if self.axis is not None:
            sides_of = self._along_axes(inputs[0])
            grown = {i: inputs[0].sizes[i] + b + a for i, (b, a) in sides_of.items()}
            return inputs[0].with_sizes(grown)
        place = placed(self.name, inputs[0])
        if self.value != 0 and self.mode != "zeros":
            raise OpError(
                f"value={self.value} has no effect with mode={self.mode}", code="argument-value"
            )
        sides = self._sides(place.rank)
        for size, (before, after) in zip(place.sizes, sides, strict=True):
            self._check(size, max(before, after))
        sizes = [
            size + before + after for size, (before, after) in zip(place.sizes, sides, strict=True)
        ]
        return place.output(place.channels, sizes)

    def _check(self, size: Dim, most: int) -> None:
        # A reflection leaves the border itself out, a circle may go round once.
        limit = {"reflect": size, "circular": size + 1}.get(self.mode)
        if limit is None or settled(
            less(most, limit),
            f"whether a {self.mode} pad of {most} fits a size of {size} is not known",
            f"declare it: `dim {size} >= {most + 1}`" if str(size).isidentifier() else None,
        ):
            return
        raise OpError(
            f"a {self.mode} pad of {most} does not fit a size of {size}", code="argument-value"
        )

    def _torch_along_axes(self, shape: Shape) -> TorchForm:
        sides = self._along_axes(shape)
        around = [sides.get(i, (0, 0)) for i in range(min(sides), shape.rank)]
        flat = tuple([side for pair in reversed(around) for side in pair])
        keywords: Keywords = (("value", self.value),) if self.value != 0 else ()
        return Expression(f"F.pad({{0}}, {{pad}}{named(keywords)})", (("pad", flat), *keywords))

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(inputs=(0,)) if self.mode in ("reflect", "replicate") else NO_TENSORS

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        if self.axis is not None:
            names = inputs[0].axes
            sides = self._along_axes(inputs[0])
            return {names[i].name: Reach(-before, -before) for i, (before, _) in sides.items()}
        place = placed(self.name, inputs[0])
        if self.mode != "zeros":
            return dict.fromkeys(place.names, UNKNOWN)  # the border is seen from both of its sides
        reaches = [Reach(-before, -before) for before, _ in self._sides(place.rank)]
        return dict(zip(place.names, reaches, strict=True))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        if self.axis is not None:
            return self._torch_along_axes(inputs[0])
        place = layout(inputs[0], self.name)
        # F.pad takes the last axis first.
        flat = tuple([side for pair in reversed(self._sides(place.rank)) for side in pair])
        keywords: Keywords = ()
        if self.mode != "zeros":
            keywords = (("mode", self.mode),)
        elif self.value != 0:
            keywords = (("value", self.value),)
        values = (("pad", flat), *keywords)
        if self.mode != "zeros":
            call = place.folded(f"F.pad({{x}}, {{pad}}{named(keywords)})")
            return Expression(call, (*values, *place.values))
        if place.transposed:
            values = (("pad", (0, 0, *flat)), *keywords)
        return Expression(f"F.pad({{0}}, {{pad}}{named(keywords)})", values)


class Crop(Moving):
    """Cuts a map, or the steps of a sequence of vectors, to a size.

    The middle is kept, and where it cannot be exact one position more is cut behind than in front;
    `offset` says instead how many positions are cut in front. Costs nothing.
    """

    name: ClassVar[str] = "CROP"
    foreign: ClassVar[tuple[str, ...]] = ("CenterCrop", "Cropping2D", "Cropping1D", "center_crop")
    size: Any = argument("the size that is left, for each axis", Sizes())
    offset: Any = argument(
        "positions cut in front, for each axis", Sizes(least=0, nothing=True), None, shown="centred"
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 11, 13) -> CROP((5, 8))", output="(3, 5, 8)"),
        Example("INPUT(3, 11, 13) -> CROP(5, offset=(0, 2))", output="(3, 5, 5)"),
        Example("SEQUENCE(11, 13) -> CROP(7)", output="(7, 13)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        place = placed(self.name, inputs[0])
        sizes = per_axis(self.name, "size", self.size, place.rank)
        offsets = per_axis(self.name, "offset", self.offset or 0, place.rank)
        for before, size, start in zip(place.sizes, sizes, offsets, strict=True):
            at = f" at {start}" if start else ""
            unknown = f"whether {size} positions{at} lie within {before} is not known"
            if settled(less(before, start + size), unknown):
                raise OpError(
                    f"cannot crop {inputs[0]} to {size}{at}: the axis has {before} positions",
                    code="argument-value",
                )
        return place.output(place.channels, sizes)

    def _starts(self, place: Layout) -> tuple[Dim, ...]:
        if self.offset is not None:
            return per_axis(self.name, "offset", self.offset, place.rank)
        sizes = per_axis(self.name, "size", self.size, place.rank)
        return tuple(
            [(before - size) // 2 for before, size in zip(place.sizes, sizes, strict=True)]
        )

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return True

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        place = layout(inputs[0], self.name)
        starts = [s if isinstance(s, int) else None for s in self._starts(place)]
        reaches = [UNKNOWN if start is None else Reach(start, start) for start in starts]
        return dict(zip(place.names, reaches, strict=True))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name)
        sizes = per_axis(self.name, "size", self.size, place.rank)
        values: list[tuple[str, Constant]] = []
        slices: list[str] = []
        for i, (start, size) in enumerate(zip(self._starts(place), sizes, strict=True)):
            values += [(f"start{i}", start), (f"stop{i}", start + size)]
            slices.append(f"{{start{i}}}:{{stop{i}}}")
        behind = [":"] if place.transposed else []
        return Expression(f"{{0}}[..., {', '.join([*slices, *behind])}]", tuple(values))
