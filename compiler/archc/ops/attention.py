"""Attention with its projections: ATTENTION."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from archc import dims
from archc.arguments import COUNT, FLAG, Flowing, Perhaps, Real, Sizes, Whole
from archc.continuation import Continuation, NotInSteps
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.attention_source import ROTATE, ROTATE_FROM, attention_class
from archc.ops.axes import require_reals, settled
from archc.ops.grids import (
    GRID,
    NEIGHBOURS,
    RELATIVE_BIAS,
    grid_of,
    positions,
    shifts_of,
    windows_of,
)
from archc.ops.positions import ROTATED, sequence_sizes
from archc.padding import Meeting, Padded
from archc.saves import Extra, Saves
from archc.shapes import Shape

__all__ = ["Attention"]

# Maximum, subtraction, exponential, sum and division, as SOFTMAX counts them.
_SOFTMAX = 5


class Attention(Op):
    """Multi-head attention with its projections (Vaswani et al. 2017), by a fused kernel.

    Each step asks (a query) all steps of the sequence, or those of `kv`, and gets the mean of their
    values weighted by softmax(q @ k' / sqrt(d / heads)). Queries, keys and values are one product.

    With fewer `kv_heads`, groups of heads share keys and values (Ainslie et al. 2023). `causal`
    hides what comes later. `rope` is the base of rotary positions of queries and keys. With
    `window`, a step sees those less than `window` steps away; with `causal` too, the last `window`
    steps, its own among them. `dropout` drops weights of the mean while training.

    The steps may be the positions of a `grid`, such as a window that was cut from a map. `relative`
    adds a learned bias to the scores, for each head and each distance along the axes of the grid.
    `shift` says that the map was rolled back so far before it was cut: the first axes of the stream
    count its windows, and in the last ones nothing sees what was rolled round the end (Liu et al.
    2021).

    Shape: unchanged; the features are a multiple of heads. Queries have T steps, keys S.

    Cost: d * d for the queries and as many for the output, 2 * d_kv * d / heads * kv_heads for keys
    and values, and the biases. Multiply-adds are those of the projections and 2 * T * S * d for the
    two products; a mask saves none. The table of `relative` has heads columns and as many rows as
    there are distances: the product of 2 * size - 1 over the axes of the grid.
    """

    name: ClassVar[str] = "ATTENTION"
    family: ClassVar[Family] = "attention"
    foreign: ClassVar[tuple[str, ...]] = (
        "MultiheadAttention", "MultiHeadAttention", "MHA", "SelfAttention", "CrossAttention",
    )  # fmt: skip

    heads: int = argument("the number of heads", COUNT)
    kv: int | None = argument("the stream of keys and values", Flowing(), None, shown="x")
    kv_heads: int | None = argument(
        "the number of heads of keys and values", Whole(least=1), None, shown="heads"
    )
    causal: bool = argument("whether a step is kept from what comes later", FLAG, False)
    bias: bool = argument("whether the projections have biases", FLAG, True)
    dropout: float = argument("the share of weights that is dropped", Real(least=0.0, most=1.0), 0)
    rope: float | None = argument(
        "the base of rotary positions", Perhaps(of=Real(least=1.0)), None, shown="none"
    )
    window: int | None = argument(
        "how many steps one sees to either side, its own included",
        Perhaps(of=COUNT),
        None,
        shown="none",
    )
    grid: Any = argument(
        "the sizes of the grid whose positions the steps are", GRID, None, shown="T"
    )
    relative: bool = argument("whether scores have a learned bias by distance", FLAG, False)
    shift: Any = argument("how far the map of the windows was rolled back", Sizes(least=0), 0)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(7, 15) -> ATTENTION(3)", "(7, 15)", 960, 7770),
        Example("SEQUENCE(7, 15) -> ATTENTION(5, causal=yes, bias=no)", "(7, 15)", 900, 7770),
        Example(
            "SEQUENCE(7, 24) -> ATTENTION(6, kv_heads=2, rope=500, bias=no)", "(7, 24)", 1536, 13104
        ),
        Example("SEQUENCE(11, 15) -> ATTENTION(3, window=3, dropout=0.1)", "(11, 15)", 960, 13530),
        Example("SEQUENCE(15, 6) -> ATTENTION(2, grid=(3, 5), relative=yes)", "(15, 6)", 258, 4860),
        Example(
            'INPUT(6, 6, 10) -> RESHAPE("c (m a) (n b) -> m n (a b) c", a=3, b=5)'
            " -> ATTENTION(3, grid=(3, 5), relative=yes, shift=(1, 2))",
            "(2, 2, 15, 6)",
            303,
            19440,
        ),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        steps, features = sequence_sizes(inputs[0], self.name)
        keys, _ = sequence_sizes(inputs[-1], self.name)
        self._check_heads(features)
        if inputs[-1].sizes[:-2] != inputs[0].sizes[:-2]:
            message = f"{self.name} needs the axes in front of kv to be those of the queries, got "
            raise OpError(f"{message}{inputs[0]} and {inputs[-1]}")
        if len(inputs) == 2 and self._compares_positions:
            self._check_positions(steps, keys)
        self._check_grid(inputs[0])
        return inputs[0]

    @property
    def _compares_positions(self) -> bool:
        apart = self.rope is not None or self.window is not None
        return self.causal or apart or self.relative or self._shifted

    @property
    def _shifted(self) -> bool:
        return any(self.shift) if isinstance(self.shift, tuple) else self.shift > 0

    def _check_grid(self, queries: Shape) -> None:
        if not (self.relative or self._shifted or self.grid is not None):
            return
        grid = self._grid(queries)
        shifts_of(self.name, self.shift, grid)
        if self._shifted:
            windows_of(self.name, queries, grid)

    def _grid(self, queries: Shape) -> tuple[int, ...]:
        return grid_of(self.name, self.grid, queries.sizes[-2])

    def _check_heads(self, features: Dim) -> None:
        undecided = f"whether {features} features divide into {self.heads} heads is not known"
        if not settled(dims.same(features % self.heads, 0), undecided):
            message = f"{self.name} cannot divide {features} features into {self.heads} heads"
            raise OpError(message, code="not-divisible", help=self._heads_that_fit(features))
        if self.heads % self._kv_heads:
            message = f"{self.heads} heads cannot share {self.kv_heads} of keys and values"
            raise OpError(message, code="not-divisible", help=f"`kv_heads={self.heads}`")
        if self.rope is not None and dims.same(features // self.heads % 2, 0) is False:
            message = f"rope turns pairs of features, and a head has {features // self.heads}"
            raise OpError(message, code="not-divisible")

    def _heads_that_fit(self, features: Dim) -> str | None:
        if not isinstance(features, int):
            return None
        fitting = [n for n in range(1, min(features, 256) + 1) if features % n == 0]
        return f"`{self.name}({min(fitting, key=lambda n: abs(n - self.heads))})`"

    def _check_positions(self, steps: Dim, keys: Dim) -> None:
        equal = dims.same(steps, keys)
        if equal is True:
            return
        named = "causal, rope, window, relative and shift"
        message = f"{named} compare positions, and kv has {keys} steps for {steps}"
        help = "leave them out where `kv` is another sequence"
        raise OpError(message, help=help, code="shape-mismatch" if equal is False else "undecided")

    @property
    def _kv_heads(self) -> int:
        return self.heads if self.kv_heads is None else self.kv_heads

    def _sizes(self, inputs: tuple[Shape, ...]) -> tuple[Dim, Dim, Dim]:
        """The features of the queries, of what keys and values are made of, and of all keys."""
        features = inputs[0].sizes[-1]
        return features, inputs[self._count - 1].sizes[-1], features // self.heads * self._kv_heads

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        features, given, keys = self._sizes(inputs)
        layers: dict[str, tuple[Dim, Dim]] = {"qkv": (features + 2 * keys, features)}
        if self.kv is not None:
            layers = {"q": (features, features), "kv": (2 * keys, given)}
        layers["out"] = (features, features)
        found: dict[str, tuple[Dim, ...]] = {}
        if self.relative:
            found["relative"] = (positions(self._grid(inputs[0])), self.heads)
        for name, (rows, columns) in layers.items():
            found[f"{name}.weight"] = (rows, columns)
            if self.bias:
                found[f"{name}.bias"] = (rows,)
        return found

    def _scores(self, inputs: tuple[Shape, ...]) -> Dim:
        """How many scores a head has: T * S, and axes in front."""
        return inputs[0].elements // inputs[0].sizes[-1] * inputs[self._count - 1].sizes[-2]

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        features, _, keys = self._sizes(inputs)
        queries, pairs = inputs[0].elements * features, inputs[self._count - 1].elements * keys
        return 2 * queries + 2 * pairs + 2 * self._scores(inputs) * features

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        _, given, keys = self._sizes(inputs)
        queries, pairs = inputs[0].elements, inputs[self._count - 1].elements // given * keys
        biases = 2 * queries + 2 * pairs if self.bias else 0
        turned = ROTATED * (queries + pairs) if self.rope is not None else 0
        # One for the division by the root, one for the sum with a bias, the others for the softmax.
        weights = (1 + _SOFTMAX + self.relative) * self.heads * self._scores(inputs)
        return 2 * self.macs(inputs, outputs) + biases + turned + weights

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        features, given, keys = self._sizes(inputs)
        pairs = inputs[self._count - 1].elements // given * keys
        rows = inputs[0].elements // features
        projected = Extra(inputs[0].elements + 2 * pairs)
        mean, sums = Extra(inputs[0].elements), Extra(self.heads * rows, "statistic")
        extras = (projected, mean, sums, *self._added(inputs[0]), *self._turned(inputs, pairs))
        return Saves(tuple(range(self._count)), (), extras)

    def _turned(self, inputs: tuple[Shape, ...], pairs: Dim) -> tuple[Extra, ...]:
        """Queries and keys once more where they are turned, with the sines and cosines of both."""
        if self.rope is None:
            return ()
        steps, features = inputs[0].sizes[-2:]
        angles = Extra(2 * steps * (features // self.heads), batched=False)
        # The values keep what they are a part of, and without kv the queries lie there too.
        queries = inputs[0].elements if self.kv is None else 0
        return (Extra(queries + pairs), angles)

    def _added(self, queries: Shape) -> tuple[Extra, ...]:
        """What is added to the scores: for each head, and for each window where it is shifted; and
        the mask, which the bias keeps where there is one."""
        on_grid = self.relative or self._shifted or self.grid is not None
        pairs: Dim = queries.sizes[-2] * queries.sizes[-2]
        if self._shifted:
            pairs = pairs * prod(windows_of(self.name, queries, self._grid(queries)))
        masked = self.window is not None or self._shifted or (self.causal and on_grid)
        biases = [Extra(self.heads * pairs, batched=False)] * self.relative
        return (*biases, *[Extra(pairs, "mask", batched=False)] * masked)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        cross = self.kv is not None
        rotary, window = self.rope is not None, self.window is not None
        name, source = attention_class(
            cross=cross,
            rotary=rotary,
            window=window,
            relative=self.relative,
            shifted=self._shifted,
        )
        sizes: tuple[Constant, ...] = (inputs[0].sizes[-1],)
        sizes += (inputs[self._count - 1].sizes[-1],) * cross
        base = () if self.rope is None else (float(self.rope),)
        near = () if self.window is None else (self.window,)
        helper: tuple[tuple[str, str], ...] = ((name, source),)
        if self.relative:
            helper = (("relative_bias", RELATIVE_BIAS), *helper)
        if self.relative or self._shifted:
            helper = (("neighbours", NEIGHBOURS), *helper)
        if rotary:
            helper = (("rotate", ROTATE), *helper)
        call = f"{{module}}({', '.join(['{0}', *['{1}'] * cross, *self._mask(inputs)])})"
        grid = (self._grid(inputs[0]),) if self.relative or self._shifted else ()
        arguments = (*sizes, self.heads, *base, *near, *grid)
        keywords = (*self._moved(inputs[0]), *self._keywords())
        return Module(name, arguments, keywords, call=call, helper=helper)

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        if self._shifted or self.relative:
            raise NotInSteps("has steps that are the positions of a grid")
        if self.kv is not None and running[1]:
            raise NotInSteps("has keys and values of another stream that goes on")
        if self.kv is None and not self.causal:
            raise NotInSteps("sees later steps, since it is not causal")
        name, source = attention_class(
            cross=self.kv is not None,
            rotary=self.rope is not None,
            window=self.window is not None,
            relative=False,
            shifted=False,
            stepping=True,
        )
        helper: tuple[tuple[str, str], ...] = ((name, source),)
        if self.rope is not None:
            helper = (("rotate", ROTATE_FROM), *helper)
        memory = ", {1}" if self.kv is not None else ""
        return Continuation(f"{{module}}.step({{0}}{memory}, {{kept}})", helper)

    def _moved(self, queries: Shape) -> tuple[tuple[str, Constant], ...]:
        if not self._shifted:
            return ()
        return (("shift", shifts_of(self.name, self.shift, self._grid(queries))),)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        queries, keys = inputs[0], inputs[-1]
        if len(queries.axes) - 1 in queries.padded or len(keys.axes) - 1 in keys.padded:
            raise Meeting(f"{self.name} would mix features of {queries}, which are padded")
        kept = {i: queries.axes[i].lengths for i in queries.padded}
        lengths = keys.axes[-2].lengths
        for i in [i for i in keys.padded if i < keys.rank - 2]:
            if kept.setdefault(i, keys.axes[i].lengths) != keys.axes[i].lengths:
                raise Meeting(f"{queries} and {keys} are padded in two ways")
        other = self.window is not None and queries.axes[-2].lengths != lengths
        if lengths is not None and other:
            message = f"window needs steps of kv that are padded like those of {queries}"
            raise Meeting(message, "leave out the window, or give both the same lengths")
        return Padded((outputs[0].with_lengths(kept),), () if lengths is None else (lengths,))

    def _mask(self, inputs: tuple[Shape, ...]) -> list[str]:
        """The argument that hides the padding of the keys, if they have some."""
        place = 0 if self.kv is None else 1
        keys = inputs[place]
        lengths = keys.axes[-2].lengths
        if lengths is None:
            return []
        own = "" if self.window is None else ", own=True"
        counts = lengths.written(f"{{{place + 1}}}")
        return [f"mask=real_keys({counts}, {{{place}}}, {keys.rank + 2}{own})"]

    @property
    def _count(self) -> int:
        """How many streams flow in, the lengths of the keys left out."""
        return 1 if self.kv is None else 2

    def _keywords(self) -> tuple[tuple[str, Constant], ...]:
        given: tuple[tuple[str, Constant, Constant], ...] = (
            ("kv_heads", self._kv_heads, self.heads),
            ("causal", self.causal, False),
            ("bias", self.bias, True),
            ("dropout", float(self.dropout), 0.0),
        )
        return tuple([(name, value) for name, value, usual in given if value != usual])
