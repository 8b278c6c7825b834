"""What soaks of random programs found, each made small."""

from __future__ import annotations

from random import Random

import pytest
import torch

import archc
import properties
from agreement import agree
from random_nets import Program

# A state that is added beside a layer is no part of the gate that a kernel computes.
BESIDE = {
    "Elman": "h[t] = { { x[t] | h[t-1] } -> FC(n) + h[t-1] } -> TANH",
    "ElmanRelu": "h[t] = { h[t-1] + { x[t] | h[t-1] } -> FC(n) } -> RELU",
    "Peephole": """z = x[t] | h[t-1]
  f = z -> FC(n) -> SIGMOID
  i = z -> FC(n) -> SIGMOID
  g = z -> FC(n) -> TANH
  o = { z -> FC(n) + c[t-1] } -> SIGMOID
  c[t] = f * c[t-1] + i * g
  h[t] = o * (c[t] -> TANH)""",
    "Reset": """r = { { x[t] | h[t-1] } -> FC(n) + h[t-1] } -> SIGMOID
  z = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g = { x[t] -> FC(n) + r * [h[t-1] -> FC(n)] } -> TANH
  h[t] = z * h[t-1] + (1 - z) * g""",
    "New": """r = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  z = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g = { { x[t] -> FC(n) + h[t-1] } + r * [h[t-1] -> FC(n)] } -> TANH
  h[t] = z * h[t-1] + (1 - z) * g""",
}


def _program(text: str) -> Program:
    return Program(text, text, text, {})


@pytest.mark.parametrize("name", BESIDE)
def test_a_stream_beside_a_layer_is_no_part_of_a_kernel(name: str) -> None:
    text = f"cell {name}(n) {{\n  {BESIDE[name]}\n}}\nnet N = SEQUENCE(7, 5) -> {name}(11)\n"
    program = _program(text)
    properties.the_module_computes_what_the_text_says(program, Random(0))
    properties.equations_and_kernels_agree(program, Random(0))


@pytest.mark.parametrize("kind", ["block", "cell"])
def test_what_a_block_is_handed_and_does_not_read_costs_what_the_module_computes(kind: str) -> None:
    body = "h[t] = { x[t] | h[t-1] } -> FC(n)" if kind == "cell" else "out x -> FC(n)"
    text = f"""{kind} Deaf(n) {{
  in x, w
  {body}
}}
net N {{
  in x = SEQUENCE(7, 3)
  y = {{ x, x -> FC(6) -> ATTENTION(2) }} -> Deaf(5)
  out y
}}
"""
    net = archc.load(source=text)
    agree(net)
    assert "†" not in str(net.stats())


@pytest.mark.parametrize("tail", ["FC(6) -> ATTENTION(3)", "ATTENTION(2, causal=yes)", "LN"])
def test_maxima_of_padding_make_nothing_infinite(tail: str) -> None:
    net = archc.load(source=f"net N = SEQUENCE(7, 6, lengths=yes) -> MAXPOOL(3, 1) -> {tail}")
    model = net.to_torch()
    made = model(torch.randn(2, 7, 6), torch.tensor([2, 7]))
    (made[0, :2].sum() + made[1].sum()).backward()
    assert made.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    text = f"net N {{ in x0 = SEQUENCE(7, 6)\n  out x0 -> MAXPOOL(3, 1) -> {tail} }}\n"
    properties.padding_has_no_influence(_program(text), Random(0))


@pytest.mark.parametrize("joined", ["x[t] | c[t] | h[t-1]", "c[t] | x[t] | h[t-1]"])
def test_what_is_joined_beside_input_and_state_is_no_part_of_a_fused_kernel(joined: str) -> None:
    """`c[t]` was passed over, and the kernel got weights that are too wide."""
    text = f"""cell Two(n) {{
  c[t] = {{ x[t] | h[t-1] }} -> FC(n) -> LN -> TANH
  h[t] = {{ {joined} }} -> FC(n) -> TANH
}}
net N = SEQUENCE(7, 5) -> Two(11)
"""
    net = archc.load(source=text)
    assert net.recognized == ()
    properties.equations_and_kernels_agree(_program(text), Random(0))
    properties.the_module_computes_what_the_text_says(_program(text), Random(0))


EMPTY = {
    "one kind": "out a -> [[CONV(c) -> BN -> RELU]*n for c, n in zip([5, 7, 5], [0, 1, 2])]",
    "single layers": "out a -> [[CONV(c)]*n for c, n in zip([5, 7, 5, 7], [0, 1, 2, 3])]",
    "beside a stream": "out a -> [[{ CONV(7) + b }]*n for n in [0, 1, 0, 2]]",
    "bundles": "out { a, b } -> [[Two]*n for n in [0, 1, 0, 2]] -> ADD",
    "streams": "out a -> [{ [{ ID + b }] if n > 0 else [{ ID * a + b }] } for n in [0, 1, 0]]",
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_copy_in_which_nothing_happens_stands_among_others(name: str) -> None:
    """It had the class of the others, or one that was not written; or compiling failed."""
    text = f"""block Two {{
  in a, b
  out {{ a -> CONV(7), b -> RELU }}
}}
net N {{
  in a = INPUT(7, 13), b = INPUT(7, 13)
  {EMPTY[name]}
}}
"""
    agree(archc.load(source=text), real=True)
    properties.the_module_computes_what_the_text_says(_program(text), Random(0))


def test_a_layer_inside_an_argument_has_the_name_of_its_attribute() -> None:
    """`in` is a word of Python, so the attribute is `in_`, and the table said `in`."""
    text = "block Around(u) = { u + ID }\nnet N = INPUT(3, 7) -> Around(IN(affine=yes) -> CONV(3))"
    agree(archc.load(source=text))


def test_a_shared_layer_on_a_stream_that_it_does_not_take() -> None:
    text = "net N {\n  in x = INPUT(3, 13)\n  share f = CONV(3)\n  out x -> GAP -> f\n}\n"
    with pytest.raises(archc.ArchError, match="CONV needs a map or a sequence"):
        archc.load(source=text)


@pytest.mark.parametrize("operator", ["@", "|"])
def test_values_are_not_joined_as_streams(operator: str) -> None:
    """Each was handed to what reads the other, without end."""
    text = f"net N = INPUT(3) -> [FC(c) for c in [4 {operator} 5]]"
    with pytest.raises(archc.ArchError, match="joins streams, and 4 and 5 are values"):
        archc.load(source=text)


def test_what_a_state_begins_with_costs_nothing_where_nothing_needed_reads_it() -> None:
    text = """cell Begun(n, first) {
  h[0] = first -> FC(n)
  c[t] = h[t-1] -> FC(n) -> TANH
  h[t] = { x[t] -> FC(n) + y[t-1] -> FC(n) } -> TANH
  out y = h[t] -> FC(3)
}
net N {
  in x = SEQUENCE(7, 5), v = INPUT(2)
  out x -> Begun(11, v)
}
"""
    agree(archc.load(source=text))


def test_average_pooling_on_volumes_makes_rows_of_what_lies_otherwise() -> None:
    """One map too much was said to be kept behind RMSNORM, which leaves channels last."""
    tail = "AVGPOOL(3, 1) -> { MAXPOOL(3, 1) | GN(1) | ID } -> CONV(3)"
    text = f"net N = INPUT(3, 5, 7, 11) -> CONV(7) -> RMSNORM -> {tail}\n"
    properties.autograd_keeps_what_is_said(_program(text), Random(0))
