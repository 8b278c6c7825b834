"""What a picture shows, read from its DOT text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archc.graph import Run, Wire
from archc.render import RenderError, to_dot
from archc.render.labels import amount, count_text, spread
from archc.shapes import feature_map, vector
from conftest import Golden
from render_nets import (
    ADD,
    BN,
    CONCAT,
    CONV,
    FC,
    MAXPOOL,
    RELU,
    Builder,
    loaded,
    residual_block,
    residual_net,
)

GOLDEN = Path(__file__).parent / "golden" / "dot"


def nodes(text: str) -> dict[str, str]:
    """The nodes of a picture and their attributes, by id."""
    return dict(re.findall(r'^ *"([^"]+)" \[(.*)\]$', text, re.MULTILINE))


def edges(text: str) -> list[tuple[str, str, str]]:
    """The edges of a picture with their attributes."""
    return re.findall(r'^  "([^"]+)" -> "([^"]+)"(.*)$', text, re.MULTILINE)


def test_operators_in_a_row_share_a_box() -> None:
    net = Builder("Row", "net", {"x": feature_map(3, 29, 31)})
    stream = net.input()
    for op in (CONV(5, 7, 2), BN(), RELU(), MAXPOOL(3, 2), CONV(7), RELU()):
        stream = net.op(op, stream, name=op.name.lower())
    found = nodes(to_dot(net.out(stream).program()))
    assert list(found) == ["x", "conv", "maxpool", "conv_2", "out"]
    assert "CONV</B> 5, 7×7 /2" in found["conv"]
    assert "BN" in found["conv"] and "RELU" in found["conv"]
    assert "(3, 29, 31)" in found["x"] and "(7, 7, 7)" in found["out"]


def test_a_shape_is_said_where_it_changes() -> None:
    net = Builder("Shapes", "net", {"x": feature_map(5, 11, 13)})
    same = net.op(CONV(5), net.input(), name="same")
    other = net.op(CONV(7, 3, 2), same, name="other")
    last = net.op(CONV(7, 1), other, name="last")
    text = to_dot(net.out(last).program())
    labels = {target: rest for _, target, rest in edges(text)}
    assert "(5, 11, 13)" not in labels["other"]
    assert "(7, 6, 7)" in labels["last"]


def test_copies_are_drawn_once() -> None:
    text = to_dot(residual_net("Same", [(5, 1)], copies=100_000))
    assert "×99999" in text
    assert len(nodes(text)) < 20


def test_copies_whose_shapes_differ_show_the_range() -> None:
    net = Builder("Dense", "net", {"x": feature_map(3, 7, 11)})
    shape, runs = feature_map(3, 7, 11), []
    for _ in range(4):
        group = Builder("", "group", {"x": shape})
        grown = group.op(CONV(2), group.input(), name="conv")
        joined = group.op(CONCAT(), group.input(), grown)
        region = group.out(joined).region()
        shape = region.outputs[0].shape
        runs.append(Run(region, 1))
    text = to_dot(net.out(net.repeat(runs, net.input(), name="layers")).program())
    found = nodes(text)
    assert sum("CONV" in attributes for attributes in found.values()) == 1
    assert "×4" in text
    assert "(3..9, 7, 11)" not in text  # the fork's stream is the input of the net
    assert "(11, 7, 11)" in found["out"]


def test_copies_with_different_arguments_are_drawn_apart_where_there_is_room() -> None:
    net = residual_net("Small", [(5, 1), (7, 2)], copies=3)
    text = to_dot(net)
    assert "CONV</B> 5," in text and "CONV</B> 7," in text
    assert text.count("×2") == 2
    large = to_dot(residual_net("Large", [(c, 1) for c in range(7, 19)], copies=3))
    assert "CONV</B> 7..18," in large
    assert "×12" in large and "×2" in large


def test_the_default_depth_keeps_a_picture_small_and_explains_closed_blocks() -> None:
    net = Builder("Wide", "net", {"x": feature_map(5, 7, 11)})
    stream = net.input()
    for number in range(30):
        block = residual_block(5 + number % 2, 1, net.shape(stream))
        stream = net.call(block, stream, name=f"block{number}")
    program = net.out(stream).program()
    text = to_dot(program)
    found = nodes(text)
    assert len(found) < 75
    assert sum('class="block"' in attributes for attributes in found.values()) == 30
    assert any(key.startswith("Residual.") for key in found)
    assert not any(key.startswith("Residual.") for key in nodes(to_dot(program, depth=0)))


def test_depth_opens_blocks() -> None:
    net = residual_net("Deep", [(5, 1)], copies=2)
    assert 'class="block"' in to_dot(net, depth=0)
    opened = to_dot(net, depth=1)
    assert 'class="block"' not in opened and "Residual" in opened


def test_a_picture_that_is_too_large_is_refused() -> None:
    net = Builder("Huge", "net", {"x": vector(7)})
    stream = net.input()
    for number in range(9000):
        stream = net.op(FC(7), stream, name=f"fc{number}")
    with pytest.raises(RenderError, match="boxes"):
        to_dot(net.out(stream).program(), depth=3)


def test_blocks_in_blocks_do_not_multiply_the_work() -> None:
    region = residual_block(5, 1, feature_map(5, 7, 11))
    for level in range(60):
        outer = Builder(f"Level{level}", "block", {"x": feature_map(5, 7, 11)})
        stream = outer.input()
        for name in ("first", "second"):
            stream = outer.call(region, stream, name=name)
        region = outer.out(stream).region()
    net = Builder("Doubling", "net", {"x": feature_map(5, 7, 11)})
    program = net.out(net.call(region, net.input(), name="top")).program()
    assert len(nodes(to_dot(program))) < 200
    with pytest.raises(RenderError, match="boxes"):
        to_dot(program, depth=60)


def test_what_serves_training_alone_is_dashed() -> None:
    net = Builder("Heads", "net", {"x": vector(5)})
    trunk = net.op(FC(7), net.input(), name="trunk")
    extra = net.op(FC(3), trunk, name="extra")
    head = net.op(FC(2), trunk, name="head")
    net.out(head).out(extra, "aux", training=True)
    text = to_dot(net.program())
    found = nodes(text)
    assert "DASHED" in found["extra"] and "dashed" in found["aux"]
    assert "DASHED" not in found["trunk"] and "DASHED" not in found["head"]
    assert {t for _, t, rest in edges(text) if "dashed" in rest} == {"extra", "aux"}


def test_shared_weights_are_marked() -> None:
    block = residual_block(5, 1, feature_map(5, 7, 11))
    net = Builder("Twins", "net", {"a": feature_map(5, 7, 11), "b": feature_map(5, 7, 11)})
    left = net.call(block, net.input(0), name="left", shared="encoder")
    right = net.call(block, net.input(1), name="right", shared="encoder")
    joined = net.op(ADD(), left, right)
    text = to_dot(net.out(joined).program())
    assert text.count("weights of encoder") == 2
    assert sum('class="block"' in attributes for attributes in nodes(text).values()) == 1


@pytest.mark.parametrize("depth", [0, 1])
def test_a_stream_from_the_past_is_a_dashed_edge_back(depth: int) -> None:
    shape = feature_map(5, 7, 11)
    net = Builder("Past", "net", {"x": shape})
    mixed = net.op(ADD(), net.input(), net.input(), name="mix")
    state = net.call(residual_block(5, 1, shape), mixed, name="state")
    gate = net.call(residual_block(5, 1, shape), mixed, name="gate")
    # What enters the mix and the gate is the state of the step before.
    past = Wire(state.node, 0, delay=1)
    net.nodes[0] = net.nodes[0].replace(inputs=(net.input(), past))
    net.nodes[2] = net.nodes[2].replace(inputs=(past,))
    net.out(state).out(gate, "gated")
    text = to_dot(net.program(), depth=depth)
    back = [(source, target) for source, target, rest in edges(text) if "t-1" in rest]
    assert [target for _, target in back] == ["mix", "gate.fork" if depth else "gate"]
    assert len({source for source, _ in back}) == 1
    assert "\0" not in text


def test_the_legend_has_the_kinds_that_occur() -> None:
    text = to_dot(residual_net("Kinds", [(5, 1)], copies=2))
    legend = text[: text.index('"x" [')]
    assert "convolution" in legend and "arithmetic" in legend
    assert "pooling" not in legend and "embedding" not in legend


def test_pictures_are_the_same_every_time() -> None:
    one = to_dot(residual_net("Twice", [(5, 1), (7, 2)], copies=3))
    assert one == to_dot(residual_net("Twice", [(5, 1), (7, 2)], copies=3))


def test_golden_residual_net(golden: Golden) -> None:
    golden(to_dot(residual_net("Residual", [(5, 1), (7, 2)], copies=3)), GOLDEN / "residual.dot")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([64], "64"),
        ([64, 64], "64"),
        ([64, 128, 512], "64..512"),
        ([56, 28, 7], "56..7"),
        ([5, 2, 7], "2..7"),
        ([(1, 7), (7, 1)], "(1, 7), (7, 1)"),
        ([True, False], "yes, no"),
        (["a"], "a"),
    ],
)
def test_spread(values: list[object], text: str) -> None:
    assert spread(values) == text


def test_words_for_figures() -> None:
    assert amount(25_557_032) == "25.6 M"
    assert amount(4_089_184_256) == "4.09 G"
    assert amount(61_706) == "61.7 k"
    assert amount(999) == "999"
    assert amount("9*C**2") == "9*C**2"
    assert count_text([1, 1]) == ""
    assert count_text([3, 3]) == "×3"
    assert count_text([2, 7, 35, 2]) == "×2, 7, 35, 2"


UNET = """
block Double(c) = [CONV(c) -> BN -> RELU]*2
net UNet(base=5) {
  in image = INPUT(3, 64, 96)
  middle = image
    -> [Double(base * 2**i) as skip -> MAXPOOL(2) for i in range(3)] -> Double(base * 8)
  out middle
    -> [{ DECONV(base * 2**i, 2, 2) | skip[i] } -> Double(base * 2**i) for i in [2, 1, 0]]
    -> CONV(2, 1)
}
"""

KOREAN = """
block 잔차블록(채널, 보폭=1) =
  { CONV(채널, 3, 보폭) -> BN -> RELU -> CONV(채널) -> BN
    + [CONV(채널, 1, 보폭)] if 보폭 != 1 or x.c != 채널 } -> RELU
