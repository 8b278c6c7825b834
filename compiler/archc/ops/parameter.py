"""What `param` and numbers in a bundle become: streams that nothing flows into."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import COUNT, REAL, Words
from archc.dims import Dim
from archc.op import Expression, Family, Module, Op, TorchForm, argument
from archc.shapes import Axis, Shape, feature_map, sequence, vector

__all__ = ["Learned", "NumberStream"]


class Learned(Op):
    """A learned stream: `param cls = (1, d)`, zero at the start or as `init` says.

    One size is a vector, two are a sequence (steps, features), three an image, four a volume.
    """

    name: ClassVar[str] = "PARAM"
    family: ClassVar[Family] = "embedding"
    inputs: ClassVar[tuple[int, int | None]] = (0, 0)
    internal: ClassVar[bool] = True
    sizes: tuple[int, ...] = argument("the sizes", COUNT, rest=True)
    init: str = argument(
        "how it starts", Words(words=("zeros", "ones", "normal", "uniform")), "zeros"
    )
    scale: float = argument("the deviation of normal, the bound of uniform", REAL, 1.0)

    def infer(self, *inputs: Shape) -> Shape:
        if len(self.sizes) == 1:
            return vector(self.sizes[0])
        if len(self.sizes) == 2:
            return sequence(self.sizes[0], vector(self.sizes[1]))
        if len(self.sizes) <= 4:
            return feature_map(*self.sizes)
        return Shape(tuple([Axis(s, f"a{i}", "carried") for i, s in enumerate(self.sizes)]))

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        return {"": self.sizes}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        rest = ", ".join(["-1"] * len(self.sizes))
        plain = self.init in ("zeros", "ones")
        return Module(
            _STARTS[self.init],
            self.sizes,
            call=f"{{module}}.expand({{batch}}, {rest})",
            values=() if plain else (("scale", self.scale),),
        )


# `{*}` stands for the sizes, `{scale}` for the scale.
_STARTS = {
    "zeros": "nn.Parameter(torch.zeros({*}))",
    "ones": "nn.Parameter(torch.ones({*}))",
    "normal": "nn.Parameter({scale} * torch.randn({*}))",
    "uniform": "nn.Parameter({scale} * (2 * torch.rand({*}) - 1))",
}


class NumberStream(Op):
    """A number that stands in a bundle as a stream of its own: a scalar that reaches everywhere."""

    name: ClassVar[str] = "NUMBER"
    family: ClassVar[Family] = "elementwise"
    inputs: ClassVar[tuple[int, int | None]] = (0, 0)
    internal: ClassVar[bool] = True
    value: float = argument("the number", REAL)

    def infer(self, *inputs: Shape) -> Shape:
        return Shape(())

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{value}", (("value", self.value),))
