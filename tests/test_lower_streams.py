"""Chains, groups, repeats, braces, names: section 3 of the language."""

from __future__ import annotations

import pytest

import archc
from archc.pipeline import Request, load_program
from language import net, only, output

HEAD = "net N = INPUT(3, 11, 13) -> "


@pytest.mark.parametrize(
    ("chain", "shape"),
    [
        ("CONV(5)", "(5, 11, 13)"),
        ("[CONV(5) -> RELU]*3", "(5, 11, 13)"),
        ("[CONV(c) for c in [2, 5, 7]]", "(7, 11, 13)"),
        ("[CONV(c) for c in [2, 5, 7] if c != 7]", "(5, 11, 13)"),
        ("[CONV(a * b) for a in [2, 3] for b in [5, 7]]", "(21, 11, 13)"),
        ("[CONV(k)]*0", "(3, 11, 13)"),
        ("[CONV(5) -> BN] if 1 > 2", "(3, 11, 13)"),
        ("[CONV(5) -> BN] if 2 > 1", "(5, 11, 13)"),
        ("CONV(5) if 1 > 2 else CONV(7)", "(7, 11, 13)"),
        ("{ CONV(2) | CONV(5) | ID }", "(10, 11, 13)"),
        ("{ CONV(3) + ID }", "(3, 11, 13)"),
        ("{ ID * [GAP -> FC(3) -> SIGMOID] }", "(3, 11, 13)"),
        ("{ ID - CONV(3) }", "(3, 11, 13)"),
        ("{ 1 - ID }", "(3, 11, 13)"),
        ("{ ID / 255 }", "(3, 11, 13)"),
        ("{ ID ** 2 }", "(3, 11, 13)"),
        ("{ -ID }", "(3, 11, 13)"),
        ("{ CONV(2), CONV(5) }", "(2, 11, 13) (5, 11, 13)"),
        ("{ CONV(2), CONV(5) } -> CONCAT", "(7, 11, 13)"),
        ("{ CONV(2, k) for k in [1, 3, 5] } -> CONCAT", "(6, 11, 13)"),
        ("{ CONV(2), CONV(5), ID } -> SELECT(1)", "(5, 11, 13)"),
        ("{ CONV(5) + (BN if 1 > 2 else NONE) }", "(5, 11, 13)"),
        ("{ ID | NONE }", "(3, 11, 13)"),
        ("CONV(5) as stem -> { CONV(2) | stem }", "(7, 11, 13)"),
        ("{ ID, ID } -> [SELECT(0..2)]*3 -> SELECT(0)", "(3, 11, 13)"),
        ("CONV(7, 3, 2) :: (7, 6, 7) -> RELU", "(7, 6, 7)"),
        ("MAXPOOL(2)? -> RELU", "(3, 5, 6)"),
        ("[CONV(5) or CONV(7)]", "(5, 11, 13)"),
        ("{ GAP -> FC(5) ** 2 }", "(5)"),
        ("{ CONV(2) + CONV(2) -> CONV(5) | ID }", "(8, 11, 13)"),
    ],
)
def test_shapes_of_chains(chain: str, shape: str) -> None:
    if "+ CONV(2) -> CONV(5)" in chain:
        # `->` binds tighter than `+`: the sum is of 2 and 5 channels.
        assert only(HEAD + chain).code == "shape-mismatch"
        return
    assert output(HEAD + chain.replace("CONV(k)", "CONV(3)")) == shape


def test_an_operand_that_starts_with_an_operator_takes_x() -> None:
    braces = net("block R = { ID + CONV(3) } \n" + HEAD + "R")
    body = net("block R = ID + CONV(3) \n" + HEAD + "R")
    assert braces.params == body.params == 84
    assert braces.macs == body.macs == 3 * 27 * 11 * 13


def test_precedence_of_the_arrow() -> None:
    text = "net N { in a = INPUT(5), b = INPUT(7)\n out a * b -> FC(5) }"
    assert net(text).params == 40
    assert output(text) == "(5)"


def test_an_if_with_else_reads_as_in_python_in_arithmetic() -> None:
    text = """
    block Inv(c, s=1) {
      y = x -> CONV(c, 3, s)
      out x + y if s == 1 and x.c == c else y
    }
    net Same = INPUT(3, 11, 13) -> Inv(3)
    net Other = INPUT(3, 11, 13) -> Inv(5, 2)
    """
    assert load_program(Request("Same", text=text)).program is not None
    other = load_program(Request("Other", text=text)).program
    assert other is not None
    assert str(other.region.outputs[0].shape) == "(5, 6, 7)"


def test_a_bundle_flows_through_a_repeat_into_two_inputs() -> None:
    text = """
    block Cell(c) {
      in previous, here
      out here, { previous -> CONV(c) + here -> CONV(c) }
    }
    net N = INPUT(3, 11, 13) -> CONV(5) -> { ID, ID } -> [Cell(5)]*4 -> SELECT(1)
    """
    assert output(text) == "(5, 11, 13)"
    assert net(text).params == 140 + 4 * 2 * 230


def test_names_inside_a_repeat_are_the_bundle_of_all_copies() -> None:
    text = """
    net N {
      in image = INPUT(3, 16, 24)
      low = image -> [CONV(c) as skip -> MAXPOOL(2) for c in [2, 5, 7]]
      out low -> [UPSAMPLE(2) -> { ID | skip[i] } for i in [2, 1, 0]]
    }
    """
    assert output(text) == "(21, 16, 24)"


