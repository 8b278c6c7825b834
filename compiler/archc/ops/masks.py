"""What stands between the scores and the softmax of attention as an equation: MASK and RELPOS."""

from __future__ import annotations

from typing import Any, ClassVar

from archc import dims
from archc.arguments import Perhaps, Sizes, Words
from archc.continuation import NotInSteps
from archc.dims import Dim
from archc.op import Constant, Example, Expression, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.axes import require_reals
from archc.ops.grids import (
    GRID,
    NEIGHBOURS,
    RELATIVE_BIAS,
    grid_of,
    positions,
    shifts_of,
    windows_of,
)
from archc.ops.layouts import spell
from archc.padding import Padded, handed_on
from archc.saves import NO_TENSORS, Extra, Saves
from archc.shapes import Shape
from archc.sight import Reach

__all__ = ["Mask", "RelativePositions"]

_CAUSAL = '''def causal_mask(scores: Tensor) -> Tensor:
    """Minus infinity where a step of the queries (rows) would see a later key (columns)."""
    seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device)
    return scores.masked_fill(~seen.tril(), float("-inf"))
'''

_WINDOW = '''def window_mask(scores: Tensor, window: int) -> Tensor:
    """Minus infinity where a query (rows) and a key (columns) are window steps apart."""
    near = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device)
    return scores.masked_fill(~near.triu(1 - window).tril(window - 1), float("-inf"))
'''

_SHIFTED = '''def shifted_mask(
    scores: Tensor, grid: tuple[int, ...], shift: tuple[int, ...]
) -> Tensor:
    """Minus infinity in scores (B, *windows, ..., T, T) between what rolling joined."""
    return scores.masked_fill(~neighbours(scores, grid, shift), float("-inf"))
'''


def _square(operator: str, scores: Shape, what: str) -> Dim:
    """The steps of scores of queries by as many keys."""
    require_reals(operator, scores)
    equal = scores.rank > 1 and dims.same(scores.sizes[-2], scores.sizes[-1])
    if equal is not True:
        message = f"{operator} needs scores of queries by as many keys, got {scores}"
        raise OpError(message, help=f"scores are `{{ q @ k' }} -> {what} -> SOFTMAX`")
    return scores.sizes[-1]


# What each sort takes, and how it is written.
_TAKEN = {"causal": (), "window": ("size",), "shifted": ("size", "grid")}
_WRITTEN = {
    "causal": "`MASK(causal)`",
    "window": "`MASK(window, 3)`",
    "shifted": "`MASK(shifted, 3, grid=(7, 7))`",
}


