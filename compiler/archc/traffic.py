"""What operators move through memory: what flows in, what flows out, and the weights, once each."""

from __future__ import annotations

from collections.abc import Callable

from archc.cost import (
    TOKEN_BYTES,
    TRANSPARENT,
    Pricing,
    bytes_of,
    input_shapes,
    operator_cost,
)
from archc.dims import Dim, Ratio, divide
from archc.graph import Node, Operation, Region, Repeat, Scan
from archc.liveness import Demand, inside
from archc.op import Op
from archc.shapes import Shape
from archlang.record import Record

__all__ = ["Load", "Traffic"]


class Load(Record):
    """What a part does.

    Args:
        flops: arithmetic operations.
        moved: bytes that are read and written.
        seconds: the time that takes, where a device is given.
        bound: the part of it in which computing is the bound; the rest waits for memory.
    """

    flops: Dim = 0
    moved: Dim = 0
    seconds: float = 0.0
    bound: float = 0.0

    def __add__(self, other: Load) -> Load:
        return Load(
            self.flops + other.flops,
            self.moved + other.moved,
            self.seconds + other.seconds,
            self.bound + other.bound,
        )

    def times(self, copies: Dim) -> Load:
        """That of so many copies."""
        # What takes time has sizes that are known.
        whole = copies if isinstance(copies, int) else 0
        times = self.seconds * whole, self.bound * whole
        return Load(self.flops * copies, self.moved * copies, *times)

    @property
    def intensity(self) -> float | Dim | Ratio | None:
        """Operations for each byte that is moved; None where nothing is moved."""
        if isinstance(self.moved, int) and not self.moved:
            return None
        if isinstance(self.flops, int) and isinstance(self.moved, int):
            return self.flops / self.moved
        return divide(self.flops, self.moved)


NOTHING = Load()

# What hands out a part or another view of what is there; so do operators that merge axes.
_VIEWS = frozenset({"SPLIT", "SELECT", "FIRST", "LAST", "TRANSPOSED"})


def _moves_nothing(op: Op) -> bool:
    """Whether nothing is read or written at inference."""
    idle = op.family in ("input", "regularisation") or op.merges
    return idle or op.name in TRANSPARENT or op.name in _VIEWS


class Traffic:
    """Finds what parts do, each region once.

    Args:
        pricing: says what is wanted in a region.
        batch: how many examples.
        dtype: the type of parameters and activations.
        timed: gives an operator's load its time.
    """

    def __init__(
        self,
        pricing: Pricing,
        batch: int = 1,
        dtype: str = "float32",
        timed: Callable[[Load], Load] = lambda load: load,
    ) -> None:
        self._liveness = pricing.liveness
        self._batch, self._dtype, self._timed = batch, dtype, timed
        self._known: dict[tuple[Region, Demand], Load] = {}

    def region(self, region: Region, demand: Demand) -> Load:
        """What a region does for the outputs in `demand`, operator by operator."""
        key = (region, demand)
        if key not in self._known:
            ports = self._liveness.of(region, demand).ports
            total = NOTHING
            for node, wanted in zip(region.nodes, ports, strict=True):
                total = total + self.node(region, node, wanted)
            self._known[key] = total
        return self._known[key]

    def node(self, region: Region, node: Node, demand: Demand) -> Load:
        """What one node does."""
        if not any(demand):
            return NOTHING
        if isinstance(node, Operation):
            return self._operation(node, input_shapes(region, node.inputs))
        if not isinstance(node, Repeat):
            one = self.region(node.region, inside(node, node.region, demand))
            return one.times(node.steps) if isinstance(node, Scan) else one
        total = NOTHING
        for run in node.runs:
            one = self.region(run.region, inside(node, run.region, demand))
            total = total + one.times(run.count)
        return total

    def _operation(self, node: Operation, inputs: tuple[Shape, ...]) -> Load:
        if not inputs or _moves_nothing(node.op):
            return NOTHING
        cost = operator_cost(node.op, inputs, node.outputs)
        size = bytes_of(self._dtype)
        moved: Dim = (cost.params + cost.buffers) * size
        for shape in (*inputs, *node.outputs):
            each = size if shape.vocabulary is None else TOKEN_BYTES
            moved = moved + shape.elements * (each * self._batch)
        return self._timed(Load(cost.flops * self._batch, moved))
