"""Operators that act in training only, and noise."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import Real
from archc.op import Constant, Example, Family, Module, Op, TorchForm, argument
from archc.ops.axes import require_reals
from archc.saves import NO_TENSORS, Extra, Saves
from archc.shapes import Shape

PROBABILITY = Real(least=0, most=1)

_DROP_PATH = '''\
class DropPath(nn.Module):
    """Stochastic depth: in training, drops whole samples of a residual branch."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return torch.zeros_like(x)
        keep = 1 - self.p
        mask = x.new_empty((x.shape[0],) + (1,) * (x.dim() - 1)).bernoulli_(keep)
        return x * mask / keep
'''

_NOISE = '''\
class Noise(nn.Module):
    """Standard normal noise of the shape of its input in training, zero otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.randn_like(x) if self.training else torch.zeros_like(x)
'''


class _Regularisation(Op):
    """Base: the shape stays; nothing is computed outside training, so nothing is counted."""

    family: ClassVar[Family] = "regularisation"

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        return inputs[0]


class Dropout(_Regularisation):
    """In training, sets each element to zero with probability p and scales up the rest.

    Costs nothing outside training, and none of it is counted.
    """

    name: ClassVar[str] = "DROPOUT"
    foreign: ClassVar[tuple[str, ...]] = ("Dropout1d", "Dropout2d", "Dropout3d", "dropout")
    p: float = argument("probability that an element is dropped", PROBABILITY, 0.5)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> DROPOUT", output="(13)"),
        Example("INPUT(3, 5, 7) -> DROPOUT(0.1)", output="(3, 5, 7)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        if self.p in (0, 1):
            return NO_TENSORS
        return Saves(extras=(Extra(inputs[0].elements, "mask"),))

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return not training

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        arguments: tuple[Constant, ...] = () if self.p == 0.5 else (self.p,)
        return Module("nn.Dropout", arguments)


class DropPath(_Regularisation):
    """Stochastic depth: in training, drops a residual branch for whole samples, Huang et al. 2016.

    A sample is dropped with probability p, and the rest is divided by 1 - p. It stands last in the
    branch: `{ ID + FC(x.c) -> DROPPATH(0.1) }`. Costs nothing outside training, none of it is
    counted.
    """

    name: ClassVar[str] = "DROPPATH"
    foreign: ClassVar[tuple[str, ...]] = ("StochasticDepth", "drop_path", "DropConnect")
    p: float = argument("probability that a sample is dropped", PROBABILITY, 0.1)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> DROPPATH", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> DROPPATH(0.2)", output="(11, 13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return NO_TENSORS if self.p in (0, 1) else Saves(extras=(Extra(1),))

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return not training or self.p == 0

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Module("DropPath", (self.p,), helper=(("DropPath", _DROP_PATH),))


class Noise(_Regularisation):
    """Standard normal noise of the shape that flows in; zero outside training.

    A variational autoencoder's sample is `mu + sigma * (mu -> NOISE)`. Nothing of it is counted.
    """

    name: ClassVar[str] = "NOISE"
    differentiable: ClassVar[bool] = False
    foreign: ClassVar[tuple[str, ...]] = ("GaussianNoise", "randn", "randn_like")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> NOISE", output="(13)"),
        Example("INPUT(3, 5, 7) -> { ID + NOISE * 0.1 }", output="(3, 5, 7)"),
    )

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Module("Noise", helper=(("Noise", _NOISE),))
