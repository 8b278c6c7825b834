"""The rows of tables: paths, depth, folding, sums; and the data that they become."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.arguments import Module
from archc.cost import Totals, cost, input_shapes, operator_cost
from archc.dims import symbol
from archc.graph import Call, Choice, Operation, Program, Region, Repeat, Shared
from archc.shapes import Shape, feature_map, tokens, vector
from archc.stats import table
from archc.tables.measure import Measure
from archc.tables.rows import Row, shape_range
from hand_made import SPAN, Made, Stream, chain, operator

Relu = operator("RELU")
Conv = operator("CONV")
Embedding = operator("EMBED")
Unembedding = operator("UNEMBED")
Add = operator("ADD")
FullyConnected = operator("FC")

MAP = feature_map(3, 5, 7)


def paths(program: Program, depth: int | None = None) -> list[str]:
    return [row.path for row in table(program, depth=depth).rows]


def test_rows_stand_in_order_with_paths_of_the_state_dict() -> None:
    block = chain("block", MAP, ("conv", Conv(3)), ("relu", Relu()), name="Block")
    made = Made(MAP, kind="net")
    stream = made.call("block", block, made.op("stem", Conv(3), made.x()))
    made.out(made.op("relu", Relu(), stream))
    assert paths(made.program()) == ["stem", "block.conv", "block.relu", "relu"]


def test_a_repeat_of_equal_copies_is_one_row_for_each_operator() -> None:
    block = chain("group", MAP, ("conv", Conv(3)), ("relu", Relu()))
    made = Made(MAP, kind="net")
    rows = table(made.out(made.repeat("stage", [(block, 12)], made.x())).program()).rows
    assert [(row.path, row.repeat) for row in rows] == [("stage.*.conv", 12), ("stage.*.relu", 12)]
    assert rows[0].figures.params == 12 * (3 * 3 * 9 + 3)


def test_the_only_step_of_a_group_is_called_like_the_group() -> None:
    made = Made(MAP, kind="net")
    body = chain("group", MAP, ("", Conv(3)))
    program = made.out(made.repeat("conv", [(body, 4)], made.x())).program()
    assert paths(program) == paths(program, depth=1) == ["conv.*"]


def _widening() -> Program:
    made, wide = Made(MAP, kind="net"), feature_map(64, 5, 7)
    first = chain("group", MAP, ("conv", Conv(64)), ("relu", Relu()))
    rest = chain("group", wide, ("conv", Conv(64)), ("relu", Relu()))
    return made.out(made.repeat("stage", [(first, 1), (rest, 2)], made.x())).program()


def test_copies_of_different_shape_open_into_their_runs() -> None:
    program = _widening()
    assert paths(program, depth=1) == ["stage.*"]
    assert paths(program, depth=2) == ["stage.0", "stage.1..2"]
    expected = ["stage.0.conv", "stage.0.relu", "stage.1..2.conv", "stage.1..2.relu"]
    assert paths(program, depth=3) == paths(program) == expected


def test_a_closed_repeat_goes_from_its_first_input_to_its_last_output() -> None:
    (row,) = table(_widening(), depth=1).rows
    assert (row.op, row.repeat) == ("[CONV -> RELU]", 3)
    assert [shape.sizes for shape in row.inputs] == [(3, 5, 7)]
    assert [shape.sizes for shape in row.outputs] == [(64, 5, 7)]


def test_the_range_of_shapes() -> None:
    shapes = (feature_map(64, 56, 7), feature_map(256, 28, 7), feature_map(128, 14, 7))
    assert shape_range(shapes) == "64..256 × 14..56 × 7"
    h = symbol("H")
    assert shape_range((feature_map(3, h, 5), feature_map(3, h + 1, 5))) == "3 × H..(H + 1) × 5"
    assert shape_range((MAP, vector(4))) == "3 × 5 × 7, 4"


def test_a_choice_adds_no_level_and_an_identity_no_row() -> None:
    taken = chain("group", MAP, ("shortcut", Conv(3, 1)))
    identity = chain("group", MAP)
    made = Made(MAP, kind="net")
    stream = made.choice(identity, made.choice(taken, made.x()))
    stream = made.call("nothing", chain("block", MAP, name="Nothing"), stream)
    assert paths(made.out(stream).program()) == ["shortcut"]
    assert paths(made.program(), depth=1) == ["shortcut"]


def test_depth_0_is_the_net() -> None:
    program = _widening()
    (row,) = table(program, depth=0).rows
    assert (row.op, row.figures) == ("made", cost(program))
    assert [shape.sizes for shape in row.outputs] == [(64, 5, 7)]


# --- shared weights -------------------------------------------------------------------------------


def _siamese() -> Program:
    encoder = chain("block", MAP, ("conv", Conv(5)), ("relu", Relu()), name="Encoder")
    made = Made(MAP, MAP, kind="net")
    made.shares.append(Shared("enc", encoder))
    first = made.call("encoder", encoder, made.x(0), shared="enc")
    second = made.call("encoder2", encoder, made.x(1), shared="enc")
    return made.out(made.op("add", Add(), first, second)).program()


def test_the_first_use_of_shared_weights_has_the_parameters() -> None:
    rows = table(_siamese()).rows
    assert [(row.path, row.figures.params, row.shared_with) for row in rows[:4]] == [
        ("enc.conv", 140, None), ("enc.relu", 0, None),
        ("enc.conv", 0, "enc.conv"), ("enc.relu", 0, None),
    ]  # fmt: skip
    assert rows[0].figures.macs == rows[2].figures.macs > 0


def test_closed_blocks_share_as_well() -> None:
    rows = table(_siamese(), depth=1).rows
    assert [(row.path, row.figures.params, row.shared_with) for row in rows[:2]] == [
        ("enc", 140, None), ("enc", 0, "enc"),
    ]  # fmt: skip


def test_a_closed_block_stores_what_is_lent_to_it_first() -> None:
    fc = FullyConnected(7)
    inner = Made(vector(7), name="Inner")
    inner.borrowed.append("table")
    body = inner.out(inner.op("fc", fc, inner.x(), shared="table")).region()
    made = Made(vector(7), kind="net")
    made.shares.append(Shared("layer", fc))
    stream = made.call("inner", body, made.x(), lends=(("table", "layer"),))
    stream = made.call("inner2", body, stream, lends=(("table", "layer"),))
    program = made.out(stream).program()
    assert [row.figures.params for row in table(program, depth=1).rows] == [56, 0]
    opened = table(program).rows
    assert [(r.path, r.figures.params, r.shared_with) for r in opened] == [
        ("layer", 56, None), ("layer", 0, "layer"),
    ]  # fmt: skip


def test_weights_borrowed_by_name() -> None:
    made = Made(tokens(5, 101), kind="net")
    stream = made.op("wte", Embedding(7), made.x())
    argument = next(a.name for a in Unembedding.arguments if isinstance(a.kind, Module))
    out = made.op("unembed", Unembedding(**{argument: "wte", "vocabulary": 101}), stream)
    rows = table(made.out(out).program()).rows
    assert [(row.path, row.shared_with) for row in rows] == [("wte", None), ("unembed", "wte")]


def test_what_training_alone_needs_is_marked() -> None:
    made = Made(MAP, kind="net")
    trunk = made.op("conv", Conv(5), made.x())
    head = chain("block", made.shape(trunk), ("fc", Conv(7, 1)), name="Head")
    aux = made.call("head", head, trunk)
    program = made.out(trunk).out(aux, "aux", training=True).program()
    rows = table(program).to_dict()["layers"]
    assert [(row["path"], row.get("inactive"), row["macs"] > 0) for row in rows] == [
        ("conv", None, True), ("head.fc", True, False),
    ]  # fmt: skip
    assert rows[1]["params"] == 42
    assert table(program).to_dict()["outputs"] == {"out": [5, 5, 7]}


# --- data -----------------------------------------------------------------------------------------


def test_the_keys_of_the_json() -> None:
    made = Made(feature_map(3, 227, 227), kind="net")
    stream = made.op("conv1", Conv(64, 11, 4, 2), made.x())
    program = made.out(stream).program("AlexNet", hyperparameters=(("classes", 1000),))
    found = table(program).to_dict()
    (layer,) = found.pop("layers")
    assert found == {
        "name": "AlexNet", "file": "made.arch", "hyperparameters": {"classes": 1000},
        "inputs": {"x": [3, 227, 227]}, "outputs": {"out": [64, 56, 56]}, "batch": 1,
        "dtype": "float32", "params": 23296, "buffers": 0, "macs": 72855552, "flops": 145911808,
        "activation_bytes": 802816, "param_bytes": 93184,
    }  # fmt: skip
    assert layer == {
        "path": "conv1", "op": "CONV", "repeat": 1, "input": [3, 227, 227], "output": [64, 56, 56],
        "kernel": [11, 11], "stride": [4, 4], "pad": [2, 2], "dilation": [1, 1], "groups": 1,
        "filters": 64, "params": 23296, "buffers": 0, "macs": 72855552, "flops": 145911808,
        "activation_bytes": 802816, "line": SPAN.position.line, "column": SPAN.position.column,
    }  # fmt: skip
    assert json.loads(table(program).to_json()) == table(program).to_dict()


def test_several_streams_are_lists_of_shapes_and_formulas_are_text() -> None:
    h = symbol("H")
    made = Made(feature_map(3, h, 5), kind="net")
    out = made.op("add", Add(), made.x(), made.op("conv", Conv(3, bias=False), made.x()))
    found = json.loads(table(made.out(out).program()).to_json())
    assert found["macs"] == "405*H"
    assert found["inputs"] == {"x": [3, "H", 5]}
    assert found["layers"][1]["input"] == [[3, "H", 5], [3, "H", 5]]
    assert found["layers"][0]["activation_bytes"] == "60*H"


def test_hyperparameters_of_every_kind() -> None:
    values = (("layers", (2, 3)), ("t", symbol("T")), ("v1", True), ("unit", object), ("name", "a"))
    made = Made(MAP, kind="net")
    program = made.out(made.op("relu", Relu(), made.x())).program(hyperparameters=values)
    found = json.loads(table(program).to_json())["hyperparameters"]
    assert found["layers"] == [2, 3]
    assert (found["t"], found["v1"], found["name"]) == ("T", True, "a")
    assert isinstance(found["unit"], str)


def test_a_batch_multiplies_what_is_computed() -> None:
    program = _widening()
    one, many = table(program).to_dict(), table(program, batch=7, dtype="bfloat16").to_dict()
    assert many["params"] == one["params"]
    assert (many["macs"], many["flops"]) == (7 * one["macs"], 7 * one["flops"])
    assert many["activation_bytes"] * 2 == 7 * one["activation_bytes"]
    assert many["param_bytes"] * 2 == one["param_bytes"]
    assert many["layers"][0]["macs"] == 7 * one["layers"][0]["macs"]


@pytest.mark.parametrize(
    "wrong", [{"dtype": "f4"}, {"count": "adds"}, {"style": "x"}, {"batch": 0}, {"depth": -1}]
)
def test_wrong_choices_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        table(_widening(), **wrong)


def test_blocks_within_blocks_without_end_stay_closed_in_data() -> None:
    region = chain("block", MAP, ("conv", Conv(3)), name="Level0")
    for level in range(40):
        made = Made(MAP, name=f"Level{level + 1}")
        first = made.call("first", region, made.x())
        region = made.out(made.call("second", region, first)).region()
    net = Made(MAP, kind="net")
    program = net.out(net.call("all", region, net.x())).program()
    assert len(table(program, depth=99).rows) == 2**14
    printed = " ".join(str(table(program)).split())
    assert f"all {2**40:,} rows are too many" in printed
    found = table(program)
    assert len(found.rows) == 2**14
    assert Totals.sum(row.figures for row in found.rows) == found.totals
    assert found.totals.params == 2**40 * 84


# --- any net --------------------------------------------------------------------------------------

OPERATORS = (Conv(3), Conv(3, 1, bias=False), Relu())


@st.composite
def regions(draw: st.DrawFn, depth: int, kind: str, name: str = "") -> Region:
    made = Made(MAP, kind=kind, name=name)  # type: ignore[arg-type]
    stream = made.x()
    for number in range(draw(st.integers(0, 4))):
        stream = _step(draw, made, stream, f"n{number}", depth)
    return made.out(stream).region()


def _step(draw: st.DrawFn, made: Made, stream: Stream, name: str, depth: int) -> Stream:
    what = draw(st.sampled_from(["op", "op", "call", "repeat", "choice"] if depth else ["op"]))
    if what == "op":
        return made.op(name, draw(st.sampled_from(OPERATORS)), stream)
    if what == "call":
        return made.call(name, draw(regions(depth - 1, "block", "Block")), stream)
    if what == "choice":
        inside = chain("group", MAP, (f"{name}a", Relu()), (f"{name}b", Conv(3, 1)))
        return made.choice(draw(st.sampled_from([inside, chain("group", MAP)])), stream)
    runs = draw(
        st.lists(st.tuples(regions(depth - 1, "group"), st.integers(1, 3)), min_size=1, max_size=3)
    )
    return made.repeat(name, runs, stream)


def flat(region: Region) -> list[Totals]:
    """Every operator that runs, one by one: what the figures must be the sum of."""
    found: list[Totals] = []
    for node in region.nodes:
        if isinstance(node, Operation):
            found.append(operator_cost(node.op, input_shapes(region, node.inputs), node.outputs))
        elif isinstance(node, Repeat):
            found.extend(t for run in node.runs for _ in range(run.count) for t in flat(run.region))
        elif isinstance(node, (Call, Choice)):
            found.extend(flat(node.region))
    return found


@settings(max_examples=60, deadline=None)
@given(regions(3, "net"))
def test_rows_add_up_to_the_net_at_every_depth(region: Region) -> None:
    program = Program("made", None, region, "made.arch")
    total = Totals.sum(flat(region))
    assert cost(program) == total
    measure = Measure()
    for depth in range(1 + measure.levels(region) + 1):
        rows = table(program, depth=depth).rows
        assert Totals.sum([row.figures for row in rows]) == total
        if depth:
            assert len(rows) == measure.rows(region, depth - 1)
            assert len({row.path for row in rows}) == len(rows)
    assert sum(row.repeat for row in table(program).rows) == len(flat(region))


def test_rows_are_frozen() -> None:
    row: Row = table(_widening()).rows[0]
    with pytest.raises(AttributeError):
        row.path = "other"  # type: ignore[misc]
    shape: Shape = row.outputs[0]
    assert shape.sizes == (64, 5, 7)
