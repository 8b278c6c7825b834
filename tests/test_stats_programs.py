"""Tables of real programs, held against the modules that they become."""

from __future__ import annotations

import json
import re
import time

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archc import library
from archc.cost import cost
from archc.dims import symbols
from archc.graph import Program
from archc.pipeline import Request, load_program
from archc.shapes import Shape
from archc.stats import table
from archc.tables.rows import Row
from archc.torch.module import to_torch

TEXTS = {
    "siamese": """
        block Enc = [CONV(c) -> RELU -> MAXPOOL(2) for c in [5, 7]] -> FLATTEN -> FC(11)
        net Net {
          in a = INPUT(1, 13, 17), b = INPUT(1, 13, 17)
          share enc = Enc()
          d = a -> enc - b -> enc
          out d -> ABS -> FC(1) -> SIGMOID
        }""",
    "auxiliary": """
        block Head(n) = GAP -> FC(n)
        net Net {
          in img = INPUT(3, 17, 19)
          main = img -> CONV(5) -> BN -> RELU as stem -> CONV(7, 3, 2) -> GAP -> FC(11)
          out main
          out aux = stem -> Head(11) when training
        }""",
    "dense": """
        block Layer(k) = { ID | BN -> RELU -> CONV(k, bias=no) }
        net Net =
          INPUT(3, 11, 13) -> [[Layer(5)]*n -> AVGPOOL(2) for n in [2, 3]] -> GAP -> FC(7)""",
    "choices": """
        block Unit(c, s) = { CONV(c, 3, s) -> BN + [CONV(c, 1, s)] if s != 1 or x.c != c } -> RELU
        net Net = INPUT(3, 17, 19) -> [Unit(c, s) for c, s in [(5, 1), (5, 1), (7, 2)]] -> GAP""",
    "bundle": """
        block Cell(c) {
          in a, b
          out b, { a -> CONV(c, 1) + b -> CONV(c, 3) }
        }
        net Net = INPUT(5, 11, 13) -> { ID, ID } -> [Cell(5)]*3 -> SELECT(1)""",
}


def program(name: str) -> Program:
    request = Request("", text=TEXTS[name]) if name in TEXTS else Request(name)
    made = load_program(request).program
    assert made is not None
    sizes = [size for port in made.region.inputs for size in port.shape.sizes]
    opened = sorted({symbol.name for size in sizes for symbol in symbols(size)})
    if opened:
        bound = tuple([(name, STEPS) for name in opened])
        made = load_program(request.replace(bindings=bound)).program
    assert made is not None
    return made


# The library's nets in lower case are complete; those in CamelCase may leave parameters open.
STEPS = 13  # of nets that leave their length open

# The rules of thumb have open sizes: no module, and no sum of numbers.
BOUND = [entry.name for entry in library.entries() if not entry.family.startswith("rules/")]
NETS = [*TEXTS, *sorted({name for name in BOUND if name.islower()})]


@pytest.mark.parametrize("name", NETS)
def test_figures_and_paths_are_those_of_the_module(name: str) -> None:
    net = program(name)
    with torch.device("meta"):
        module = to_torch(net).eval()
        inputs = [example(port.shape) for port in net.region.inputs]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(*inputs)
    figures = cost(net)
    assert figures.params == sum(p.numel() for p in module.parameters())
    assert figures.buffers == sum(b.numel() for b in module.buffers())
    assert 2 * figures.macs == counter.get_total_flops()

    stored = [row for row in table(net).rows if row.figures.params or row.figures.buffers]
    named = [pattern(row) for row in stored]
    modules = {owner(key, named) for key in module.state_dict()}
    assert all(any(re.fullmatch(each, key) for each in named) for key in modules)
    assert all(any(re.fullmatch(each, key) for key in modules) for each in named)


def example(shape: Shape) -> torch.Tensor:
    """One input without numbers."""
    kind = torch.float32 if shape.vocabulary is None else torch.long
    return torch.empty(1, *shape.sizes, dtype=kind)


def owner(key: str, named: list[str]) -> str:
    """The row's path that a tensor belongs to: its own, or that of a module around it."""
    path = key
    while path:
        if any(re.fullmatch(each, path) for each in named):
            return path
        path = path.rpartition(".")[0]
    return key


def pattern(row: Row) -> str:
    """A regular expression for the paths that a row stands for."""

    def some(found: re.Match[str]) -> str:
        first, last = int(found[1]), int(found[2])
        return "(" + "|".join([str(i) for i in range(first, last + 1)]) + ")"

    path = re.escape(row.path).replace(r"\*", r"\d+")
    return re.sub(r"(\d+)\\\.\\\.(\d+)", some, path)


@pytest.mark.parametrize("name", NETS)
def test_rows_add_up_at_every_depth_and_fit_the_terminal(name: str) -> None:
    net = program(name)
    total = cost(net)
    for depth in [None, 0, 1, 2, 3]:
        found = table(net, depth=depth)
        assert sum(row.figures.params for row in found.rows) == total.params  # type: ignore[misc]
        assert sum(row.figures.macs for row in found.rows) == total.macs  # type: ignore[misc]
        assert max(len(line) for line in str(found).split("\n")) <= 80
    data = json.loads(table(net).to_json())
    assert sum(layer["activation_bytes"] for layer in data["layers"]) == data["activation_bytes"]
    assert sum(layer["flops"] for layer in data["layers"]) == data["flops"]


def test_lines_and_columns_are_those_of_the_text() -> None:
    text = "net Net = INPUT(3, 5, 7)\n  -> CONV(4)\n  -> GAP -> FC(11)\n"
    net = load_program(Request("", text=text)).program
    assert net is not None
    found = [(row["op"], row["line"], row["column"]) for row in table(net).to_dict()["layers"]]
    assert found == [("CONV", 2, 6), ("GAP", 3, 6), ("FC", 3, 13)]


def test_a_hundred_thousand_blocks_are_listed_in_the_time_of_ten() -> None:
    text = """
        block Basic(c) = { CONV(c) -> BN -> RELU -> CONV(c) -> BN + ID } -> RELU
        net Net(n) = INPUT(3, 32, 32) -> CONV(64) -> [Basic(64)]*n -> GAP -> FC(10)"""

    def seconds(count: int) -> float:
        start = time.perf_counter()
        net = load_program(Request("", (("n", count),), text=text)).program
        assert net is not None
        table(net).to_json()
        return time.perf_counter() - start

    few = min(seconds(10) for _ in range(5))
    many = min(seconds(100_000) for _ in range(5))
    assert many < 2 * few
