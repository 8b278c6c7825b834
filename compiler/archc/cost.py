"""What a net costs: exact figures, whole numbers or formulas, without running anything.

Figures are found for each region once and multiplied, so that a hundred equal layers cost the
time of one. Parameters and buffers count everything that is in the module, training-only parts
included, and shared weights once. Multiply-adds, operations and activations count each use, and
only what the outputs that always exist need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from archc.dims import Dim
from archc.graph import (
    INPUTS,
    Call,
    Choice,
    Node,
    Operation,
    Program,
    Region,
    Repeat,
    Scan,
    Shared,
    Wire,
)  # fmt: skip
from archc.liveness import Demand, Liveness, demand_of, inside
from archc.op import Op
from archc.shapes import Shape
from archc.tally import EMPTY, Tally
from archlang.record import Record

__all__ = [
    "BYTES", "NOTHING", "SHORT_NAMES", "TOKEN_BYTES", "TRANSPARENT", "Counter", "Pricing", "Totals",
    "bytes_of", "cost", "dtype_name", "input_shapes", "operator_cost", "regions_of",
]  # fmt: skip

BYTES: Mapping[str, int] = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
# How people write them.
SHORT_NAMES: Mapping[str, str] = {
    "fp64": "float64", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16",
}  # fmt: skip
# What only hands on one of the streams that flow in, or is a number.
TRANSPARENT = frozenset({"ID", "NUMBER", "WHEN"})

# What counts one application of an operator in another way than `macs` and `flops` do.
Counter = Callable[[Op, tuple[Shape, ...], tuple[Shape, ...]], Tally]

TOKEN_BYTES = 8  # tokens are int64, whatever the reals are


def dtype_name(dtype: str) -> str:
    """The name of a type in full: bf16 is bfloat16.

    Raises:
        ValueError: for a type that is not in `BYTES`.
    """
    name = SHORT_NAMES.get(dtype, dtype)
    if name not in BYTES:
        raise ValueError(f"unknown dtype {dtype!r}, expected one of {', '.join(BYTES)}")
    return name


def bytes_of(dtype: str) -> int:
    """The size of one real number of that type in bytes.

    Raises:
        ValueError: for a type that is not in `BYTES`.
    """
    return BYTES[dtype_name(dtype)]


class Totals(Record):
    """The figures of a part, for one input (a batch of one).

    Args:
        params: learned numbers.
        buffers: numbers that are kept but not learned.
        macs: multiply-adds of convolutions, linear layers, matrix products, recurrent layers.
        flops: arithmetic operations of every kind, 2 for a multiply-add.
        reals: real numbers in the outputs of all operators.
        tokens: whole numbers (tokens) in the outputs of all operators.
        tally: what another convention counts, where one is asked for.
    """

    params: Dim = 0
    buffers: Dim = 0
    macs: Dim = 0
    flops: Dim = 0
    reals: Dim = 0
    tokens: Dim = 0
    tally: Tally = EMPTY

    def __add__(self, other: Totals) -> Totals:
        if other is NOTHING:
            return self
        if self is NOTHING:
            return other
        return Totals(
            self.params + other.params,
            self.buffers + other.buffers,
            self.macs + other.macs,
            self.flops + other.flops,
            self.reals + other.reals,
            self.tokens + other.tokens,
            self.tally + other.tally,
        )

    def times(self, copies: Dim) -> Totals:
        """The figures of so many copies."""
        if copies == 1:
            return self
        return Totals(*[getattr(self, name) * copies for name in self._fields])

    @property
    def stored(self) -> Totals:
        """What the module holds: parameters and buffers alone."""
        return Totals(params=self.params, buffers=self.buffers)

    @property
    def computed(self) -> Totals:
        """What a run costs: everything but parameters and buffers."""
        return self.replace(params=0, buffers=0)

    def activation_bytes(self, dtype: str = "float32", batch: int = 1) -> Dim:
        """The bytes of the outputs of all operators; the input is left out, as in the lectures."""
        return (self.reals * bytes_of(dtype) + self.tokens * TOKEN_BYTES) * batch

    def param_bytes(self, dtype: str = "float32") -> Dim:
        """The bytes of the parameters."""
        return self.params * bytes_of(dtype)

    @classmethod
    def sum(cls, parts: Iterable[Totals]) -> Totals:
        """All parts together."""
        total: Totals = NOTHING
        for part in parts:
            total = total + part
        return total


NOTHING = Totals()


def cost(what: Program | Region, *, training: bool = False) -> Totals:
    """The figures of a net or of a part of it.

    Args:
        what: a program, or one region.
        training: count what runs in training, training-only outputs included, instead of what runs
            at inference. Parameters and buffers are the same.

    Returns:
        Exact figures for one input; a figure that depends on a `dim` is a formula.
    """
    return _cost(what.region if isinstance(what, Program) else what, training)


@lru_cache(maxsize=16)  # claims, the table and the docstring of a module ask for the same figures
def _cost(region: Region, training: bool) -> Totals:
    return Pricing(training=training).region(region, demand_of(region, training=training))


class Pricing:
    """Prices regions, each once for each set of outputs that is wanted.

    Args:
        training: see `cost`.
        counter: the convention that fills `Totals.tally`.
    """

    def __init__(self, *, training: bool = False, counter: Counter | None = None) -> None:
        self.liveness = Liveness(training=training)
        self._counter = counter
        self._known: dict[tuple[Region, Demand], Totals] = {}

    def region(self, region: Region, demand: Demand) -> Totals:
        """The figures of a region of which the outputs in `demand` are wanted."""
        key = (region, demand)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._price(region, demand)
        return found

    def node(self, region: Region, node: Node, demand: Demand) -> Totals:
        """The figures of one node of a region; none are stored for a use of shared weights."""
        if isinstance(node, Operation):
            figures = self.operator(node.op, input_shapes(region, node.inputs), node.outputs)
            figures = figures if any(demand) else figures.stored
            return figures if node.shared is None else figures.computed
        if isinstance(node, Repeat):
            return Totals.sum(
                [
                    self.region(run.region, inside(node, run.region, demand)).times(run.count)
                    for run in node.runs
                ]
            )
        figures = self.region(node.region, inside(node, node.region, demand))
        if isinstance(node, Scan):
            return figures.stored + figures.computed.times(node.steps)
        return figures.computed if isinstance(node, Call) and node.shared else figures

    def operator(self, op: Op, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Totals:
        """The figures of one application of an operator; see `operator_cost`."""
        figures = operator_cost(op, inputs, outputs)
        if self._counter is None or not inputs or op.name in TRANSPARENT:
            return figures
        return figures.replace(tally=self._counter(op, inputs, outputs))

    def shared(self, region: Region, shared: Shared) -> Totals:
        """What a module made by `share` stores: its parameters and buffers, once."""
        if isinstance(shared.what, Region):
            return self.region(shared.what, (False,) * len(shared.what.outputs)).stored
        use = first_use(region, shared.name, type(shared.what))
        return NOTHING if use is None else operator_cost(shared.what, use, ()).stored

    def _price(self, region: Region, demand: Demand) -> Totals:
        live = self.liveness.of(region, demand)
        nodes = zip(region.nodes, live.ports, strict=True)
        figures = Totals.sum([self.node(region, node, ports) for node, ports in nodes])
        return figures + Totals.sum([self.shared(region, shared) for shared in region.shares])


def operator_cost(op: Op, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Totals:
    """The figures of one application of an operator.

    What has no input stream (the net's input, a learned stream) makes no activation, nor does what
    only hands a stream on.
    """
    params = _numbers(op.parameters(*inputs))
    buffers = _numbers(op.buffers(*inputs))
    if not outputs or not inputs or op.family == "input" or op.name in TRANSPARENT:
        return Totals(params, buffers)
    tokens: Dim = 0
    reals: Dim = 0
    for shape in outputs:
        if shape.vocabulary is None:
            reals = reals + shape.elements
        else:
            tokens = tokens + shape.elements
    return Totals(
        params, buffers, op.macs(inputs, outputs), op.flops(inputs, outputs), reals, tokens
    )


def input_shapes(region: Region, wires: tuple[Wire, ...]) -> tuple[Shape, ...]:
    """The shapes of the streams that wires of a region carry."""
    return tuple([_shape(region, wire) for wire in wires])


def first_use(region: Region, name: str, kind: type[Op]) -> tuple[Shape, ...] | None:
    """The input shapes of the first use of a shared operator, here or in what it is lent to."""
    for node in region.nodes:
        if isinstance(node, Operation):
            # UNEMBED uses the weights of an EMBED as well, but not its inputs.
            if node.shared == name and isinstance(node.op, kind):
                return input_shapes(region, node.inputs)
            continue
        lent = next((inner for inner, here in node.lends if here == name), None)
        if lent is None:
            continue
        for part in regions_of(node):
            use = first_use(part, lent, kind)
            if use is not None:
                return use
    return None


def regions_of(node: Call | Repeat | Choice | Scan) -> tuple[Region, ...]:
    """The regions that a node refers to, in their order."""
    if isinstance(node, Repeat):
        return tuple([run.region for run in node.runs])
    return (node.region,)


def _shape(region: Region, wire: Wire) -> Shape:
    if wire.node == INPUTS:
        return region.inputs[wire.port].shape
    return region.nodes[wire.node].outputs[wire.port]


def _numbers(tensors: Mapping[str, tuple[Dim, ...]]) -> Dim:
    total: Dim = 0
    for sizes in tensors.values():
        product: Dim = 1
        for size in sizes:
            product = product * size
        total = total + product
    return total
