"""The rules of thumb: formulas that hold for every size, held against modules of some sizes."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import archc
from archc import library
from archc.dims import Poly, symbols
from cli_harness import run

SIZES = {"C": 6, "H": 5, "W": 7, "K": 4, "R": 3, "T": 11, "d": 8}
NETS = sorted(entry.name for entry in library.entries() if entry.family.startswith("rules/"))


@pytest.mark.parametrize("name", NETS)
def test_formulas_give_the_figures_of_the_module(name: str) -> None:
    net = archc.load(name)
    names = {
        symbol.name for port in net.inputs.values() for size in port for symbol in symbols(size)
    }
    for figure in (net.params, net.macs):
        names |= {symbol.name for symbol in symbols(figure)}
    sizes = {symbol: SIZES[symbol] for symbol in names}
    with torch.device("meta"):
        module = archc.load(name, **sizes).to_torch()
        shapes = [[_at(size, sizes) for size in shape] for shape in net.inputs.values()]
        with FlopCounterMode(display=False) as counter:
            module(*[torch.empty(1, *shape) for shape in shapes])
    assert _at(net.params, sizes) == sum(p.numel() for p in module.parameters())
    assert 2 * _at(net.macs, sizes) == counter.get_total_flops()


def _at(size: int | Poly, sizes: dict[str, int]) -> int:
    return size.evaluate(**sizes) if isinstance(size, Poly) else size


def test_what_is_compared_stands_below_the_formulas() -> None:
    shown = run("stats", str(library.root() / "rules" / "separable.arch")).out
    assert "verified: separable.macs / standard.macs = 1/C + 1/9" in shown.replace("s/s", "s / s")
