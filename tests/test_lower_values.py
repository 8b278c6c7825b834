"""Values, blocks and nets: sections 4 and 6 of the language."""

from __future__ import annotations

import pytest

from archc.pipeline import Request, load_program
from language import codes, net, only, output


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("7 // 2 + 7 % 2", 4),
        ("2 ** 5", 32),
        ("24.0", 24),
        ("16k", 16000),
        ("1.5k", 1500),
        ("max(3, 7) - min(2, 5)", 5),
        ("sum([2, 3, 5])", 10),
        ("round(2.5) + round(3.5)", 6),
        ("int(7.9) + floor(7.9) + ceil(7.1)", 22),
        ("int(sqrt(49))", 7),
        ("int(log2(64))", 6),
        ("len(range(3, 20, 4))", 5),
        ("[2, 5, 7][-1]", 7),
        ("sum([2, 5, 7, 11][1:3])", 12),
        ("sum([a * b for a, b in zip([2, 3], [5, 7])])", 31),
        ("sum([i * n for i, n in enumerate([2, 3, 5])])", 13),
        ("sum([i * (e + k) for i, (e, k) in enumerate([(2, 3), (5, 7)])])", 12),
        ("3 if 2 > 1 else 5", 3),
        ("3 if 1 < 2 < 3 and not 2 == 3 else 5", 3),
        ("5 if no or yes else 7", 5),
        ('3 if "a" == "b" else 5', 5),
        ("(2, 3)[1]", 3),
    ],
)
def test_values(value: str, expected: int) -> None:
    assert output(f"n = {value}\nnet N = INPUT(3) -> FC(n)") == f"({expected})"


def test_functions_on_values() -> None:
    text = """
    let near(v) = max(8, int(v + 4) // 8 * 8)
    let round8(v) = near(v) + (8 if near(v) < 0.9*v else 0)
    net N = INPUT(3) -> FC(round8(32 * 1.1)) -> FC(round8(9))
    """
    assert net(text).params == 3 * 32 + 32 + 32 * 16 + 16


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("24.5", "argument-value"),
        ("1 // 0", "division-by-zero"),
        ("2 ** 63", "number-too-large"),
        ("2 ** 62 * 2", "number-too-large"),
        ("9 ** 9 ** 9", "number-too-large"),
        ("len(range(10000001))", "list-too-long"),
        ("[1, 2][2]", "index-range"),
        ("max([])", "argument-value"),
        ("sqrt(-1)", "argument-value"),
        ("1 + yes", "value-type"),
        ('"a" * 3', "value-type"),
        ("3 if 1 else 5", "value-type"),
        ("len(3)", "value-type"),
        ("len(1, 2)", "argument-count"),
        ("unknown", "unknown-name"),
        ("RELU", "argument-type"),
    ],
)
def test_values_that_are_none(value: str, code: str) -> None:
    assert set(codes(f"net N = INPUT(3) -> FC({value})")) == {code}


def test_endless_work_ends() -> None:
    nested = "sum([" * 7 + "1" + " for i in range(999)])" * 7
    assert set(codes(f"net N = INPUT(3) -> FC({nested})")) <= {"too-much-work", "list-too-long"}


def test_blocks_have_parameters_with_defaults_from_what_flows_in() -> None:
    text = """
    block SE(m=x.c // 4) = { ID * [GAP -> FC(m) -> RELU -> FC(x.c) -> SIGMOID] }
    net N = INPUT(20, 5, 7) -> SE -> SE(3)
    """
    assert net(text).params == (20 * 5 + 5 + 5 * 20 + 20) + (20 * 3 + 3 + 3 * 20 + 20)


def test_blocks_are_arguments() -> None:
    text = """
    block Residual(f) = { ID + f }
    net Named = INPUT(3, 5, 7) -> Residual(RELU)
    net Chain = INPUT(3, 5, 7) -> Residual(CONV(3) -> BN)
    net Nested = INPUT(3, 5, 7) -> Residual(Residual(CONV(3)))
    """
    figures = {}
    for name in ("Named", "Chain", "Nested"):
        program = load_program(Request(name, text=text)).program
        assert program is not None
        figures[name] = str(program.region.outputs[0].shape)
    assert set(figures.values()) == {"(3, 5, 7)"}


def test_blocks_given_some_of_their_arguments() -> None:
    text = """
    block Unit(c, k=3, act=RELU) = CONV(c, k) -> act
    block Twice(unit) = unit(5) -> unit(7)
    net N = INPUT(2, 11, 13) -> Twice(Unit(k=1, act=TANH))
    """
    assert net(text).params == 2 * 5 + 5 + 5 * 7 + 7