def test_slices_and_len_of_bundles() -> None:
    text = """
    net N {
      in v = INPUT(12)
      g = v -> SPLIT(4)
      rest = g[1:]
      out rest -> CONCAT -> FC(len(g) + len(rest))
    }
    """
    assert output(text) == "(7)"


def test_a_number_in_a_bundle_is_a_stream() -> None:
    text = """
    block Layer {
      in h, s
      out h -> CONV(3), { s + h -> CONV(5, 1) }
    }
    net N = INPUT(3, 11, 13) -> { ID, 0 } -> [Layer]*3 -> SELECT(1)
    """
    assert output(text) == "(5, 11, 13)"


def test_unpacking() -> None:
    text = "net N { in v = INPUT(10)\n a, b = v -> SPLIT((3, 7))\n out a, b }"
    assert output(text) == "(3) (7)"


def test_named_outputs_and_inputs() -> None:
    text = """
    net Two {
      in a = INPUT(1, 28, 28), b = INPUT(7)
      f = a -> CONV(5) -> GAP
      out age = f -> FC(1), sex = { f | b } -> FC(2)
    }
    """
    two = net(text)
    assert two.inputs == {"a": (1, 28, 28), "b": (7,)}
    assert two.outputs == {"age": (1,), "sex": (2,)}


def test_training_outputs_count_as_parameters_only() -> None:
    text = """
    net N {
      in a = INPUT(3, 8, 8)
      b = a -> CONV(5)
      out b -> GAP -> FC(10)
      out aux = b -> GAP -> FC(7) when training
    }
    """
    trained = net(text)
    assert trained.params == 140 + 60 + 42
    assert trained.macs == 135 * 64 + 50
    assert list(trained.outputs) == ["out"]


def test_shared_weights_count_once() -> None:
    text = """
    block Enc = CONV(5) -> GAP -> FC(7)
    net Siamese {
      in a = INPUT(3, 11, 13), b = INPUT(3, 11, 13)
      share enc = Enc()
      out { a -> enc - b -> enc } -> ABS -> FC(1)
    }
    """
    pair = net(text)
    assert pair.params == 140 + 42 + 8
    assert pair.macs == 2 * (135 * 143 + 35) + 7


def test_shared_weights_must_fit() -> None:
    text = "net N { in a = INPUT(5), b = INPUT(7)\n share f = FC(3)\n out { a -> f + b -> f } }"
    found = only(text)
    assert found.code == "shared-weights"
    assert "(3, 5) and (3, 7)" in found.message


def test_a_learned_stream_takes_part() -> None:
    text = """
    net N {
      in image = INPUT(3, 6, 10)
      param cls = (1, 5) init normal(0.02)
      patches = image -> CONV(5, 2, 2, pad=0) -> RESHAPE("c h w -> (h w) c")
      out { cls, patches } -> CONCAT(axis=t) :: (16, 5)
    }
    """
    assert output(text) == "(16, 5)"
    assert net(text).params == 65 + 5


def test_statements_are_read_in_order() -> None:
    found = only("net N { in a = INPUT(5)\n out b -> FC(3)\n b = a -> FC(2) }")
    assert found.code == "unknown-name"


def test_a_name_is_given_once() -> None:
    found = only("net N { in a = INPUT(5)\n b = a -> FC(2)\n b = a -> FC(3)\n out b }")
    assert found.code == "doubled-name"
    assert len(found.labels) == 2


def test_a_stream_stands_at_the_head() -> None:
    found = only("net N { in a = INPUT(5)\n b = a -> FC(5)\n out a -> b }")
    assert found.code == "stream-after-arrow"
    assert found.help == "join the two: `{ ID + b }` or `{ ID | b }`"


def test_a_net_is_a_block_inside_another() -> None:
    text = "net Body = INPUT(3, 11, 13) -> CONV(5) -> GAP\nnet Whole = Body -> FC(7)"
    whole = load_program(Request("Whole", text=text)).program
    assert whole is not None
    assert [str(p.shape) for p in whole.region.inputs] == ["(3, 11, 13)"]
    assert str(whole.region.outputs[0].shape) == "(7)"


def test_a_comprehension_walks_over_lists_and_not_over_chains() -> None:
    text = "block B(cs) = [CONV(c) for c in cs]\n" + HEAD + "B([16]*3)"
    found = only(text)
    assert found.message == "expected a list, found a chain"
    assert found.help is not None
    assert output(text.replace("[16]*3", "[16 for i in range(3)]")) == "(16, 11, 13)"


def test_streams_in_parentheses_are_no_bundle() -> None:
    text = (
        "block B {\n  in x, s\n  out { x | s }\n}\n"
        "net N {\n  in x = INPUT(5), s = INPUT(7)\n  out (x, s) -> B\n}"
    )
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=text)
    found = caught.value.diagnostics[0]
    assert found.code == "value-as-stream"
    assert found.message == "(a stream (5), a stream (7)) is a value and cannot flow into B"
    assert found.help is not None and "{ x, y }" in found.help


def test_a_param_without_a_size_is_refused() -> None:
    text = "block U(c) {\n  param g = () init ones\n  out x * g\n}\nnet N = INPUT(3) -> U(3)"
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=text)
    assert caught.value.diagnostics[0].message == "a param needs a size, found ()"
