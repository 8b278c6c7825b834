"""From tokens to vectors and back: EMBED, UNEMBED, ONEHOT."""

from __future__ import annotations

from typing import ClassVar

from archc import dims
from archc.arguments import FEATURES, FLAG
from archc.arguments import Module as LentModule
from archc.dims import Dim
from archc.op import Example, Expression, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.layouts import article
from archc.shapes import Axis, Shape

__all__ = ["Embedding", "OneHot", "Unembedding"]


def _vocabulary(stream: Shape, operator: str, example: str) -> Dim:
    if stream.vocabulary is not None:
        return stream.vocabulary
    message = f"{operator} needs tokens, got {article(stream)}"
    raise OpError(message, code="needs-tokens", help=f"begin with tokens: `{example}`")


def _with_features(stream: Shape, size: Dim) -> Shape:
    return Shape((*stream.axes, Axis(size, "c", "features")))


class Embedding(Op):
    """A learned vector for each token of the vocabulary.

    Shape: tokens (T) become a sequence (T, d). Cost: vocabulary * d parameters; a look-up computes
    nothing.
    """

    name: ClassVar[str] = "EMBED"
    family: ClassVar[Family] = "embedding"
    foreign: ClassVar[tuple[str, ...]] = ("Embedding", "EmbeddingBag", "Embeddings", "Lookup")

    d: Dim = argument("the number of features", FEATURES)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("TOKENS(13, 65) -> EMBED(7)", "(13, 7)", 455),
        Example("TOKENS(5, 50257) -> EMBED(768)", "(5, 768)", 38597376),
    )

    def infer(self, *inputs: Shape) -> Shape:
        _vocabulary(inputs[0], self.name, f"TOKENS(T, 50257) -> EMBED({self.d})")
        return _with_features(inputs[0], self.d)

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        example = f"TOKENS(T, 50257) -> EMBED({self.d})"
        return {"weight": (_vocabulary(inputs[0], self.name, example), self.d)}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Module("nn.Embedding", self.parameters(*inputs)["weight"])


_ONE_HOT = '''class OneHot(nn.Module):
    """A vector for each token (..., T): one at the token's place, zero elsewhere."""

    one: Tensor

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        # Has the type of the weights, whatever that becomes.
        self.register_buffer("one", torch.ones(()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.one_hot(x, self.vocabulary).to(self.one.dtype)
'''


class OneHot(Op):
    """A vector for each token: one at the token's place, zero elsewhere.

    Shape: tokens (T) become a sequence (T, vocabulary). Cost: none.
    """

    name: ClassVar[str] = "ONEHOT"
    family: ClassVar[Family] = "embedding"
    differentiable: ClassVar[bool] = False
    foreign: ClassVar[tuple[str, ...]] = ("one_hot", "OneHotEncoding", "CategoryEncoding")

    examples: ClassVar[tuple[Example, ...]] = (
        Example("TOKENS(13, 65) -> ONEHOT", "(13, 65)"),
        Example("TOKENS(13, 65) -> ONEHOT -> FC(7)", "(13, 7)", 462, 5915),
    )

    def infer(self, *inputs: Shape) -> Shape:
        size = _vocabulary(inputs[0], self.name, "TOKENS(T, 65) -> ONEHOT")
        return _with_features(inputs[0], size)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Module("OneHot", (outputs[0].sizes[-1],), helper=(("OneHot", _ONE_HOT),))


_UNEMBEDDING = '''class Unembedding(nn.Module):
    """Scores each token of a vocabulary by the table that embeds it, plus a bias."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.linear(x, weight, self.bias)
'''


class Unembedding(Op):
    """Scores for each token of a vocabulary, by the weights of the table that embeds it.

    `table` names an EMBED, by `share` or by `as`; its weights are lent, so they count once.

    Shape: d features become as many as the table's vocabulary has.

    Cost: with `bias=yes` a number for each token; multiply-adds are output elements * d, flops
    twice that, and one more for each output element with a bias.
    """

    name: ClassVar[str] = "UNEMBED"
    family: ClassVar[Family] = "embedding"
    foreign: ClassVar[tuple[str, ...]] = (
        "TiedLinear",
        "LMHead",
        "ReversibleEmbedding",
        "Unembedding",
    )

    table: str = argument("the name of the EMBED whose weights it uses", LentModule())
    bias: bool = argument("whether a learned number is added to each score", FLAG, False)
    # Set by lowering from the module that `table` names: its number of tokens and of features.
    vocabulary: Dim | None = None
    width: Dim | None = None

    examples: ClassVar[tuple[Example, ...]] = (
        Example("TOKENS(13, 65) -> EMBED(7) as e -> UNEMBED(e)", "(13, 65)", 455, 5915),
        Example("TOKENS(13, 65) -> EMBED(7) as e -> UNEMBED(e, bias=yes)", "(13, 65)", 520, 5915),
    )

    def infer(self, *inputs: Shape) -> Shape:
        if self.vocabulary is None:
            raise ValueError("UNEMBED is inferred before its table is known")
        stream = inputs[0]
        if stream.vocabulary is not None or stream.features != stream.rank - 1:
            message = f"{self.name} needs a vector or a sequence of vectors, got {article(stream)}"
            raise OpError(message, code="needs-features")
        if self.width is not None and dims.same(stream.sizes[-1], self.width) is not True:
            message = f"{self.name} needs the {self.width} features of {self.table}, got {stream}"
            raise OpError(message, help=f"`FC({self.width}) -> UNEMBED({self.table})`")
        return stream.with_sizes({stream.rank - 1: self.vocabulary})

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        if not self.bias or self.vocabulary is None:
            return {}
        return {"bias": (self.vocabulary,)}

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return outputs[0].elements * inputs[0].sizes[-1]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 2 * self.macs(inputs, outputs) + (outputs[0].elements if self.bias else 0)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        if not self.bias:
            return Expression("F.linear({0}, {table}.weight)")
        return Module(
            "Unembedding",
            (outputs[0].sizes[-1],),
            call="{module}({0}, {table}.weight)",
            helper=(("Unembedding", _UNEMBEDDING),),
        )