net 숫자인식 {
  in 사진 = INPUT(1, 28, 28)
  특징 = 사진 -> CONV(16) -> 잔차블록(32, 2) -> [잔차블록(32)]*3 -> GAP
  out 숫자 = 특징 -> FC(10), 뒤집힘 = 특징 -> FC(2) -> SOFTMAX
}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("unet", UNET), ("korean", KOREAN), ("resnet152", None)],
)
def test_golden_pictures(name: str, text: str | None, golden: Golden) -> None:
    golden(to_dot(loaded("" if text else name, text)), GOLDEN / f"{name}.dot")


def test_what_goes_down_and_up_again_is_drawn_as_a_u() -> None:
    text = to_dot(loaded("", UNET))
    assert text.count("rank=same") == 3
    rising = [(s, t) for s, t, rest in edges(text) if "dir=back" in rest]
    assert ("out", "conv") in rising
    assert not any("image" in pair for pair in rising)
    assert "rank=same" not in to_dot(loaded("resnet18"))


def test_loop_variables_are_told() -> None:
    text = to_dot(loaded("resnet152"))
    assert "c = 64, 128, 256, 512" in text
    assert "n = 3, 8, 36, 3" in text
    assert "×2, 7, 35, 2" in text


def test_every_picture_of_the_library_fits_a_page() -> None:
    from archc import library

    nets = [entry.name for entry in library.entries() if not entry.family.startswith("rules")]
    complete = sorted(name for name in nets if name == name.lower())
    assert len(complete) > 30
    for name in complete:
        found = nodes(to_dot(loaded(name)))
        assert 2 < len(found) < 75, name


def test_a_net_may_let_its_input_through() -> None:
    net = Builder("Through", "net", {"x": vector(5)})
    text = to_dot(net.out(net.input()).program())
    assert [(source, target) for source, target, _ in edges(text)] == [("x", "out")]


def test_arithmetic_with_numbers_reads_as_it_is_written() -> None:
    found = nodes(to_dot(loaded("", "net N = INPUT(5) -> SIGMOID -> { 1 - ID } -> { ID * 3 }")))
    assert any("<B>1 −</B>" in attributes for attributes in found.values())
    assert any("<B>×</B> 3" in attributes for attributes in found.values())


TWO_STREAMS = """
block Pair {
  in a, b
  out a -> CONV(5) -> RELU, b + (a -> CONV(7, 1))
}
net N = INPUT(3, 11, 13) -> { CONV(5), CONV(7) } -> [Pair]*4 -> SELECT(1) -> GAP
"""


def test_a_stream_that_only_the_next_copy_takes_says_so() -> None:
    text = to_dot(loaded("", TWO_STREAMS))
    assert text.count("to the next copy") == 1
    assert "to the next copy" not in to_dot(loaded("resnet50"))
