"""The library against figures that were made apart from it.

library.csv has them: counted on published models, or on models written after the papers.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from archc import library
from archc.cost import cost
from archc.graph import Program
from archc.pipeline import Request, load_program
from archc.shapes import Shape

FIGURES = Path(__file__).parent / "library.csv"

# Nets with open lengths, and the length that their figures are for.
STEPS = {
    "bert_base": 128,
    "gpt2": 1024,
    "gpt2_medium": 1024,
    "gpt2_large": 1024,
    "gpt2_xl": 1024,
    "gpt3": 2048,
}


def rows() -> dict[str, dict[str, str]]:
    """The figures by the name of the net."""
    with FIGURES.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def program(name: str) -> Program:
    """A net of the library, lowered."""
    bindings = (("T", STEPS[name]),) if name in STEPS else ()
    loaded = load_program(Request(name, bindings))
    assert loaded.program is not None, loaded.diagnostics
    return loaded.program


def written(shapes: list[Shape]) -> str:
    """Shapes as the table writes them."""
    return " ".join("x".join(str(size) for size in shape.sizes) for shape in shapes)


@pytest.mark.parametrize("name", sorted(rows()))
def test_a_net_has_its_published_figures(name: str) -> None:
    row = rows()[name]
    net = program(name)
    figures = cost(net)
    outputs = [output.shape for output in net.region.outputs if not output.training]
    assert figures.params == int(row["params"])
    assert figures.macs == int(row["macs"])
    assert written(outputs) == row["output"]
    assert written([port.shape for port in net.region.inputs]) == row["input"]


def test_the_library_lacks_none_of_them() -> None:
    assert rows().keys() <= set(library.names())
