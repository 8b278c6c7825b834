"""Conventions and kinds as users ask for them: by the command and in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archc
from archc.conventions import CONVENTIONS, KINDS, Convention
from archc.dims import Dim, Poly
from archc.op import Family, Op
from archc.shapes import Shape
from cli_harness import run
from random_nets import Program, write_program

# --- the command, and Python ---------------------------------------------------------------------


def test_the_command_says_where_a_convention_differs() -> None:
    done = run("stats", "lenet5", "--as", "ptflops", "--format", "json")
    data = json.loads(done.out)
    assert data["convention"]["version"] == "0.7.5"
    assert data["convention"]["exact"] == data["macs"] == 416_520
    assert data["convention"]["counted"] == data["counted"] == 435_646
    assert sum(layer["counted"] for layer in data["layers"]) == data["counted"]
    assert {found["operator"] for found in data["convention"]["differences"]} == {
        "AVGPOOL", "CONV", "FC",
    }  # fmt: skip


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex", "html"])
def test_every_format_has_the_column(form: str) -> None:
    done = run("stats", "lenet5", "--as", "thop", "--format", form)
    assert "thop" in done.out or "counted" in done.out
    assert "memory" not in done.out


def test_a_batch_multiplies_what_is_counted() -> None:
    net = archc.load("lenet5")
    one, seven = [net.stats(convention="fvcore", batch=batch).to_dict() for batch in (1, 7)]
    assert seven["counted"] == 7 * one["counted"]
    assert seven["convention"]["exact"] == 7 * one["convention"]["exact"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--as", "nothing"), "unknown convention 'nothing', expected calflops, fvcore"),
        (("--as", "thop", "--count", "flops"), "thop has no flops, only macs"),
        (("--as", "thop", "--with", "bias"), "thop says itself what is counted"),
        (("--with", "biases"), "unknown kind 'biases', expected one of bias, normalisation"),
        (("--without", "bias"), "multiply-adds have no operations to leave out: count flops"),
        (("--count", "flops", "--with", "bias"), "flops count operations of every kind already"),
        (("--written", "modules"), "how the code is written matters to tools: name one"),
        (("--as", "lecture", "--written", "modules"), "lecture reads no code"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_counted_is_said(arguments: tuple[str, ...], said: str) -> None:
    done = run("stats", "lenet5", *arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_the_help_names_every_convention_and_kind() -> None:
    text = " ".join(run("stats", "--help").out.split())
    for name in (*CONVENTIONS, *KINDS):
        assert name in text


# --- with and without -----------------------------------------------------------------------------


def test_all_kinds_are_the_operations_less_one_for_each_multiply_add() -> None:
    for name in ("lenet5", "mobilenet_v1", "convnext_tiny"):
        net = archc.load(name)
        counted = net.stats(include=KINDS).to_dict()["counted"]
        assert counted == net.flops - net.macs
        assert net.stats(count="flops", exclude=KINDS).to_dict()["counted"] == 2 * net.macs


def test_kinds_are_apart() -> None:
    net = archc.load("efficientnet_b0")
    each = {kind: net.stats(include=[kind]).to_dict()["counted"] - net.macs for kind in KINDS}
    assert all(each.values())
    assert sum(each.values()) == net.flops - 2 * net.macs
    assert each["bias"] == archc.load("efficientnet_b0").stats(convention="ptflops").to_dict()[
        "convention"
    ]["differences"][-1]["difference"]  # fmt: skip


@pytest.mark.parametrize("tool", sorted(CONVENTIONS))
def test_a_formula_is_counted_like_a_number(tool: str) -> None:
    source = (
        "dim C, H, W\nnet n = INPUT(C, H, W) -> CONV(2*C) -> BN -> RELU -> MAXPOOL"
        " -> DECONV(C, 3, 1) -> GN(1) -> GAP -> FC(11)"
    )
    sizes = {"C": 6, "H": 10, "W": 14}
    formula = archc.load(source=source).stats(convention=tool).totals.tally.counted
    number = archc.load(source=source, **sizes).stats(convention=tool).totals.tally.counted
    assert formula.evaluate(**sizes) == number


def test_what_is_written_in_many_ways_is_named() -> None:
    class Attention(Op):
        """Stands for an operator whose code has many forms."""

        name: ClassVar[str] = "MANYFORMS"
        family: ClassVar[Family] = "attention"

        def infer(self, *inputs: Shape) -> Shape:
            return inputs[0]

        def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
            return 13 * outputs[0].elements

    net = archc.load(source="INPUT(7) -> FC(5) -> MANYFORMS")
    found = net.stats(convention="fvcore").to_dict()["convention"]
    assert found["depends_on_code"] == ["MANYFORMS"]
    assert found["counted"] == 35 + 65
    assert "MANYFORMS: depends on how the code is written" in str(net.stats(convention="fvcore"))
    assert net.stats(convention="lecture").to_dict()["convention"]["depends_on_code"] == []


def test_cells_are_named_too() -> None:
    where = Path(__file__).parent / "accuracy" / "recurrence.arch"
    net = archc.load(f"{where}:cell_loop")
    assert "cell" in net.stats(convention="thop").to_dict()["convention"]["depends_on_code"]


def test_a_convention_is_defined_once() -> None:
    with pytest.raises(TypeError, match="fvcore is defined twice"):

        class Other(Convention):
            name: ClassVar[str] = "fvcore"


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False).map(write_program), st.sampled_from(sorted(CONVENTIONS)))
def test_rows_and_formulas_agree_with_the_whole(program: Program, tool: str) -> None:
    bound = archc.load(source=program.text).stats(convention=tool)
    whole = bound.totals.tally.counted
    assert sum(layer["counted"] for layer in bound.to_dict()["layers"]) == whole
    formula = archc.load(source=program.symbolic).stats(convention=tool).totals.tally.counted
    value = formula.evaluate(**program.sizes) if isinstance(formula, Poly) else formula
    assert value == whole
