"""Recurrent layers with fused kernels: RNN, GRU, LSTM.

Each is the equation of a cell at work along the steps of a sequence; a file can write the same as a
`cell`. The weights are those of torch, which keeps two biases where an equation has one.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from archc.arguments import COUNT, FEATURES, FLAG, ArgumentProblem, Kind, Real
from archc.continuation import Continuation, NotInSteps
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.activation import Sigmoid, Tanh
from archc.ops.layouts import article
from archc.padding import Meeting, Padded, handed_on
from archc.saves import Extra, Saves
from archc.shapes import Axis, Shape, vector

__all__ = ["GatedRecurrentUnit", "LongShortTermMemory", "Recurrent"]

Biases = bool | Literal["one"]


class _Biases(Kind):
    """Which biases there are."""

    expected: ClassVar[str] = "yes (two, as torch has), one, or no"

    def convert(self, value: Any) -> Biases:
        if isinstance(value, bool) or value == "one":
            kept: Biases = value
            return kept
        raise ArgumentProblem(self.text)


_ONE_BIAS = '''class OneBias{name}(nn.{name}):
    """nn.{name} with the bias of the input alone: the other one stays zero."""

    def __init__(self, *sizes: int, **options: Any) -> None:
        super().__init__(*sizes, **options)
        for name in [name for name, _ in self.named_parameters() if "bias_hh" in name]:
            zeros = torch.zeros_like(getattr(self, name))
            delattr(self, name)
            self.register_buffer(name, zeros, persistent=False)
        self._flat_weights = [getattr(self, name) for name in self._flat_weights_names]
'''


_WITH_STATE = '''def with_state(result: tuple[Tensor, Any], directions: int) -> tuple[Tensor, ...]:
    """A sequence and what its last layer remembers at the end, both directions side by side."""
    sequence, state = result
    states = state if isinstance(state, tuple) else (state,)
    return sequence, *[torch.cat(tuple(one[-directions:]), dim=-1) for one in states]
'''


_PACKING = (
    "from typing import Any",
    "from torch.nn.utils.rnn import pack_padded_sequence",
    "from torch.nn.utils.rnn import pad_packed_sequence",
)


class _Recurrent(Op):
    """Base of recurrent layers: `gates` sums of the input and of the state at each step."""

    family: ClassVar[Family] = "recurrent"
    gates: ClassVar[int] = 1
    kernel: ClassVar[str] = "RNN"
    # Beyond the sums of the gates, for each feature of the state.
    sigmoids: ClassVar[int] = 0
    tanhs: ClassVar[int] = 1
    products_and_sums: ClassVar[int] = 0
    kept: ClassVar[int] = 1  # streams that a state consists of
    # What autograd keeps for each feature and step, where the steps run one after the other.
    saved: ClassVar[int] = 7

    units: Dim = argument("the number of features of the state", FEATURES)
    layers: int = argument("how many lie above each other", COUNT, 1)
    bidirectional: bool = argument("whether a second one runs from the end", FLAG, False)
    dropout: float = argument(
        "the share of features dropped between layers", Real(least=0, most=1), 0
    )
    bias: Biases = argument(
        "the biases of each layer: two as in torch, one, or none", _Biases(words=("one",)), True
    )

    @property
    def directions(self) -> int:
        """How many ways a layer runs."""
        return 2 if self.bidirectional else 1

    states: bool = False  # whether the final states leave as well, for `m.state`

    def infer(self, *inputs: Shape) -> Shape | tuple[Shape, ...]:
        steps = inputs[0].axes[0] if inputs[0].rank == 2 and inputs[0].steps == 0 else None
        if steps is None or inputs[0].features != 1 or inputs[0].vocabulary is not None:
            raise self._misfit(inputs[0])
        sequence = Shape((steps, Axis(self.units * self.directions, "c", "features")))
        final = vector(self.units * self.directions)
        return (sequence, *[final] * self.kept) if self.states else sequence

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        lengths = inputs[0].axes[0].lengths
        if lengths is None or inputs[0].padded != (0,):
            raise Meeting(f"{self.name} would mix features of {inputs[0]}, which are padded")
        # A state that runs forward meets the padding behind all real steps.
        reads = (lengths,) if self.bidirectional or self.states else ()
        kept = handed_on(self.name, (), inputs, outputs[:1])
        return Padded((*kept, *outputs[1:]), reads)

    def _misfit(self, shape: Shape) -> OpError:
        message, code = f"{self.name} runs along a sequence of vectors", "not-in-time"
        call = f"{self.name}({self.units})"
        help = f"`REPEAT(10) -> {call}` gives a vector to each step; `SEQUENCE(T, C)` is one"
        if shape.vocabulary is not None:
            message, code = f"{self.name} needs features", "needs-features"
            help = f"`EMBED(64) -> {call}`, or `ONEHOT -> {call}`"
        elif shape.steps is not None and shape.space:
            help = f"make a vector of each step: `FLATTEN -> {call}`, or `GAP -> {call}`"
        return OpError(f"{message}, got {article(shape)}", code=code, help=help)

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        found: dict[str, tuple[Dim, ...]] = {}
        rows = self.gates * self.units
        for suffix, width in self._layers(inputs[0]):
            found[f"weight_ih_{suffix}"] = (rows, width)
            found[f"weight_hh_{suffix}"] = (rows, self.units)
            if self.bias:
                found[f"bias_ih_{suffix}"] = (rows,)
            if self.bias is True:
                found[f"bias_hh_{suffix}"] = (rows,)
        return found

    def _layers(self, shape: Shape) -> list[tuple[str, Dim]]:
        """Each layer and direction: what torch puts behind its weights, and its input features."""
        found: list[tuple[str, Dim]] = []
        for number in range(self.layers):
            width = shape.sizes[-1] if number == 0 else self.units * self.directions
            for direction in ("", "_reverse")[: self.directions]:
                found.append((f"l{number}{direction}", width))
        return found

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        widths: Dim = 0
        for _, width in self._layers(inputs[0]):
            widths = widths + width + self.units
        return inputs[0].sizes[0] * self.gates * self.units * widths

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        biases = 2 if self.bias is True else int(bool(self.bias))
        activations = self.sigmoids * Sigmoid.per_element + self.tanhs * Tanh.per_element
        each = self.gates * (1 + biases) + activations + self.products_and_sums
        runs = self.layers * self.directions
        return 2 * self.macs(inputs, outputs) + inputs[0].sizes[0] * self.units * each * runs

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        steps, runs = inputs[0].sizes[0], self.layers * self.directions
        states = steps * self.units * self.saved + self._start
        between = steps * self.units * self.directions * (1 if self.dropout == 0 else 2)
        extras = [Extra(states)] * runs + [Extra(between)] * (self.layers - 1)
        return Saves(inputs=(0,), extras=tuple(extras))

    @property
    def _start(self) -> Dim:
        """What is kept of the state before the first step, beside what the steps keep."""
        return 0

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return {"filters": self.units}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        one = self.bias == "one"
        name = f"OneBias{self.kernel}" if one else f"nn.{self.kernel}"
        helper = ((name, _ONE_BIAS.replace("{name}", self.kernel)),) if one else ()
        imports: tuple[str, ...] = ("from typing import Any",) if helper or self.states else ()
        result, lengths = "{module}({0})", inputs[0].axes[0].lengths
        if lengths is not None and (self.bidirectional or self.states):
            result, imports = f"packed({{module}}, {{0}}, {lengths.written('{1}')})", _PACKING
        call = f"{result}[0]"
        if self.states:
            helper = (*helper, ("with_state", _WITH_STATE))
            call = f"with_state({result}, {{directions}})"
        return Module(
            name, (inputs[0].sizes[-1], self.units), self._keywords(), call,
            values=(("directions", self.directions),) if self.states else (),
            helper=helper, imports=imports,
        )  # fmt: skip

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        if self.bidirectional:
            raise NotInSteps("runs from the end as well")
        return Continuation("{module}({0}, {kept})")

    def _keywords(self) -> tuple[tuple[str, Constant], ...]:
        stated: tuple[tuple[str, Constant, Constant], ...] = (
            ("num_layers", self.layers, 1),
            ("bias", bool(self.bias), True),
            ("batch_first", True, False),
            ("dropout", self.dropout if self.layers > 1 else 0, 0),
            ("bidirectional", self.bidirectional, False),
        )
        return tuple([(name, value) for name, value, default in stated if value != default])


class Recurrent(_Recurrent):
    """Elman's recurrent layer: h[t] = tanh(W x[t] + U h[t-1] + b), a sequence of all h.

    Shape: a sequence (T, C) becomes (T, units), twice as many features when it is bidirectional.

    Cost: with input features C and T steps, T * units * (C + units) multiply-adds for each layer
    and direction; flops count the sums and the tanh as well.

    Source: Elman, "Finding structure in time", 1990.
    """

    name: ClassVar[str] = "RNN"
    saved: ClassVar[int] = 1
    foreign: ClassVar[tuple[str, ...]] = ("SimpleRNN", "ElmanRNN", "VanillaRNN")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 5) -> RNN(7)", "(13, 7)", 98, 1092),
        Example("SEQUENCE(13, 5) -> RNN(7, bias=one)", "(13, 7)", 91, 1092),
        Example("SEQUENCE(13, 5) -> RNN(7, bidirectional=yes, bias=no)", "(13, 14)", 168, 2184),
    )

    @property
    def _start(self) -> Dim:
        return self.units


class GatedRecurrentUnit(_Recurrent):
    """Gated recurrent unit: the gates r and z decide what of the state is used and what is kept.

    r = sigmoid(W_r x + U_r h), z = sigmoid(W_z x + U_z h), n = tanh(W_n x + r * U_n h),
    h[t] = (1 - z) * n + z * h[t-1], each sum with its biases: the form of the kernels, in which the
    reset gate stands behind the product.

    Shape: a sequence (T, C) becomes (T, units), twice as many features when it is bidirectional.

    Cost: 3 * T * units * (C + units) multiply-adds for each layer and direction; flops count the
    sums, the products of the gates and the activations as well.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.
    """

    name: ClassVar[str] = "GRU"
    foreign: ClassVar[tuple[str, ...]] = ("GatedRecurrentUnit",)
    gates: ClassVar[int] = 3
    kernel: ClassVar[str] = "GRU"
    sigmoids: ClassVar[int] = 2
    products_and_sums: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 5) -> GRU(7)", "(13, 7)", 294, 3276),
        Example("SEQUENCE(13, 5) -> GRU(7, layers=2, bias=one)", "(13, 7)", 588, 7098),
    )


class LongShortTermMemory(_Recurrent):
    """Long short-term memory: a cell state c that gates write to, forget and read.

    i, f, o = sigmoid(W x + U h) each, g = tanh(W x + U h), c[t] = f * c[t-1] + i * g,
    h[t] = o * tanh(c[t]), each sum with its biases.

    Shape: a sequence (T, C) becomes (T, units), twice as many features when it is bidirectional.

    Cost: 4 * T * units * (C + units) multiply-adds for each layer and direction; flops count the
    sums, the products of the gates and the activations as well.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of
    Gers et al., 2000.
    """

    name: ClassVar[str] = "LSTM"
    foreign: ClassVar[tuple[str, ...]] = ("LongShortTermMemory", "CuDNNLSTM")
    gates: ClassVar[int] = 4
    kernel: ClassVar[str] = "LSTM"
    sigmoids: ClassVar[int] = 3
    tanhs: ClassVar[int] = 2
    kept: ClassVar[int] = 2
    products_and_sums: ClassVar[int] = 4
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(64, 256) -> LSTM(256)", "(64, 256)", 526336, 33554432),
        Example("SEQUENCE(13, 5) -> LSTM(7, layers=2, dropout=0.5)", "(13, 7)", 840, 9464),
        Example("SEQUENCE(13, 5) -> LSTM(7, bias=one)", "(13, 7)", 364, 4368),
    )