class Mask(Op):
    """Hides scores of attention: minus infinity, which SOFTMAX makes a weight of zero.

    `causal` hides the keys (last axis) that come after the query (the axis in front of it).
    `MASK(window, n)` hides those n steps away or more, to either side. `MASK(shifted, n, grid=...)`
    is for windows of a map that was rolled back by n: the first axes say how many windows there are
    along each axis of the grid, and in the last ones a position does not see those that were rolled
    round the end (Liu et al. 2021). Masks behind one another hide what any of them hides.

    Shape: unchanged, with as many keys as queries. Cost: none.
    """

    name: ClassVar[str] = "MASK"
    family: ClassVar[Family] = "attention"
    foreign: ClassVar[tuple[str, ...]] = ("CausalMask", "Masking", "masked_fill", "tril")

    what: str = argument("what is hidden", Words(words=("causal", "window", "shifted")), "causal")
    size: Any = argument(
        "how many steps a window has to either side, or how far the map was rolled back",
        Perhaps(of=Sizes(least=0)),
        None,
        shown="none",
    )
    grid: Any = argument(
        "the sizes of a window whose positions the steps are", GRID, None, shown="T"
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(7, 5) -> { ID @ ID' } -> MASK(causal) -> SOFTMAX", "(7, 7)", macs=245),
        Example("SEQUENCE(7, 5) -> { ID @ ID' } -> MASK(window, 3) -> SOFTMAX", "(7, 7)", macs=245),
        Example(
            'INPUT(5, 6, 10) -> RESHAPE("c (m a) (n b) -> m n (a b) c", a=3, b=5) -> { ID @ ID\' }'
            " -> MASK(shifted, (1, 2), grid=(3, 5)) -> SOFTMAX",
            "(2, 2, 15, 15)",
            macs=4500,
        ),
    )

    def infer(self, *inputs: Shape) -> Shape:
        steps = _square(self.name, inputs[0], f"MASK({self.what})")
        self._check_arguments()
        if self.what == "shifted":
            grid = grid_of(self.name, self.grid, steps)
            shifts_of(self.name, self.size, grid)
            windows_of(self.name, inputs[0], grid)
        return inputs[0]

    def _check_arguments(self) -> None:
        given = {"size": self.size, "grid": self.grid}
        problem = ""
        for name, value in given.items():
            if value is not None and name not in _TAKEN[self.what]:
                problem = f"takes no {name}"
        if self.what != "causal" and self.size is None:
            problem = "needs a size"
        elif self.what == "window" and (not isinstance(self.size, int) or self.size < 1):
            problem = f"takes a whole number of at least 1, found {spell(self.size)}"
        if problem:
            message = f"MASK({self.what}) {problem}"
            raise OpError(message, code="argument-value", help=_WRITTEN[self.what])

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        hidden = inputs[0].sizes[-1] * inputs[0].sizes[-2]
        if self.what == "shifted":
            for count in windows_of(self.name, inputs[0], self._grid(inputs[0])):
                hidden = hidden * count
        return Saves(extras=(Extra(hidden, "mask", batched=False),))

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return {}

    def _grid(self, scores: Shape) -> tuple[int, ...]:
        return grid_of(self.name, self.grid, scores.sizes[-1])

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return Padded(handed_on(self.name, (), inputs, outputs))

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> None:
        raise NotInSteps("compares steps with others")

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        if self.what == "causal":
            return Expression("causal_mask({0})", helper=(("causal_mask", _CAUSAL),))
        if self.what == "window":
            values: tuple[tuple[str, Constant], ...] = (("size", self.size),)
            helper = (("window_mask", _WINDOW),)
            return Expression("window_mask({0}, {size})", values, helper=helper)
        grid = self._grid(inputs[0])
        values = (("grid", grid), ("shift", shifts_of(self.name, self.size, grid)))
        both = (("neighbours", NEIGHBOURS), ("shifted_mask", _SHIFTED))
        return Expression("shifted_mask({0}, {grid}, {shift})", values, helper=both)


_RELATIVE = '''class RelativePositions(nn.Module):
    """Adds a learned bias to scores (..., heads, T, T), by how far query and key are apart."""

    def __init__(self, heads: int, grid: tuple[int, ...]) -> None:
        super().__init__()
        self.grid = grid
        self.weight = nn.Parameter(torch.empty(math.prod([2 * n - 1 for n in grid]), heads))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, scores: Tensor) -> Tensor:
        bias = relative_bias(self.weight, self.grid)
        return scores + (bias if scores.dim() > 3 else bias[0])
'''


class RelativePositions(Op):
    """Learned relative positions, added to scores of attention: a number for each distance.

    The table has 2 * size - 1 distances from the query back to the key for each axis of the grid,
    and a column for each head (Shaw et al. 2018, Liu et al. 2021). The heads are the axis in front
    of the queries; scores without it have one head. Without a grid the steps are those of a
    sequence. The table starts normal with a deviation of 0.02.

    Shape: unchanged, with as many keys as queries.

    Cost: the product of 2 * size - 1, times heads, parameters; flops are one for each score, the
    sum.
    """

    name: ClassVar[str] = "RELPOS"
    family: ClassVar[Family] = "attention"
    foreign: ClassVar[tuple[str, ...]] = (
        "RelativePositionBias", "RelativePositionEmbedding", "RelativePosition",
    )  # fmt: skip

    grid: Any = argument(
        "the sizes of the grid whose positions the steps are", GRID, None, shown="T"
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(7, 5) -> { ID @ ID' } -> RELPOS -> SOFTMAX", "(7, 7)", 13, 245),
        Example("SEQUENCE(15, 6) -> { ID @ ID' } -> RELPOS((3, 5))", "(15, 15)", 45, 1350),
    )

    def infer(self, *inputs: Shape) -> Shape:
        grid_of(self.name, self.grid, _square(self.name, inputs[0], self.name))
        return inputs[0]

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        heads = inputs[0].sizes[-3] if inputs[0].rank > 2 else 1
        return {"weight": (positions(self._grid(inputs[0])), heads)}

    def _grid(self, scores: Shape) -> tuple[int, ...]:
        return grid_of(self.name, self.grid, scores.sizes[-1])

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return NO_TENSORS

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return {}

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> None:
        raise NotInSteps("compares steps with others")

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        _, heads = self.parameters(*inputs)["weight"]
        helper = (("relative_bias", RELATIVE_BIAS), ("RelativePositions", _RELATIVE))
        arguments: tuple[Constant, ...] = (heads, self._grid(inputs[0]))
        return Module("RelativePositions", arguments, helper=helper)
