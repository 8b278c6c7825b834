"""Cells: what their equations mean, the shapes of their states, and what they cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archc
from agreement import agree
from archc.graph import Call, Region, Scan
from archc.pipeline import check_source
from archc.render import to_dot
from archlang.diagnostics import ArchError
from archlang.source import Source
from conftest import Golden

GOLDEN = Path(__file__).parent / "golden" / "cells"

ELMAN = """
cell Elman(n) {
  h[t] = { x[t] -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH
}
"""
LSTM4 = """
cell LSTM4(n) {
  z = x[t] | h[t-1]
  f = z -> FC(n) -> SIGMOID
  i = z -> FC(n) -> SIGMOID
  g = z -> FC(n) -> TANH
  o = z -> FC(n) -> SIGMOID
  c[t] = f * c[t-1] + i * g
  h[t] = o * (c[t] -> TANH)
}
"""
# The equations of the fused kernels, with two biases as these have them.
FUSED = """
cell Rnn(n) { h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> TANH }
cell Gru(n) {
  r = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  z = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  g = { x[t] -> FC(n) + r * [h[t-1] -> FC(n)] } -> TANH
  h[t] = z * h[t-1] + (1 - z) * g
}
cell Lstm(n) {
  z = { x[t] -> FC(4*n) + h[t-1] -> FC(4*n) }
  i, f, g, o = z -> SPLIT(4)
  c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (c[t] -> TANH)
}
"""


def load(text: str, **sizes: int) -> archc.Net:
    """A net, from the text."""
    return archc.load(source=text, **sizes)


def scan_of(region: Region) -> Scan:
    """The scan of the first cell that is called."""
    for node in region.nodes:
        if isinstance(node, Scan):
            return node
        if isinstance(node, Call):
            return scan_of(node.region)
    raise AssertionError("no cell")


def shape_of(net: archc.Net) -> str:
    """The shape of the first output."""
    return str(net.program.region.outputs[0].shape)


# --- figures -------------------------------------------------------------------------------------

sizes = st.integers(1, 60)


@given(steps=sizes, d=sizes, n=sizes)
def test_an_elman_layer_costs_what_its_equation_does(steps: int, d: int, n: int) -> None:
    net = load(f"{ELMAN}net N = SEQUENCE({steps}, {d}) -> Elman({n})")
    assert net.params == n * (d + n) + n
    assert net.macs == steps * n * (d + n)
    # Products, the bias, the sum, and five operations for each tanh.
    assert net.flops == 2 * net.macs + steps * n * (1 + 1 + 5)
    assert shape_of(net) == f"({steps}, {n})"


@given(steps=sizes, d=sizes, n=sizes)
def test_an_lstm_costs_four_gates(steps: int, d: int, n: int) -> None:
    net = load(f"{LSTM4}net N = SEQUENCE({steps}, {d}) -> LSTM4({n})")
    assert net.params == 4 * (n * (d + n) + n)
    assert net.macs == 4 * steps * n * (d + n)


@pytest.mark.parametrize("name", ["Rnn", "Gru", "Lstm"])
def test_a_layer_has_the_figures_of_its_equation(name: str) -> None:
    cell = load(f"{FUSED}net N = SEQUENCE(13, 5) -> {name}(7)")
    layer = load(f"net N = SEQUENCE(13, 5) -> {name.upper()}(7)")
    assert (cell.params, cell.macs, cell.flops) == (layer.params, layer.macs, layer.flops)


def test_open_lengths_are_formulas() -> None:
    net = load(f"dim T\n{ELMAN}net N = SEQUENCE(T, 5) -> Elman(7)")
    assert str(net.macs) == "84*T"
    assert net.params == 91
    bound = load(f"dim T\n{ELMAN}net N = SEQUENCE(T, 5) -> Elman(7)", T=11)
    assert bound.macs == 84 * 11


def test_what_is_done_once_costs_once() -> None:
    net = load(
        """
        cell C(n, first) {
          h[0] = first -> FC(n)
          h[t] = { x[t] -> FC(n) + h[t-1] } -> TANH
        }
        net N {
          in a = SEQUENCE(11, 5), b = INPUT(3)
          out a -> C(7, b)
        }
        """
    )
    assert net.macs == 11 * 5 * 7 + 3 * 7


def test_a_state_that_no_output_needs_costs_what_the_module_computes() -> None:
    text = """
        cell Two(n) {
          c[t] = { x[t-1] -> FC(n) + c[t-1] -> FC(n) } -> TANH
          h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> TANH
        }
        net N = SEQUENCE(11, 5) -> Two(7)
    """
    net = load(text)
    assert net.macs == 2 * 11 * 7 * (5 + 7)
    agree(net)


def test_a_cell_in_equations_is_one_region() -> None:
    net = load(f"{ELMAN}net N = SEQUENCE(11, 7) -> [Elman(7)]*3")
    assert net.params == 3 * (7 * 14 + 7)
    assert net.macs == 3 * 11 * 7 * 14


# --- shapes of states ----------------------------------------------------------------------------

SHAPES = {
    "a map": (
        """cell C(n) {
          f, i, g, o = { x[t] | h[t-1] } -> CONV(4*n, 3) -> SPLIT(4, axis=c)
          c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
          h[t] = (o -> SIGMOID) * (c[t] -> TANH)
        }""",
        "SEQUENCE(5, 3, 11, 13) -> C(7)",
        "(5, 7, 11, 13)",
        [("c", "(7, 11, 13)"), ("h", "(7, 11, 13)")],
    ),
    "a smaller map": (
        "cell C(n) { h[t] = { x[t] -> CONV(n, stride=2) + h[t-1] -> CONV(n) } -> TANH }",
        "SEQUENCE(5, 3, 11, 13) -> C(7)",
        "(5, 7, 6, 7)",
        [("h", "(7, 6, 7)")],
    ),
    "a vector beside maps": (
        "cell C(n) { h[t] = { [x[t] -> GAP -> FC(n)] + h[t-1] -> FC(n) } -> TANH }",
        "SEQUENCE(5, 3, 11, 13) -> C(7)",
        "(5, 7)",
        [("h", "(7)")],
    ),
    "a gate on a state alone": (
        """cell C(n) {
          z = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
          h[t] = z * h[t-1]
        }""",
        "SEQUENCE(5, 3) -> C(7)",
        "(5, 7)",
        [("h", "(7)")],
    ),
    "two steps back": (
        "cell C(n) { h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) + h[t-2] -> FC(n) } -> TANH }",
        "SEQUENCE(5, 3) -> C(7)",
        "(5, 7)",
        [("h", "(7)")],
    ),
    "the input of the step before": (
        "cell C(n) { out { x[t] | x[t-1] } -> FC(n) }",
        "SEQUENCE(5, 3) -> C(7)",
        "(5, 7)",
        [("x", "(3)")],
    ),
    "an output that comes back": (
        """cell C(n, m) {
          h = { x[t] -> FC(n) + y[t-1] -> FC(n) } -> TANH
          out y = h -> FC(m)
        }""",
        "SEQUENCE(5, 3) -> C(7, 2)",
        "(5, 2)",
        [("y", "(2)")],
    ),
    "tokens that come back": (
        """cell C(n, vocab) {
          last = x[t-1] when training else y[t-1] -> ARGMAX
          h[t] = { last -> EMBED(n) + h[t-1] -> FC(n) } -> TANH
          out y = h[t] -> FC(vocab)
        }""",
        "TOKENS(5, 19) -> C(7, 19)",
        "(5, 19)",
        [("h", "(7)"), ("y", "(19)"), ("x", "()")],
    ),
    "a block": (
        """block Gate(n) = FC(n) -> SIGMOID
        cell C(n) {
          f = { x[t] | h[t-1] } -> Gate(n)
          h[t] = f * h[t-1] + (1 - f) * ({ x[t] | f * h[t-1] } -> [FC(n) -> TANH]*2)
        }""",
        "SEQUENCE(5, 3) -> C(7)",
        "(5, 7)",
        [("h", "(7)")],
    ),
    "a claim": (
        """cell C(n) {
          h[t] = h[t-1] -> TANH :: (n)
          out { h[t] -> FC(n) + x[t] -> FC(n) }
        }""",
        "SEQUENCE(5, 3) -> C(7)",
        "(5, 7)",
        [("h", "(7)")],
    ),
    "equations in any order": (
        """cell C(n) {
          out b[t]
          b[t] = { a[t] -> FC(n) + b[t-1] } -> TANH
          a[t] = { x[t] -> FC(n) + b[t-1] -> FC(n) } -> TANH
        }""",
        "SEQUENCE(5, 3) -> C(7)",
        "(5, 7)",
        [("b", "(7)")],
    ),
}


@pytest.mark.parametrize("what", SHAPES)
def test_the_shape_of_a_state_is_that_of_its_equation(what: str) -> None:
    cell, chain, output, states = SHAPES[what]
    net = load(f"{cell}\nnet N = {chain}")
    scan = scan_of(net.program.region)
    assert shape_of(net) == output
    assert [(state.name, str(state.shape)) for state in scan.states] == states


def test_the_wires_of_a_scan_carry_their_delays() -> None:
    scan = scan_of(load(f"{LSTM4}net N = SEQUENCE(5, 3) -> LSTM4(7)").program.region)
    late = [(n.name, w.node, w.delay) for n in scan.region.nodes for w in n.inputs if w.delay]
    where = {state.name: state.wire.node for state in scan.states}
    assert late == [("concat", where["h"], 1), ("mul1", where["c"], 1)]
    assert (scan.steps, scan.timed, scan.starts, scan.reverse) == (5, 1, 0, False)


def test_a_start_and_a_memory_come_behind_the_sequences() -> None:
    net = load(
        """
        cell C(n, memory, first) {
          in a, b
          h[0] = first
          scores = { memory -> FC(n) + h[t-1] -> FC(n) } -> FC(1)
          context = { [scores -> SOFTMAX(axis=t)]' @ memory } -> FLATTEN
          h[t] = { a[t] | b[t] | context | h[t-1] } -> FC(n)
        }
        net N {
          in a = SEQUENCE(11, 3), b = SEQUENCE(11, 5), m = SEQUENCE(13, 2), f = INPUT(7)
          out { a, b } -> C(7, m, f)
        }
        """
    )
    scan = scan_of(net.program.region)
    assert (scan.timed, scan.starts, len(scan.inputs)) == (2, 1, 4)
    assert [str(port.shape) for port in scan.region.inputs] == ["(3)", "(5)", "(13, 2)"]
    assert scan.states[0].initial == 2


# --- final states --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "read", "shape"),
    [
        ("GRU(7)", "m.state", "(7)"),
        ("GRU(7, layers=2, bidirectional=yes)", "m.state", "(14)"),
        ("LSTM(7)", "m.state.c", "(7)"),
        ("LSTM(7)", "m.state -> CONCAT", "(14)"),
        ("Elman(7)", "m.state", "(7)"),
        ("LSTM4(7)", "m.state.h", "(7)"),
    ],
)
def test_a_final_state(layer: str, read: str, shape: str) -> None:
    text = f"{ELMAN}{LSTM4}net N {{\n  m = SEQUENCE(11, 5) -> {layer}\n  out {read}\n}}"
    assert shape_of(load(text)) == shape


def test_the_state_of_what_is_no_cell() -> None:
    with pytest.raises(ArchError, match="does not come from a cell"):
        load("net N {\n  m = SEQUENCE(11, 5) -> FC(3)\n  out m.state\n}")


# --- what is wrong -------------------------------------------------------------------------------

WRONG = {
    "h -> FC(n)": "time-index",
    "h[2] -> FC(n)": "time-index",
    "h[t*2] -> FC(n)": "time-index",
    "h[t-1001]": "time-index",
    "h[t-1.5]": "time-index",
    "x": "time-index",
    "h[t+1] -> FC(n)": "future-step",
    "h[t] -> FC(n)": "cycle-without-delay",
    "q[t-1] -> FC(n)": "unknown-state",
    "n[t]": "unknown-state",
    "h[t-1] -> FC(n+1)": "shape-mismatch",
    "h[t-1] -> CONVV(n)": "unknown-operator",
}


@pytest.mark.parametrize("part", WRONG)
def test_a_wrong_equation(part: str) -> None:
    text = f"cell C(n) {{\n  h[t] = {{ x[t] -> FC(n) + {part} }} -> TANH\n}}\n"
    with pytest.raises(ArchError) as caught:
        load(f"{text}net N = SEQUENCE(7, 5) -> C(3)")
    assert [d.code for d in caught.value.diagnostics] == [WRONG[part]]


def test_a_cell_that_nothing_uses_is_checked() -> None:
    text = "cell C(n) {\n  h[t] = h[t] -> FC(n)\n}\nnet N = INPUT(3) -> FC(2)\n"
    result = check_source(Source("net.arch", text))
    assert [d.code for d in result.diagnostics] == ["cycle-without-delay"]


def test_a_start_of_another_shape_names_both_places() -> None:
    text = f"{ELMAN}".replace("h[t] =", "h[0] = x -> FIRST\n  h[t] =")
    with pytest.raises(ArchError) as caught:
        load(f"{text}net N = SEQUENCE(7, 5) -> Elman(3)")
    (wrong,) = caught.value.diagnostics
    assert wrong.message == "h[t] is (3), but h[0] is (5)"
    assert [label.span.text for label in wrong.labels] == ["h[t]", "h[0] = x -> FIRST"]


# --- tables and graphs ---------------------------------------------------------------------------


def test_edges_of_the_graph_have_delays() -> None:
    graph = load(f"{LSTM4}net N = SEQUENCE(5, 3) -> LSTM4(7)").graph()
    late = [(a, b) for a, b, edge in graph.edges(data=True) if edge["delay"] == 1]
    assert sorted(late) == [("lstm4.add", "lstm4.mul1"), ("lstm4.mul3", "lstm4.concat")]


def test_the_table_of_a_cell(golden: Golden) -> None:
    net = load(f"{LSTM4}net N = SEQUENCE(5, 3) -> LSTM4(7) -> LAST -> FC(2)")
    golden(str(net.stats()), GOLDEN / "lstm4.txt")


def test_the_picture_of_a_cell(golden: Golden) -> None:
    net = load(f"{LSTM4}net N = SEQUENCE(5, 3) -> LSTM4(7) -> LAST -> FC(2)")
    golden(to_dot(net.program), GOLDEN / "lstm4.dot")


def test_cells_in_cells_are_lowered_once() -> None:
    cells = "cell C0(n, m) { h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> TANH }\n"
    for depth in range(1, 16):
        cells += f"""
        cell C{depth}(n, m) {{
          u = m -> C{depth - 1}(n, m) -> LAST
          z = {{ x[t] -> FC(n) + u + h[t-1] -> FC(n) }} -> SIGMOID
          h[t] = z * h[t-1]
        }}
        """
    net = load(
        cells + "net N {\n  in a = SEQUENCE(7, 3), b = SEQUENCE(5, 3)\n  out a -> C15(4, b)\n}"
    )
    assert net.params == 16 * (3 * 4 + 4 + 4 * 4 + 4)
