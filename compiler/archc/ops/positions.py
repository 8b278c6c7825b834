"""Where a step stands in its sequence: POSENC, POSEMBED and ROPE."""

from __future__ import annotations

from typing import ClassVar

from archc import dims
from archc.arguments import Real, Whole
from archc.continuation import Continuation
from archc.dims import Dim
from archc.op import Example, Expression, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.attention_source import ROTATE, ROTATE_FROM
from archc.ops.axes import settled
from archc.ops.layouts import article
from archc.saves import NO_TENSORS, Extra, Saves
from archc.shapes import Shape
from archc.sight import Reach

__all__ = [
    "ROTATED", "PositionEmbedding", "PositionalEncoding", "RotaryPositions", "sequence_sizes",
]  # fmt: skip

# A turned feature is two products and their sum.
ROTATED = 3


def sequence_sizes(stream: Shape, operator: str) -> tuple[Dim, Dim]:
    """The steps and the features of a sequence of vectors, axes in front left out.

    Raises:
        OpError: needs-sequence, where the last two axes are not steps and features.
    """
    vectors = stream.vocabulary is None and not stream.space and stream.steps is not None
    if not vectors or stream.features != stream.rank - 1 or stream.steps != stream.rank - 2:
        message = f"{operator} needs a sequence of vectors, got {article(stream)}"
        raise OpError(message, code="needs-sequence", help=_way_to_a_sequence(stream, operator))
    return stream.sizes[-2], stream.sizes[-1]


def _way_to_a_sequence(stream: Shape, operator: str) -> str | None:
    if stream.vocabulary is not None:
        return f"`EMBED(64) -> {operator}`"
    if stream.kind == "image":
        return f'`RESHAPE("c h w -> (h w) c") -> {operator}`'
    return None


_ENCODING = '''def positional_encoding(x: Tensor, base: float = 10000.0) -> Tensor:
    """Add sinusoidal positions (Vaswani et al. 2017) to a sequence (..., T, C)."""
    steps, features = x.shape[-2:]
    exact = torch.promote_types(x.dtype, torch.float32)
    position = torch.arange(steps, device=x.device, dtype=exact)
    index = torch.arange(0, features, 2, device=x.device, dtype=exact)
    angle = position[:, None] * base ** (-index / features)
    encoding = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-2)
    return x + encoding[:, :features].to(x.dtype)
'''


# The same where a sequence goes on: its first step need not be the first of all.
_ENCODING_FROM = _ENCODING.replace(
    "def positional_encoding(x: Tensor, base: float = 10000.0) -> Tensor:",
    "def positional_encoding(x: Tensor, base: float = 10000.0, past: int = 0) -> Tensor:",
).replace("torch.arange(steps,", "torch.arange(past, past + steps,")

_COUNTED = '''def {name}(
    x: Tensor, count: int | None, base: float = 10000.0
) -> tuple[Tensor, int]:
    """{what} the next steps (..., K, C), count steps after the first."""
    past = count or 0
    return {call}(x, base, past), past + x.shape[-2]
'''

_NEXT_ENCODED = _COUNTED.format(
    name="next_encoded", what="Add positions to", call="positional_encoding"
)
_NEXT_ROTATED = _COUNTED.format(name="next_rotated", what="Turn", call="rotate")


class PositionalEncoding(Op):
    """Sinusoidal positions (Vaswani et al. 2017), added to a sequence; nothing is learned or kept.

    Feature 2i of step t gets sin(t / base ** (2i / d)), feature 2i + 1 the cosine.

    Shape: unchanged. Cost: no parameters; flops are one for each element, the sum.
    """

    name: ClassVar[str] = "POSENC"
    family: ClassVar[Family] = "embedding"
    foreign: ClassVar[tuple[str, ...]] = (
        "PositionalEncoding", "PositionEncoding", "SinePositionEncoding", "SinusoidalEmbedding",
    )  # fmt: skip

    base: float = argument("the base of the wavelengths", Real(least=1.0), 10000)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 6) -> POSENC", "(13, 6)"),
        Example("TOKENS(13, 65) -> EMBED(7) -> POSENC(base=500)", "(13, 7)", 455),
    )

    def infer(self, *inputs: Shape) -> Shape:
        sequence_sizes(inputs[0], self.name)
        return inputs[0]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return NO_TENSORS

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        helper = (("positional_encoding", _ENCODING),)
        if self.base == 10000:
            return Expression("positional_encoding({0})", helper=helper)
        values = (("base", float(self.base)),)
        return Expression("positional_encoding({0}, {base})", values, helper=helper)

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        base = "" if self.base == 10000 else ", {base}"
        helper = (("positional_encoding", _ENCODING_FROM), ("next_encoded", _NEXT_ENCODED))
        return Continuation(f"next_encoded({{0}}, {{kept}}{base})", helper)


