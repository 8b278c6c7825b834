"""Nets as networkx graphs."""

from __future__ import annotations

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.cost import cost
from archc.graph import Operation, Region, RegionOutput, Run, Wire
from archc.netgraph import GraphTooLargeError, flat_graph, graph, region_graph
from archc.shapes import Shape, feature_map, vector
from render_nets import CONCAT, CONV, FC, SUB, Builder, loaded, residual_net


def test_every_operator_of_every_copy_is_a_node() -> None:
    found = flat_graph(residual_net("Net", [(5, 1), (7, 2)], copies=3))
    assert isinstance(found, networkx.MultiDiGraph)
    for path in ("stage.0.first.conv1", "stage.1.rest.0.conv2", "stage.1.rest.1.conv2"):
        node = found.nodes[path]
        assert (node["op"], node["kind"], node["path"]) == ("CONV", "operator", path)
    assert found.nodes["stage.1.first.conv1"]["params"] == 7 * 5 * 9 + 7
    assert found.nodes["stage.1.first.conv1"]["shapes"] == (feature_map(7, 15, 16),)
    assert found.nodes["stage.0.first.conv1"]["line"] == 1
    assert networkx.is_directed_acyclic_graph(found)
    assert [n for n in found if found.in_degree(n) == 0] == ["x"]
    assert [n for n in found if found.out_degree(n) == 0] == ["out"]


def test_edges_keep_the_order_of_operands() -> None:
    net = Builder("Net", "net", {"a": vector(5), "b": vector(5)})
    difference = net.op(SUB(), net.input(1), net.input(0), name="difference")
    found = flat_graph(net.out(difference).program())
    entering = sorted(found.in_edges("difference", data="target_port"), key=lambda edge: edge[2])
    assert [source for source, _, _ in entering] == ["b", "a"]


def test_one_stream_may_enter_twice() -> None:
    net = Builder("Net", "net", {"x": vector(5)})
    twice = net.op(CONCAT(), net.input(), net.input(), name="twice")
    found = flat_graph(net.out(twice).program())
    ports = [data["target_port"] for *_, data in found.in_edges("twice", data=True)]
    assert sorted(ports) == [0, 1]


def test_blocks_below_a_depth_are_nodes() -> None:
    program = residual_net("Net", [(5, 1), (7, 2)], copies=3)
    closed = graph(program, depth=0)
    blocks = {path for path, kind in closed.nodes(data="kind") if kind == "block"}
    assert blocks == {f"stage.{i}.{part}" for i in (0, 1) for part in ("first", "rest.0", "rest.1")}
    assert closed.nodes["stage.0.first"]["op"] == "Residual"
    assert set(graph(program, depth=1)) == set(flat_graph(program))
    assert sum(closed.nodes[n]["params"] for n in closed) == cost(program).params


def test_collected_streams_and_captures_are_followed() -> None:
    shape = vector(3)
    net = Builder("Net", "net", {"x": shape})
    runs = []
    for size in (5, 7):
        group = Builder("", "group", {"x": shape})
        stream = group.op(FC(size), group.input(), name="fc")
        region = group.out(stream).out(stream, "kept").region()
        shape = region.outputs[0].shape
        runs.append(Run(region, 1))
    down = net.repeat(runs, net.input(), name="down", collected=("kept",))
    up = Builder("", "group", {"x": shape, "outer0": vector(5)}, captured=1)
    joined = up.op(CONCAT(), up.input(), up.input(1), name="join")
    up.out(up.op(FC(7), joined, name="fc"))
    first_kept = Wire(down.node, 1)
    out = net.repeat([Run(up.region(), 2, (first_kept,))], down, name="up")
    found = flat_graph(net.out(out).program())
    for copy in (0, 1):
        assert ("down.0.fc", f"up.{copy}.join") in found.edges()
    assert ("down.1.fc", "up.0.join") in found.edges()


def test_delays_are_attributes_of_edges() -> None:
    net = Builder("Net", "net", {"x": vector(5)})
    mixed = net.op(SUB(), net.input(), net.input(), name="mix")
    state = net.op(FC(5), mixed, name="state")
    first = net.nodes[0]
    assert isinstance(first, Operation)
    net.nodes[0] = first.replace(inputs=(first.inputs[0], Wire(state.node, 0, delay=2)))
    net.outputs.append(RegionOutput("", state, net.shape(state)))
    found = flat_graph(net.program())
    assert found.edges["state", "mix", 0]["delay"] == 2
    assert found.edges["mix", "state", 0]["delay"] == 0
    assert found.edges["state", "mix", 0]["target_port"] == 1


