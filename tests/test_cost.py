"""Figures of nets: exact, shared weights once, training-only parts, equal layers at once."""

from __future__ import annotations

import time

import pytest

from archc.cost import Pricing, Totals, bytes_of, cost
from archc.dims import symbol
from archc.graph import Region, Shared
from archc.shapes import feature_map, sequence, tokens, vector
from hand_made import Made, chain, operator

Relu = operator("RELU")
Conv = operator("CONV")
Embedding = operator("EMBED")
Unembedding = operator("UNEMBED")
Input = operator("INPUT")
Add = operator("ADD")
When = operator("WHEN")
FullyConnected = operator("FC")
BatchNorm = operator("BN")
Learned = operator("PARAM")
ArgMax = operator("ARGMAX")

MAP = feature_map(3, 11, 13)


def test_one_convolution() -> None:
    made = Made(MAP, kind="net")
    program = made.out(made.op("conv", Conv(5, 3), made.x())).program()
    pixels = 11 * 13
    weights = 5 * 3 * 9
    assert cost(program) == Totals(
        params=weights + 5, macs=weights * pixels, flops=2 * weights * pixels + 5 * pixels,
        reals=5 * pixels,
    )  # fmt: skip


def test_symbolic_figures() -> None:
    c, h, w = symbol("C"), symbol("H"), symbol("W")
    made = Made(feature_map(c, h, w), kind="net")
    figures = cost(made.out(made.op("conv", Conv(c, 3, bias=False), made.x())).program())
    assert str(figures.params) == "9*C**2"
    assert str(figures.macs) == "9*C**2*H*W"
    assert str(figures.activation_bytes()) == "4*C*H*W"
    assert figures.activation_bytes("float16", 7) == 14 * c * h * w


def test_buffers_count_the_batches_tracked_as_one() -> None:
    made = Made(MAP, kind="net")
    figures = cost(made.out(made.op("bn", BatchNorm(), made.x())).program())
    assert (figures.params, figures.buffers) == (6, 7)


def test_inputs_and_learned_streams_make_no_activations() -> None:
    made = Made(vector(7), kind="net")
    learned = made.op("cls", Learned((7,)))
    entered = made.op("input", Input((7,)), made.x())
    figures = cost(made.out(made.op("add", Add(), entered, learned)).program())
    assert (figures.params, figures.reals) == (7, 7)


def test_tokens_have_eight_bytes() -> None:
    made = Made(sequence(5, vector(7)), kind="net")
    figures = cost(made.out(made.op("argmax", ArgMax(), made.x())).program())
    assert (figures.reals, figures.tokens) == (0, 5)
    assert figures.activation_bytes("int8", batch=3) == 5 * 8 * 3


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float64", 8), ("float32", 4), ("float16", 2), ("bfloat16", 2), ("int8", 1)],
)
def test_sizes_of_types(dtype: str, size: int) -> None:
    assert Totals(params=11, reals=13).param_bytes(dtype) == 11 * size
    assert Totals(params=11, reals=13).activation_bytes(dtype) == 13 * size


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown dtype 'float33'"):
        bytes_of("float33")


def test_a_repeat_costs_its_copies() -> None:
    unit = chain("block", MAP, ("conv", Conv(3)), ("relu", Relu()), name="Unit")
    once, many = Made(MAP, kind="net"), Made(MAP, kind="net")
    single = cost(once.out(once.call("unit", unit, once.x())).program())
    repeated = cost(many.out(many.repeat("unit", [(unit, 17)], many.x())).program())
    assert repeated == single.times(17)


def test_a_hundred_thousand_equal_copies_cost_the_time_of_ten() -> None:
    def seconds(count: int) -> float:
        unit = chain("block", MAP, ("conv", Conv(3)), ("relu", Relu()), name="Unit")
        made = Made(MAP, kind="net")
        program = made.out(made.repeat("unit", [(unit, 1), (unit, count)], made.x())).program()
        start = time.perf_counter()
        cost(program)
        return time.perf_counter() - start

    few = min(seconds(10) for _ in range(7))
    many = min(seconds(100_000) for _ in range(7))
    assert many < 2 * few + 1e-3


def test_regions_within_regions_are_priced_once() -> None:
    region = chain("block", MAP, ("conv", Conv(3)), name="Level0")
    for level in range(60):  # 2**60 convolutions
        made = Made(MAP, name=f"Level{level + 1}")
        first = made.call("first", region, made.x())
        region = made.out(made.call("second", region, first)).region()
    assert cost(region).params == 2**60 * (3 * 3 * 9 + 3)


# --- shared weights -------------------------------------------------------------------------------


def _encoder() -> Region:
    return chain("block", MAP, ("conv", Conv(5)), ("relu", Relu()), name="Encoder")


def test_a_shared_block_stores_once_and_computes_at_each_use() -> None:
    encoder, made = _encoder(), Made(MAP, MAP, kind="net")
    made.shares.append(Shared("enc", encoder))
    first = made.call("encoder", encoder, made.x(0), shared="enc")
    second = made.call("encoder2", encoder, made.x(1), shared="enc")
    figures = cost(made.out(made.op("add", Add(), first, second)).program())
    one = cost(encoder)
    assert figures.params == one.params
    assert figures.macs == 2 * one.macs
    assert figures.reals == 2 * one.reals + 5 * 11 * 13


