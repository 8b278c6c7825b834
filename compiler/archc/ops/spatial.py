"""Operators that change or move the positions of a map: UPSAMPLE, PAD, CROP, SHUFFLE, ROLL."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import COUNT, FLAG, AxisNames, Number, Offsets, Pad, Sizes, Words
from archc.dims import Dim, less
from archc.op import Constant, Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import AxisName, find_axes, require_reals, settled, torch_dim
from archc.ops.layouts import Layout, article, divisible, layout
from archc.shapes import Shape

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}

Keywords = tuple[tuple[str, Constant], ...]


class _Shaping(Op):
    """Base of operators that only move elements about: they cost nothing."""

    family: ClassVar[Family] = "shape"

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 0


def per_axis(operator: str, argument_name: str, value: Any, rank: int) -> tuple[Any, ...]:
    """One value for each axis: a single one holds for all.

    Raises:
        OpError: "argument-value" when the tuple has another length.
    """
    if not isinstance(value, tuple):
        return (value,) * rank
    if len(value) != rank:
        axes = "1 axis" if rank == 1 else f"{rank} axes"
        raise OpError(
            f"{argument_name} of {operator} names {len(value)} axes, and the input has {axes}",
            code="argument-value",
        )
    return value


def _placed(operator: str, shape: Shape) -> Layout:
    require_reals(operator, shape)
    return layout(shape, operator)


def _named(keywords: Keywords) -> str:
    return "".join(f", {name}={{{name}}}" for name, _ in keywords)


class Upsample(_Shaping):
    """Makes a map larger by whole factors; on a sequence of vectors it works along the steps.

    mode=linear interpolates along every axis, and bilinear and trilinear are other names for it;
    with corners=yes the corner positions of both maps coincide. mode=bicubic is for images. Cost:
    nearest costs nothing; linear over n axes counts 2**(n+1) - 1 operations for each element of the
    output (its 2**n neighbours, weighted and added), bicubic 31.
    """

    name: ClassVar[str] = "UPSAMPLE"
    foreign: ClassVar[tuple[str, ...]] = (
        "Upsample", "UpSampling2D", "UpSampling1D", "UpSampling3D", "Interpolate", "Resize",
        "Unpool",
    )  # fmt: skip
    scale: Any = argument("how many times larger, for each axis", Sizes(), 2)
    mode: str = argument(
        "nearest, linear (bilinear, trilinear) or bicubic",
        Words(words=("nearest", "linear", "bilinear", "trilinear", "bicubic")),
        "nearest",
    )
    corners: bool = argument("align the corner positions (linear and bicubic)", FLAG, False)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> UPSAMPLE", output="(3, 10, 14)"),
        Example("INPUT(3, 5, 7) -> UPSAMPLE((2, 3), mode=bilinear)", output="(3, 10, 21)"),
        Example(
            "INPUT(2, 3, 5, 7) -> UPSAMPLE(2, mode=linear, corners=yes)", output="(2, 6, 10, 14)"
        ),
        Example("SEQUENCE(11, 13) -> UPSAMPLE(3)", output="(33, 13)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        place = _placed(self.name, inputs[0])
        if self.mode == "bicubic" and place.rank != 2:
            raise OpError(
                f"mode=bicubic is for images, got {article(inputs[0])}",
                code="argument-value",
                help="UPSAMPLE(2, mode=linear)",
            )
        if self.corners and self.mode == "nearest":
            raise OpError(
                "corners=yes needs a mode that interpolates, and mode is nearest",
                code="argument-value",
                help="UPSAMPLE(2, mode=linear, corners=yes)",
            )
        scale = per_axis(self.name, "scale", self.scale, place.rank)
        sizes = [size * factor for size, factor in zip(place.sizes, scale, strict=True)]
        return place.output(place.channels, sizes)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        if self.mode == "nearest":
            return 0
        rank = layout(inputs[0], self.name).rank
        neighbours = 16 if self.mode == "bicubic" else int(2**rank)
        return (2 * neighbours - 1) * outputs[0].elements

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        rank = layout(inputs[0], self.name).rank
        return {"scale": list(per_axis(self.name, "scale", self.scale, rank))}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name)
        scale = self.scale if isinstance(self.scale, int) else tuple(self.scale)
        keywords: Keywords = (("scale_factor", scale),)
        if self.mode != "nearest":
            mode = "bicubic" if self.mode == "bicubic" else _LINEAR[place.rank]
            keywords = (*keywords, ("mode", mode))
        if self.corners:
            keywords = (*keywords, ("align_corners", True))
        call = place.folded(f"F.interpolate({{x}}{_named(keywords)})")
        return Expression(call, (*keywords, *place.values))


class Padding(_Shaping):
    """Adds positions around a map, or before and after the steps of a sequence of vectors.

    `PAD(1)` adds one on every side, `PAD((1, 2))` one above and below and two left and right,
    `PAD(((0, 1), 2))` names the two sides of an axis. The new positions hold `value`, or with
    mode=reflect, replicate or circular what the map holds. Costs nothing.
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
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> PAD(1)", output="(3, 7, 9)"),
        Example("INPUT(3, 5, 7) -> PAD(((0, 1), 2), mode=reflect)", output="(3, 6, 11)"),
        Example("SEQUENCE(11, 13) -> PAD(((2, 0),), value=-1)", output="(13, 13)"),
    )

    def _sides(self, place: Layout) -> list[tuple[int, int]]:
        sizes = per_axis(self.name, "sizes", self.sizes, place.rank)
        return [size if isinstance(size, tuple) else (size, size) for size in sizes]

    def infer(self, *inputs: Shape) -> Shape:
        place = _placed(self.name, inputs[0])
        if self.value != 0 and self.mode != "zeros":
            raise OpError(
                f"value={self.value} has no effect with mode={self.mode}", code="argument-value"
            )
        sides = self._sides(place)
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
        ):
            return
        raise OpError(
            f"a {self.mode} pad of {most} does not fit a size of {size}", code="argument-value"
        )

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name)
        # F.pad takes the last axis first.
        flat = tuple([side for pair in reversed(self._sides(place)) for side in pair])
        keywords: Keywords = ()
        if self.mode != "zeros":
            keywords = (("mode", self.mode),)
        elif self.value != 0:
            keywords = (("value", self.value),)
        values = (("pad", flat), *keywords)
        if self.mode != "zeros":
            call = place.folded(f"F.pad({{x}}, {{pad}}{_named(keywords)})")
            return Expression(call, (*values, *place.values))
        if place.transposed:
            values = (("pad", (0, 0, *flat)), *keywords)
        return Expression(f"F.pad({{0}}, {{pad}}{_named(keywords)})", values)