def test_streams_are_arguments() -> None:
    text = """
    block Join(memory) = { ID | memory }
    net N {
      in a = INPUT(3, 5, 7)
      b = a -> CONV(2)
      out a -> [Join(b -> RELU)]*3
    }
    """
    assert output(text) == "(9, 5, 7)"


def test_defaults_of_operators() -> None:
    text = """
    default CONV(bias=no, kernel=1)
    net N = INPUT(3, 5, 7) -> CONV(5) -> CONV(2, bias=yes) -> DWCONV(3)
    """
    assert net(text).params == 15 + 12 + 18


def test_a_net_that_applies_another_keeps_its_open_parameters() -> None:
    text = "net Big(n, classes=10) = INPUT(5) -> [FC(5)]*n -> FC(classes)\nnet small = Big(2)"
    assert output(text) == "(10)"
    small = net(text, classes=7)
    assert small.outputs == {"out": (7,)}
    assert small.hyperparameters == {"classes": 7}


def test_families_take_their_first_member() -> None:
    text = """
    net Pattern(N in 1..3, K in 0..2, width in [5, 7] = 7) =
      INPUT(3, 32, 32) -> [CONV(width) -> RELU]*N -> MAXPOOL(2)? -> GAP -> [FC(2)]*K
    """
    assert net(text).hyperparameters == {"N": 1, "K": 0, "width": 7}
    assert net(text).macs == 189 * 1024
    assert net(text, N=2, width=5, maxpool1=False).macs == (135 + 225) * 1024
    loaded = load_program(Request("", (("width", 6),), text=text))
    assert loaded.program is None
    assert loaded.diagnostics[0].code == "argument-value"


def test_parameters_that_do_not_exist() -> None:
    loaded = load_program(
        Request("", (("clases", 3),), text="net N(classes=5) = INPUT(3) -> FC(classes)")
    )
    assert loaded.program is None
    assert loaded.diagnostics[0].code == "unknown-parameter"
    assert loaded.diagnostics[0].help == "did you mean -p classes?"


def test_several_nets_ask_which() -> None:
    loaded = load_program(Request("", text="net A = INPUT(3) -> FC(2)\nnet B = INPUT(3) -> FC(5)"))
    assert loaded.diagnostics[0].code == "unknown-net"
    assert "A" in (loaded.diagnostics[0].help or "") and "B" in (loaded.diagnostics[0].help or "")


@pytest.mark.parametrize(
    "text",
    [
        "block A = A\nnet N = INPUT(3) -> A",
        "block A = B\nblock B = [C]*2\nblock C = A\nnet N = INPUT(3) -> A",
        "let f(n) = f(n - 1)\nnet N = INPUT(3) -> FC(f(3))",
        "a = b\nb = a\nnet N = INPUT(3) -> FC(a)",
        "net A = A",
    ],
)
def test_recursion_is_reported(text: str) -> None:
    assert set(codes(text)) == {"recursion"}


def test_a_block_that_applies_what_it_is_given_ends() -> None:
    text = "block A(f) = f(f)\nnet N = INPUT(3) -> A(A)"
    assert codes(text) != []


def test_equal_layers_are_one_region() -> None:
    text = "block Basic(c) = { CONV(c) -> BN + ID }\nnet N = INPUT(5, 7, 7) -> [Basic(5)]*100000"
    big = net(text)
    assert big.params == 100000 * (230 + 10)
    (repeat,) = big.program.region.nodes
    assert [run.count for run in repeat.runs] == [100000]


def test_copies_of_different_shape_stay_one_repeat() -> None:
    text = "net N = INPUT(3, 7, 7) -> [CONV(5) -> RELU]*4"
    (repeat,) = net(text).program.region.nodes
    assert [run.count for run in repeat.runs] == [1, 3]


def test_what_a_repeat_must_keep() -> None:
    found = only("net N = INPUT(3, 7, 7) -> [{ CONV(2), CONV(3) }]*2")
    assert found.code == "repeat-arity"


def test_unbounded_growth_is_bounded() -> None:
    assert codes("net N = INPUT(1, 2, 2) -> [{ ID | ID }]*64") != []
    assert codes("net N = INPUT(1, 2, 2) -> [{ ID | CONV(1, 1) }]*1000000") == ["too-many-regions"]