def test_a_shared_operator_that_is_lent() -> None:
    fc = FullyConnected(7, bias=True)
    inner = Made(vector(7), kind="group")
    inner.borrowed.append("table")
    body = inner.out(inner.op("", fc, inner.x(), shared="table")).region()
    made = Made(vector(7), kind="net")
    made.shares.append(Shared("layer", fc))
    out = made.repeat("fc", [(body, 5)], made.x(), lends=(("table", "layer"),))
    figures = cost(made.out(out).program())
    assert (figures.params, figures.macs) == (7 * 7 + 7, 5 * 49)


def test_shares_of_a_repeated_block_are_made_for_each_copy() -> None:
    fc = FullyConnected(7)
    inner = Made(vector(7), name="Twice")
    inner.shares.append(Shared("layer", fc))
    first = inner.op("fc1", fc, inner.x(), shared="layer")
    twice = inner.out(inner.op("fc2", fc, first, shared="layer")).region()
    made = Made(vector(7), kind="net")
    figures = cost(made.out(made.repeat("twice", [(twice, 3)], made.x())).program())
    assert (figures.params, figures.macs) == (3 * 56, 3 * 2 * 49)


# --- what only training needs ---------------------------------------------------------------------


def _with_head() -> Made:
    made = Made(MAP, kind="net")
    trunk = made.op("conv", Conv(5), made.x())
    head = made.call(
        "head", chain("block", made.shape(trunk), ("conv", Conv(7, 1)), name="Head"), trunk
    )
    return made.out(made.op("relu", Relu(), trunk)).out(head, "aux", training=True)


def test_training_only_parts_store_but_do_not_compute() -> None:
    program = _with_head().program()
    trunk, head = 5 * 27 + 5, 7 * 5 + 7
    figures, training = cost(program), cost(program, training=True)
    assert figures.params == training.params == trunk + head
    assert figures.macs == 5 * 27 * 143
    assert training.macs == 5 * 27 * 143 + 7 * 5 * 143
    assert training.reals - figures.reals == 7 * 143


def test_of_a_stream_that_differs_in_training_the_other_value_is_computed() -> None:
    made = Made(MAP, kind="net")
    in_training = made.op("conv1", Conv(3, 5, bias=False), made.x())
    otherwise = made.op("conv2", Conv(3, 3, bias=False), made.x())
    program = made.out(made.op("when", When(), in_training, otherwise)).program()
    assert cost(program).macs == 9 * 9 * 143
    assert cost(program, training=True).macs == 9 * 25 * 143
    assert cost(program).reals == 3 * 143


def test_a_block_runs_whole_when_one_of_its_outputs_is_wanted() -> None:
    # As its module does: the last copy computes its second stream, though nobody takes it up.
    unit = Made(MAP, MAP, kind="group")
    first = unit.op("conv1", Conv(3, bias=False), unit.x(0))
    second = unit.op("add", Add(), unit.op("conv2", Conv(3, bias=False), unit.x(1)), unit.x(0))
    region = unit.out(first, "a").out(second, "b").region()
    made = Made(MAP, kind="net")
    out = made.repeat("stage", [(region, 3)], made.x(), made.x())
    figures = cost(made.out(out).program())
    assert (figures.params, figures.macs) == (6 * 81, 6 * 81 * 143)


def test_nothing_else_in_a_region_runs_than_what_its_outputs_need() -> None:
    made = Made(MAP, kind="net")
    made.op("unused", Conv(7), made.x())
    figures = cost(made.out(made.op("conv", Conv(3, bias=False), made.x())).program())
    assert (figures.params, figures.macs) == (7 * 27 + 7 + 81, 81 * 143)


def test_training_only_outputs_of_a_net_within_a_net() -> None:
    inner = _with_head().region()
    made = Made(MAP, kind="net")
    made.out(made.call("inner", inner, made.x()))
    assert cost(made.program()).macs == 5 * 27 * 143


def test_captured_streams_are_needed_by_the_copies_that_use_them() -> None:
    unit = Made(MAP, MAP, kind="group", captured=1)
    region = unit.out(unit.op("add", Add(), unit.x(0), unit.x(1))).region()
    made = Made(MAP, kind="net")
    side = made.op("conv", Conv(3, bias=False), made.x())
    out = made.repeat("add", [(region, 4)], made.x(), captures=(side,))
    assert cost(made.out(out).program()).macs == 81 * 143


def test_pricing_answers_for_one_node() -> None:
    made = _with_head()
    region = made.region()
    pricing = Pricing()
    assert pricing.node(region, region.nodes[1], (True,)).macs == 7 * 5 * 143
    assert pricing.node(region, region.nodes[1], (False,)).macs == 0


def test_embeddings_price_their_table() -> None:
    made = Made(tokens(5, 101), kind="net")
    figures = cost(made.out(made.op("embed", Embedding(7), made.x())).program())
    assert (figures.params, figures.macs, figures.reals) == (101 * 7, 0, 35)


def test_a_table_that_unembeds_before_it_embeds() -> None:
    made = Made(sequence(5, vector(7)), tokens(5, 101), kind="net")
    table = Embedding(7)
    made.shares.append(Shared("table", table))
    unembedding = Unembedding("table", vocabulary=101)
    scores = made.op("unembed", unembedding, made.x(0), shared="table")
    embedded = made.op("embed", table, made.x(1), shared="table")
    program = made.out(scores).out(embedded, "embedded").program()
    assert (cost(program).params, cost(program).macs) == (101 * 7, 5 * 7 * 101)