class Crop(_Shaping):
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
        place = _placed(self.name, inputs[0])
        sizes = per_axis(self.name, "size", self.size, place.rank)
        for before, size, start in zip(place.sizes, sizes, self._starts(place), strict=True):
            unknown = f"whether {size} positions from {start} on lie within {before} is not known"
            if settled(less(before, start + size), unknown):
                at = "" if self.offset is None else f" at {start}"
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


class Shuffle(_Shaping):
    """Mixes the channels of groups: the features, as groups by members, are transposed.

    Zhang et al. 2017 (ShuffleNet), after a grouped convolution. Costs nothing.
    """

    name: ClassVar[str] = "SHUFFLE"
    foreign: ClassVar[tuple[str, ...]] = ("ChannelShuffle", "channel_shuffle")
    groups: Dim = argument("the number of groups", COUNT)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(6, 5, 7) -> SHUFFLE(3)", output="(6, 5, 7)"),
        Example("SEQUENCE(11, 12) -> SHUFFLE(4)", output="(11, 12)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        shape = inputs[0]
        if shape.features is None:
            raise OpError(f"SHUFFLE needs channels, got {article(shape)}", code="needs-features")
        divisible(shape.axes[shape.features].size, self.groups, "channels", self.name)
        return shape

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        dim = (inputs[0].features or 0) + 1
        values: Keywords = (("groups", self.groups), ("dim", dim), ("next", dim + 1))
        call = (
            "{0}.unflatten({dim}, ({groups}, -1)).transpose({dim}, {next}).flatten({dim}, {next})"
        )
        return Expression(call, values)


class Roll(_Shaping):
    """Moves all positions along an axis, round the end: `ROLL(-3, axis=(h, w))`.

    One shift holds for all axes that are named; a tuple gives one for each. Costs nothing.
    """

    name: ClassVar[str] = "ROLL"
    foreign: ClassVar[tuple[str, ...]] = ("roll", "CyclicShift")
    shift: Any = argument("how many positions forward, or back where negative", Offsets())
    axis: AxisName | tuple[AxisName, ...] | None = argument(
        "the axes it moves along", AxisNames(nothing=True), None, shown="features"
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> ROLL(-3, axis=(h, w))", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> ROLL(1, axis=t)", output="(11, 13)"),
        Example("INPUT(3, 5, 7) -> ROLL((1, 2), axis=(w, h))", output="(3, 5, 7)"),
    )

    def _moves(self, shape: Shape) -> list[tuple[int, int]]:
        """The positions of the axes with their shifts."""
        named = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        shifts = per_axis(self.name, "shift", self.shift, len(named))
        find_axes(self.name, shape, self.axis)
        positions = [find_axes(self.name, shape, axis)[0] for axis in named]
        return sorted(zip(positions, shifts, strict=True))

    def infer(self, *inputs: Shape) -> Shape:
        self._moves(inputs[0])
        return inputs[0]

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        moves = self._moves(inputs[0])
        if len(moves) == 1:
            position, shift = moves[0]
            values: Keywords = (("shift", shift), ("dim", torch_dim(inputs[0], position)))
            return Expression("{0}.roll({shift}, {dim})", values)
        values = (
            ("shifts", tuple([shift for _, shift in moves])),
            ("dims", tuple([position + 1 for position, _ in moves])),
        )
        return Expression("{0}.roll({shifts}, {dims})", values)