_POSITIONS = '''class PositionEmbedding(nn.Module):
    """Adds a learned vector for each position to a sequence (..., T, C)."""

    def __init__(self, positions: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(positions, features))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        steps, known = x.shape[-2], self.weight.shape[0]
        if not torch.compiler.is_compiling() and steps > known:
            raise ValueError(f"{known} positions are learned, got {steps} steps")
        return x + self.weight[:steps]
'''


_POSITIONS_STEP = '''
    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """The next steps (..., K, C); the state is how many there were before."""
        first = state or 0
        last, known = first + x.shape[-2], self.weight.shape[0]
        if last > known:
            raise ValueError(f"{known} positions are learned, got {last} steps")
        return x + self.weight[first:last], last
'''


class PositionEmbedding(Op):
    """Learned positions, added to a sequence: one vector for each of the first n steps.

    A sequence may be shorter than n, never longer. Without n it is the number of steps. They start
    normal with a deviation of 0.02, as in GPT-2, BERT and ViT.

    Shape: unchanged. Cost: n * d parameters; flops are one for each element, the sum.
    """

    name: ClassVar[str] = "POSEMBED"
    family: ClassVar[Family] = "embedding"
    foreign: ClassVar[tuple[str, ...]] = (
        "PositionEmbedding", "PositionalEmbedding", "LearnedPositionalEmbedding",
    )  # fmt: skip

    n: Dim | None = argument(
        "the number of positions", Whole(least=1, features=True), None, shown="T"
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 6) -> POSEMBED(17)", "(13, 6)", 102),
        Example("SEQUENCE(13, 6) -> POSEMBED", "(13, 6)", 78),
    )

    def infer(self, *inputs: Shape) -> Shape:
        steps, _ = sequence_sizes(inputs[0], self.name)
        if self.n is None and not isinstance(steps, int):
            message = f"{self.name} needs its number of positions, since the steps are {steps}"
            raise OpError(message, code="undecided", help="`POSEMBED(1024)`")
        if self.n is not None and dims.less(self.n, steps):
            message = f"{self.name} has {self.n} positions, and {inputs[0]} has {steps} steps"
            raise OpError(message, help=f"`POSEMBED({steps})`")
        return inputs[0]

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        steps, features = sequence_sizes(inputs[0], self.name)
        return {"weight": (steps if self.n is None else self.n, features)}

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return NO_TENSORS

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        sizes = self.parameters(*inputs)["weight"]
        return Module("PositionEmbedding", sizes, helper=(("PositionEmbedding", _POSITIONS),))

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        helper = (("PositionEmbedding", _POSITIONS + _POSITIONS_STEP),)
        return Continuation("{module}.step({0}, {kept})", helper)


class RotaryPositions(Op):
    """Rotary positions (Su et al. 2021): turns pairs of features by an angle that the step decides.

    Feature i and feature i + d / 2 of step t turn by t / base ** (2i / d), so that the product of a
    query and a key depends on how far they are apart.

    Shape: unchanged, with an even number of features. Cost: no parameters; flops are three an
    element.
    """

    name: ClassVar[str] = "ROPE"
    family: ClassVar[Family] = "attention"
    foreign: ClassVar[tuple[str, ...]] = ("RotaryEmbedding", "RotaryPositionalEmbeddings", "RoPE")

    base: float = argument("the base of the wavelengths", Real(least=1.0), 10000)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 6) -> ROPE", "(13, 6)"),
        Example('SEQUENCE(13, 30) -> RESHAPE("t (h d) -> h t d", h=5) -> ROPE(500)', "(5, 13, 6)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        _, features = sequence_sizes(inputs[0], self.name)
        undecided = f"{self.name} turns pairs, and whether {features} is even is not known"
        if not settled(dims.same(features % 2, 0), undecided):
            message = f"{self.name} turns pairs of features, got {inputs[0]}"
            raise OpError(message, code="not-divisible")
        return inputs[0]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return ROTATED * inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        half = inputs[0].sizes[-2] * (inputs[0].sizes[-1] // 2)
        return Saves(extras=(Extra(2 * half, batched=False),))

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return {}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        helper = (("rotate", ROTATE),)
        if self.base == 10000:
            return Expression("rotate({0})", helper=helper)
        return Expression("rotate({0}, {base})", (("base", float(self.base)),), helper=helper)

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        base = "" if self.base == 10000 else ", {base}"
        helper = (("rotate", ROTATE_FROM), ("next_rotated", _NEXT_ROTATED))
        return Continuation(f"next_rotated({{0}}, {{kept}}{base})", helper)
