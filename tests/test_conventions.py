"""`--as TOOL` prints what the tool prints, and the differences add up.

tool_figures.csv has what the tools say of archc's own modules and of torchvision's
(benchmarks/tool_figures.py writes it).
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import archc

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


# Where the code that the accuracy table asked about is another than archc's, and for which tools.
OTHER_CODE = {
    "naive softmax(QK)V": ("torch.softmax, no module", {"ptflops", "thop"}),
    "seresnet50 (timm)": ("its gates take a mean", {"fvcore", "ptflops", "thop"}),
    "linear 512->256 batch 4": ("ptflops divides by the batch", {"ptflops"}),
    "einsum btd,de": (
        "one function",
        {"fvcore", "ptflops", "calflops", "thop", "torchinfo"},
    ),
    "F.conv2d + F.linear": ("functions alone", {"fvcore", "ptflops", "thop", "torchinfo"}),
    "tied embedding head": ("a linear layer with the weight", {"ptflops", "thop"}),
    "maxpool 64 @56 only": ("calflops needs a parameter", {"calflops"}),
    "ReLU 64 @56 only": ("calflops needs a parameter", {"calflops"}),
    "GELU 512 T=128 only": ("calflops needs a parameter", {"calflops"}),
}


# The ratios of what is written otherwise are held against what torchvision's module gave, above.
GIVEN_BACK = [case for case in CASES if not case["needs"] and case["net"] not in OTHERWISE_WRITTEN]


@pytest.mark.parametrize("case", GIVEN_BACK, ids=lambda case: case["case"])
def test_the_accuracy_table_is_given_back(case: dict[str, str]) -> None:
    where = FILE.parent / "accuracy" / case["net"]
    net = archc.load(str(where) if ":" in case["net"] else case["net"])
    batch, true = 4 if case["with"] == "batch=4" else 1, int(case["macs"])
    other = set()
    for tool in ("torch", "fvcore", "ptflops", "calflops", "thop", "torchinfo"):
        found = net.stats(convention=tool, count="macs", written="modules").totals.tally.counted
        said = f"{found * batch / true:.4f}" if true else str(found)
        if said != case["flop_counter-cpu" if tool == "torch" else tool]:
            other.add(tool)
    assert other == OTHER_CODE.get(case["case"], ("", set()))[1]


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
