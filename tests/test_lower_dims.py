"""Symbolic sizes, claims and sketches: sections 5, 7 and 10 of the language."""

from __future__ import annotations

import pytest

from archc.pipeline import Request, load_program
from language import codes, diagnostics, net, only, output

LINE = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"


def test_formulas() -> None:
    rule = net("dim C, H, W\nnet Rule = INPUT(C, H, W) -> CONV(C, 3, bias=no)")
    assert str(rule.params) == "9*C**2"
    assert rule.macs.evaluate(C=5, H=7, W=11) == 9 * 25 * 77


def test_binding_a_dimension() -> None:
    text = "dim T\nnet N = SEQUENCE(T, 5) -> FC(7)"
    assert output(text) == "(T, 7)"
    assert output(text, T=11) == "(11, 7)"


@pytest.mark.parametrize(
    ("facts", "shape"),
    [
        ("dim H", "(3, (H - 2)//2 + 1)"),
        ("dim H % 2 == 0", "(3, H/2)"),
        ("dim H >= 4", "(3, (H - 2)//2 + 1)"),
    ],
)
def test_facts_about_dimensions(facts: str, shape: str) -> None:
    found = output(f"{facts}\nnet N = INPUT(3, H) -> MAXPOOL(2)")
    assert found in (shape, shape.replace("(H - 2)//2 + 1", "H//2"))


def test_facts_hold_when_bound() -> None:
    text = "dim H % 32 == 0\nnet N = INPUT(3, H) -> CONV(5)"
    loaded = load_program(Request("", (("H", 33),), text=text))
    assert loaded.program is None
    assert loaded.diagnostics[0].code == "dimension-fact"


@pytest.mark.parametrize(
    "chain",
    [
        "[CONV(5)] if x.h > 7",
        "[CONV(5)]*x.h",
        "GAP -> FC(x.h)",
        "{ ID + MAXPOOL(2) }",
        "CONV(5) :: (5, 7, 11)",
    ],
)
def test_what_depends_on_an_open_dimension(chain: str) -> None:
    found = codes(f"dim H, W\nnet N = INPUT(3, H, W) -> {chain.replace(']*x.h', ']*(x.h)')}")
    assert found and set(found) <= {"undecided", "shape-mismatch"}


def test_claims_hold() -> None:
    text = """
    dim C, H, W
    net Standard = INPUT(C, H, W) -> CONV(C, 3, bias=no)
    expect params = 9*C**2
    expect macs = 9*C**2*H*W
    expect output = (C, H, W)
    net Separable = INPUT(C, H, W) -> DWCONV(3, bias=no) -> CONV(C, 1, bias=no)
    expect Separable.macs / Standard.macs = 1/C + 1/9
    expect Separable.params = 9*C + C**2
    """
    assert diagnostics(text) == ()


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("params = 41", "params is 40, claimed 41"),
        ("output = (11)", "output is (10), claimed (11)"),
        ("macs <= 29", "macs is 30, claimed <= 29"),
        ("macs = 35 within 10%", "macs is 30, claimed 35 within 10%"),
        ("params = 10 ** 6", "params is 40, claimed 1_000_000"),
    ],
)
def test_claims_fail_with_both_figures(claim: str, message: str) -> None:
    found = only(f"net N = INPUT(3) -> FC(10)\nexpect {claim}")
    assert (found.code, found.message) == ("claim-failed", message)


@pytest.mark.parametrize(
    "claim", ["macs = 33 within 10%", "params < 41", "output = (10)", "input = (3)"]
)
def test_claims_of_every_form(claim: str) -> None:
    assert codes(f"net N = INPUT(3) -> FC(10)\nexpect {claim}") == []


def test_requirements() -> None:
    text = "net N = INPUT(3) -> FC(10)\nrequire params <= 30 and macs <= 600M"
    assert only(text).message == "the requirement does not hold: params is 40, not params <= 30"


def test_shape_claims() -> None:
    found = only("net N = INPUT(3, 8, 8) -> CONV(5, 3, 2) :: (5, 8, 8)")
    assert (found.code, found.message) == (
        "shape-claim-failed",
        "the shape is (5, 4, 4), not (5, 8, 8)",
    )
    assert found.help == "write `:: (5, 4, 4)`"


def test_a_claim_says_what_the_axes_are() -> None:
    text = """
    net N = INPUT(6, 5, 7) -> RESHAPE("(a b) h w -> a (b h) w", a=2) :: SEQUENCE(2, 15, 7) -> RELU
    """
    assert output(text) == "(2, 15, 7)"


def test_a_sketch_asks_for_everything_at_once() -> None:
    found = only(LINE)
    assert found.code == "open-parameters"
    assert (
        found.message == "this sketch leaves open: the input, N, M, K, filters of CONV, units of FC"
    )


def test_a_sketch_flattens_and_says_so() -> None:
    given = (("N", 2), ("M", 3), ("K", 1), ("CONV.filters", 7), ("FC.units", 10))
    loaded = load_program(Request("", given, ((None, (3, 32, 32)),), text=LINE))
    assert loaded.program is not None
    assert loaded.program.notes == ("FLATTEN put in before FC on line 1",)
    assert str(loaded.program.region.outputs[0].shape) == "(10)"


def test_an_option_of_a_sketch_can_be_left_out() -> None:
    given = (("N", 1), ("M", 3), ("K", 0), ("CONV.filters", 7), ("FC.units", 10), ("pool1", False))
    loaded = load_program(Request("", given, ((None, (3, 32, 32)),), text=LINE))
    assert loaded.program is not None
    assert "POOL" not in {getattr(node, "op", None) for node in loaded.program.region.nodes}
    assert loaded.program.region.nodes[0].outputs[0].sizes == (7, 32, 32)


def test_fc_on_a_map_is_an_error_in_a_net() -> None:
    found = only("net N = INPUT(3, 8, 8) -> FC(10)")
    assert found.code == "needs-flatten"
    assert "FLATTEN -> FC(10)" in (found.help or "")


@pytest.mark.parametrize(
    ("facts", "size", "shape"),
    [("H % 32 == 0, H % 3 == 0", 96, "(3, H/6)"), ("H % 4 == 1, H % 3 == 2", 12, "(3, H//6)")],
)
def test_two_facts_about_one_dimension(facts: str, size: int, shape: str) -> None:
    text = f"dim {facts}\nnet N = INPUT(3, H) -> MAXPOOL(6)"
    assert output(text).replace("(H - 5)/6", "H//6") == shape
    assert output(text, H=size + (5 if "1" in facts.split(",")[0][-2:] else 0)) != ""


def test_facts_that_exclude_each_other() -> None:
    assert codes("dim H % 4 == 1, H % 2 == 0\nnet N = INPUT(3, H) -> RELU") == ["dimension-fact"]


def test_brackets_for_parentheses() -> None:
    assert only("net N = INPUT(3) -> FC[10]").help == "write `FC(10)`"


@pytest.mark.parametrize("text", ["3'", "[1]'", "-yes"])
def test_signs_of_values(text: str) -> None:
    assert codes(f"c = {text}\nnet N = INPUT(3) -> FC(5)") != []


def test_a_broken_definition_is_said_once() -> None:
    text = "block B(c) = CONV(c\nnet N = INPUT(3, 8, 8) -> B(5)"
    assert codes(text) == ["unclosed-bracket"]