def test_a_region_keeps_its_repeats_as_nodes() -> None:
    program = residual_net("Net", [(5, 1), (7, 2)], copies=3)
    found = region_graph(program.region)
    assert found.nodes["stage"]["kind"] == "repeat"
    assert found.nodes["stage"]["count"] == 2
    assert found.nodes["stage"]["params"] == cost(program).params


def test_a_graph_that_is_too_large_is_refused_at_once() -> None:
    program = residual_net("Net", [(5, 1)], copies=100_000)
    with pytest.raises(GraphTooLargeError, match="smaller depth"):
        flat_graph(program)
    with pytest.raises(GraphTooLargeError, match="regions"):
        graph(residual_net("Net", [(5, 1)], copies=200_000), depth=0)


@st.composite
def regions(draw: st.DrawFn, shape: Shape, levels: int = 2) -> Region:
    """A block of convolutions, repeats and other blocks that keeps the shape."""
    block = Builder("Block", "block", {"x": shape})
    stream = block.input()
    for number in range(draw(st.integers(1, 3))):
        what = draw(st.sampled_from(("op", "call", "repeat") if levels else ("op",)))
        if what == "op":
            stream = block.op(CONV(shape.sizes[0], 3), stream, name=f"conv{number}")
        elif what == "call":
            region = draw(regions(shape, levels - 1))
            stream = block.call(region, stream, name=f"block{number}")
        else:
            run = Run(draw(regions(shape, levels - 1)), draw(st.integers(1, 3)))
            stream = block.repeat([run], stream, name=f"stage{number}")
    return block.out(stream).region()


@settings(max_examples=30, deadline=None)
@given(regions(feature_map(3, 5, 7)))
def test_the_nodes_cost_what_the_net_costs(region: Region) -> None:
    net = Builder("Net", "net", {"x": feature_map(3, 5, 7)})
    program = net.out(net.call(region, net.input(), name="top")).program()
    found = flat_graph(program)
    assert sum(found.nodes[n]["params"] for n in found) == cost(program).params
    assert sum(found.nodes[n]["macs"] for n in found) == cost(program).macs
    assert len(set(found)) == found.number_of_nodes()


@pytest.mark.parametrize("name", ["resnet18", "googlenet_aux", "mnist_inception_jump"])
def test_paths_are_those_of_the_state_dict(name: str) -> None:
    from archc.torch.module import to_torch

    program = loaded(name)
    stored = {key.rpartition(".")[0] for key, _ in to_torch(program).named_parameters()}
    found = flat_graph(program)
    assert stored == {path for path, params in found.nodes(data="params") if params}


def test_the_flat_graph_of_a_library_net_has_its_figures() -> None:
    program = loaded("resnet50")
    found = flat_graph(program)
    assert sum(found.nodes[n]["params"] for n in found) == 25_557_032
    assert sum(found.nodes[n]["macs"] for n in found) == 4_089_184_256


TWINS = """
block Encoder = CONV(5, 3) -> RELU -> GAP -> FC(7)
net Twins {
  in a = INPUT(3, 11, 13), b = INPUT(3, 11, 13)
  share encoder = Encoder()
  out a -> encoder - b -> encoder
}
"""


def test_weights_that_a_file_shares_count_at_their_first_use() -> None:
    program = loaded("", text=TWINS)
    found = flat_graph(program)
    stored = {path: params for path, params in found.nodes(data="params") if params}
    assert stored == {"encoder.conv": 5 * 3 * 9 + 5, "encoder.fc": 5 * 7 + 7}
    assert sum(stored.values()) == cost(program).params
    assert [found.nodes[n]["macs"] for n in found if found.nodes[n]["op"] == "FC"] == [35, 35]
    assert found.nodes["encoder.fc_2"]["path"] == "encoder.fc"
    closed = graph(program, depth=0)
    assert closed.nodes["encoder"]["params"] == cost(program).params
    assert closed.nodes["encoder_2"]["params"] == 0
    assert closed.nodes["encoder_2"]["shared_with"] == "encoder"
