"""What holds for windows of every size: sizes are torch's, and symbolic ones agree with them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archc import dims
from archc.op import REGISTRY, Op, OpError
from archc.ops.convolution import Conv
from archc.ops.deconvolution import Deconv
from archc.ops.pooling import AveragePool, MaxPool
from archc.shapes import feature_map
from op_harness import Built

small = st.integers(1, 6)
per_axis = st.one_of(small, st.tuples(small, small))
side = st.integers(0, 3)
pads = st.one_of(
    side,
    st.tuples(side, side),
    st.tuples(st.tuples(side, side), side),
    st.tuples(st.tuples(side, side), st.tuples(side, side)),
)
convolutions = st.builds(
    Conv,
    filters=st.sampled_from([2, 4]),
    kernel=per_axis,
    stride=per_axis,
    pad=st.one_of(st.just("same"), pads),
    groups=st.sampled_from([1, 2]),
    dilation=per_axis,
)
transposed = st.builds(
    Deconv,
    filters=st.sampled_from([2, 4]),
    kernel=per_axis,
    stride=st.one_of(st.none(), per_axis),
    pad=st.one_of(st.just("same"), pads),
    groups=st.sampled_from([1, 2]),
    dilation=per_axis,
)
pools = st.one_of(
    [
        st.builds(
            op,
            kernel=per_axis,
            stride=st.one_of(st.none(), per_axis),
            pad=st.one_of(st.sampled_from(["auto", "same"]), pads),
            ceil=st.booleans(),
        )
        for op in (MaxPool, AveragePool)
    ]
)
sizes = st.tuples(st.integers(1, 23), st.integers(1, 23))


def sizes_of(op: Op, height: dims.Dim, width: dims.Dim) -> tuple[dims.Dim, ...]:
    """The sizes of the output; the example is dropped where the operator refuses it."""
    try:
        return op.infer(feature_map(4, height, width)).sizes
    except OpError:
        assume(False)
        raise


@settings(max_examples=150, deadline=None)
@given(op=st.one_of(convolutions, transposed, pools), size=sizes)
def test_sizes_are_torchs(op, size):
    shape = feature_map(4, *size)
    found = sizes_of(op, *size)
    with torch.device("meta"):
        built = Built(op.torch((shape,), (op.infer(shape),)), {}, {})
        result = built(torch.randn(2, 4, *size))
    assert tuple(result.shape[1:]) == found


@settings(max_examples=150, deadline=None)
@given(op=st.one_of(convolutions, transposed, pools), size=sizes)
def test_symbolic_sizes_agree_with_numbers(op, size):
    found = sizes_of(op, *size)
    symbolic = sizes_of(op, dims.symbol("H"), dims.symbol("W"))
    bindings = {"H": size[0], "W": size[1]}
    assert tuple([dims.evaluate(dim, bindings) for dim in symbolic]) == found


@settings(max_examples=100, deadline=None)
@given(op=convolutions, size=sizes)
def test_symbolic_costs_agree_with_numbers(op, size):
    shape, symbolic = feature_map(4, *size), feature_map(4, dims.symbol("H"), dims.symbol("W"))
    sizes_of(op, *size)
    sizes_of(op, *symbolic.sizes[1:])
    macs = op.macs((symbolic,), (op.infer(symbolic),))
    bindings = {"H": size[0], "W": size[1]}
    assert dims.evaluate(macs, bindings) == op.macs((shape,), (op.infer(shape),))


FAMILIES = {
    "inputs", "convolution", "deconvolution", "linear", "pooling", "global_pooling",
    "normalisation", "layer_normalisation", "embedding", "positions",
}  # fmt: skip
OPERATORS = [op for op in REGISTRY.all() if op.__module__.rpartition(".")[2] in FAMILIES]


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_every_operator_is_documented(op):
    assert op.summary().endswith(".") and len(op.summary()) < 200
    assert "Cost:" in op.__doc__ and "Shape:" in op.__doc__
    assert len(op.examples) >= 2
    assert all(argument.text and not argument.text.endswith(".") for argument in op.arguments)
    for argument in op.arguments:
        if not argument.required and argument.default is not None:
            assert argument.kind.convert(argument.default) == argument.default


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_foreign_names_lead_to_one_operator(op):
    others = [other for other in REGISTRY.all() if other is not op]
    taken = {name for other in others for name in (other.name, *other.foreign)}
    assert not taken.intersection(op.foreign)
