"""`--as TOOL` prints what the tool prints, and the differences add up.

tool_figures.csv has what the tools say of archc's own modules and of torchvision's
(benchmarks/tool_figures.py writes it).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

import archc
from archc.conventions import CONVENTIONS, KINDS, Convention
from archc.dims import Dim
from archc.op import REGISTRY, Family, Op
from archc.shapes import Shape
from cli_harness import run

FILE = Path(__file__).parent / "tool_figures.csv"
with FILE.open(encoding="utf-8", newline="") as file:
    RECORDED = list(csv.DictReader(file))
with (Path(__file__).parent / "accuracy" / "cases.csv").open(encoding="utf-8") as file:
    CASES = list(csv.DictReader(file))

# The column, and how it is asked for.
ASKED: dict[str, dict[str, Any]] = {
    "torch": {"convention": "torch"},
    "fvcore": {"convention": "fvcore"},
    "ptflops": {"convention": "ptflops"},
    "thop": {"convention": "thop"},
    "calflops": {"convention": "calflops"},
    "calflops_flops": {"convention": "calflops", "count": "flops"},
    "torchinfo": {"convention": "torchinfo"},
}
EMITTED = [row for row in RECORDED if row["code"] == "archc"]
MODULES = [row for row in RECORDED if row["code"] == "torchvision"]

# fvcore reads a trace without what no output needs: here the last residual sum.
UNNEEDED = {"wavenet": {"fvcore": 32 * 32 * 16_000}}

# What torchvision's code has otherwise, and how much more each tool counts for it.
OTHERWISE_WRITTEN: dict[str, tuple[str, dict[str, int]]] = {
    "alexnet_224": (
        "pools to 6 by 6 what is 6 by 6 already",
        {"fvcore": 9216, "ptflops": 18432, "thop": 18432, "calflops_flops": 9216},
    ),
    "vgg16": (
        "pools to 7 by 7 what is 7 by 7 already",
        {"fvcore": 25088, "ptflops": 50176, "thop": 50176, "calflops_flops": 25088},
    ),
    "vgg16_bn": (
        "pools to 7 by 7 what is 7 by 7 already",
        {"fvcore": 25088, "ptflops": 50176, "thop": 50176, "calflops_flops": 25088},
    ),
    "googlenet": ("activations are functions", {"ptflops": -3_226_160}),
    "inception_v3": (
        "activations, and pooling beside convolutions, are functions",
        {"ptflops": -11_544_640, "thop": -2_002_400},
    ),
    "densenet121": (
        "the last activation and global pooling are functions",
        {"ptflops": -100_352, "thop": -51_200},
    ),
    "mobilenet_v2": ("global pooling is a function", {"ptflops": -62_720, "thop": -64_000}),
    "mobilenet_v3_large": (
        "gates have convolutions, not linear layers, so their biases count",
        {"calflops_flops": 5080},
    ),
    "efficientnet_b0": (
        "gates have convolutions, not linear layers, so their biases count",
        {"calflops_flops": 9340},
    ),
    "shufflenet_v2": (
        "global pooling is a mean",
        {"fvcore": -50_176, "ptflops": -100_352, "thop": -51_200, "calflops_flops": -50_176},
    ),
    "convnext_tiny": (
        "linear layers on maps, and layer normalisation of maps as a function",
        {
            "ptflops": -828_672,
            "thop": -3_314_688,
            "calflops_flops": -10_725_120,
            "torchinfo": -4_146_618_240,
        },
    ),
}


@pytest.mark.parametrize("recorded", EMITTED, ids=lambda row: row["net"].split("\n")[0][:60])
def test_figures_are_those_of_the_tool(recorded: dict[str, str]) -> None:
    assert _wrong(recorded, "functions") == {}


@pytest.mark.parametrize("recorded", MODULES, ids=lambda row: row["net"])
def test_figures_of_code_with_modules(recorded: dict[str, str]) -> None:
    _, more = OTHERWISE_WRITTEN.get(recorded["net"], ("", {}))
    wrong = _wrong(recorded, "modules")
    assert {column: theirs - ours for column, (ours, theirs) in wrong.items()} == more


def test_the_ratios_of_the_accuracy_table_are_those_of_the_recorded_figures() -> None:
    cases = {case["net"]: case for case in CASES if case["needs"] == ""}
    columns = {tool: tool for tool in ASKED if tool in cases["resnet50"]}
    columns["torch"] = "flop_counter-cpu"
    for recorded in MODULES:
        case = cases.get(recorded["net"])
        for column, name in columns.items() if case else ():
            figure = int(recorded[column]) // (2 if column == "torch" else 1)
            assert f"{figure / int(case['macs']):.4f}" == case[name], (case["case"], name)


def _wrong(recorded: dict[str, str], written: Any) -> dict[str, tuple[int, int]]:
    """What is counted and what is recorded, where that is not the same."""
    name, wrong = recorded["net"], {}
    net = archc.load(source=name) if "(" in name else archc.load(name)
    for column, asked in ASKED.items():
        if recorded[column] == "error":
            continue
        tally = net.stats(written=written, **asked).totals.tally
        exact = net.flops if column in ("torch", "calflops_flops") else net.macs
        assert sum(part.difference for part in tally.parts.values()) == tally.counted - exact
        counted = tally.counted - UNNEEDED.get(name, {}).get(column, 0)
        if counted != int(recorded[column]):
            wrong[column] = (counted, int(recorded[column]))
    return wrong


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
    if REGISTRY.get("LSTM") is None:
        pytest.skip("there are no cells yet")
    where = Path(__file__).parent / "accuracy" / "recurrence.arch"
    net = archc.load(f"{where}:cell_loop")
    assert "cell" in net.stats(convention="thop").to_dict()["convention"]["depends_on_code"]


def test_a_convention_is_defined_once() -> None:
    with pytest.raises(TypeError, match="fvcore is defined twice"):

        class Other(Convention):
            name: ClassVar[str] = "fvcore"
