"""UPSAMPLE: a map made larger."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from archc.arguments import FLAG, Sizes, Words
from archc.dims import Dim
from archc.op import Example, Expression, OpError, TorchForm, argument
from archc.ops.axes import per_axis
from archc.ops.layouts import article, layout
from archc.ops.moving import Keywords, Moving
from archc.ops.spatial import named, placed
from archc.shapes import Shape
from archc.sight import UNKNOWN, Reach

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Upsample(Moving):
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
        place = placed(self.name, inputs[0])
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

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        place = layout(inputs[0], self.name)
        scale = per_axis(self.name, "scale", self.scale, place.rank)
        return dict(zip(place.names, [self._reach(factor) for factor in scale], strict=True))

    def _reach(self, factor: int) -> Reach:
        if factor == 1:
            return Reach()
        if self.corners:
            return UNKNOWN  # where neighbours stand depends on the size of the map
        if self.mode == "nearest":
            return Reach(Fraction(1 - factor, factor), 0, Fraction(1, factor))
        around = 1 if self.mode == "bicubic" else 0
        first = [(2 * i + 1 - factor) // (2 * factor) - Fraction(i, factor) for i in range(factor)]
        return Reach(min(first) - around, max(first) + 1 + around, Fraction(1, factor))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name)
        scale = self.scale if isinstance(self.scale, int) else tuple(self.scale)
        keywords: Keywords = (("scale_factor", scale),)
        if self.mode != "nearest":
            mode = "bicubic" if self.mode == "bicubic" else _LINEAR[place.rank]
            keywords = (*keywords, ("mode", mode))
        if self.corners:
            keywords = (*keywords, ("align_corners", True))
        call = place.folded(f"F.interpolate({{x}}{named(keywords)})")
        return Expression(call, (*keywords, *place.values))
