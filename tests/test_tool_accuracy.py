"""Multiply-adds where the answer has a closed form, and where the known tools disagree.

accuracy/cases.csv has 51 cases. Each names a network of the library or of the files beside it, the
operator that it needs, what binds its sizes, and the true multiply-adds. The other columns are what
the tools say: a multiple of the truth, or their figure where the truth is none. They were asked for
the models that the first column names (torchvision's, timm's and torch's own modules).
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import archc
from archc import library

FOLDER = Path(__file__).parent / "accuracy"
with (FOLDER / "cases.csv").open(encoding="utf-8", newline="") as file:
    CASES = list(csv.DictReader(file))
TOOLS = [name for name in CASES[0] if name not in ("case", "net", "needs", "with", "macs")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_multiply_adds_are_exact(case: dict[str, str]) -> None:
    bindings = {name: int(size) for name, _, size in [_pair(case["with"])] if name}
    batch = bindings.pop("batch", 1)
    net = archc.load(_where(case["net"]), **bindings)
    assert net.stats(batch=batch).to_dict()["macs"] == int(case["macs"])


def test_no_tool_has_them_all() -> None:
    assert len(CASES) == 51
    for tool in TOOLS:
        assert any(case[tool] != ("1.0000" if int(case["macs"]) else "0") for case in CASES)


def test_the_library_has_all_that_are_no_files() -> None:
    assert {case["net"] for case in CASES if ":" not in case["net"]} <= set(library.names())


def _where(net: str) -> str:
    return str(FOLDER / net) if ":" in net else net


def _pair(text: str) -> tuple[str, str, str]:
    return text.partition("=")
