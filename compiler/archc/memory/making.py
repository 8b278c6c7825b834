"""The streams that operators and scans make, in memory of their own or in that of what flows in."""

from __future__ import annotations

from collections.abc import Sequence

from archc.cost import input_shapes
from archc.graph import Operation, Region, Scan, State
from archc.memory.amounts import EMPTY, of_shape
from archc.memory.orders import Order, order_of, stays
from archc.memory.storages import Leaving, Storage, Stream
from archc.shapes import Shape

__all__ = ["begin", "made_by", "orders_of", "sequences", "step_of"]


def made_by(
    region: Region, node: Operation, wired: Sequence[Stream], *, training: bool
) -> list[Stream]:
    """The streams that an operator makes, in memory of their own or in that of what flows in."""
    inputs, op = input_shapes(region, node.inputs), node.op
    learned = op.differentiable and (
        any(stream.learning for stream in wired) or bool(op.parameters(*inputs))
    )
    learning = [learned and shape.vocabulary is None for shape in node.outputs]
    if not wired:
        # A learned stream lies in its parameter, and a number nowhere.
        return [Stream(Storage(EMPTY, kept=True), one) for one in learning]
    orders = orders_of(wired)
    lie = [order_of(op, inputs, shape, orders) for shape in node.outputs]
    if op.shares(inputs, node.outputs, training=training) and stays(
        op, inputs, node.outputs, orders
    ):
        return [Stream(wired[0].storage, *one) for one in zip(learning, lie, strict=True)]
    return [
        Stream(Storage(of_shape(shape)), one, order)
        for shape, one, order in zip(node.outputs, learning, lie, strict=True)
    ]


def orders_of(streams: Sequence[Stream]) -> tuple[Order, ...]:
    """In which order each of them lies."""
    return tuple([stream.order for stream in streams])


def sequences(node: Scan, step: Sequence[Leaving]) -> list[Stream]:
    """What leaves a scan: its sequences, which are copied together, then the last states."""
    learning = any(one.learning for one in step)
    count = len(node.region.outputs)
    kept = [False] * count + [one.kept for one in step[count:]]
    sizes = [of_shape(shape) for shape in node.outputs]
    storages = [Storage(size, kept=is_kept) for size, is_kept in zip(sizes, kept, strict=True)]
    return [Stream(storage, learning) for storage in storages]


def step_of(sequence: Stream, step: Shape) -> Stream:
    """One step of a sequence: a part of its rows."""
    return sequence.replace(order="cut" if step.rank > 1 else "rows")


def begin(state: State, wired: Sequence[Stream]) -> Stream:
    """What a state is before the first step."""
    if state.initial is not None:
        return wired[state.initial]
    return Stream(Storage(of_shape(state.shape)), False)
