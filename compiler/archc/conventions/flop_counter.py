"""torch.utils.flop_counter.FlopCounterMode, PyTorch's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from archc.conventions.convention import Count, Rule, Tool, by_calls
from archc.conventions.shares import CONVOLUTIONS, DECONVOLUTIONS, MACS, TWICE_MACS

__all__ = ["FlopCounter"]

_PRODUCTS = (*CONVOLUTIONS, *DECONVOLUTIONS, "nn.Linear", "F.linear", "@")


class FlopCounter(Tool):
    """Operations of convolutions and matrix products, two for a multiply-add, and nothing else."""

    name: ClassVar[str] = "torch"
    version: ClassVar[str] = "2.13.0"
    prints: ClassVar[Mapping[Count, str]] = {
        "flops": "FlopCounterMode.get_total_flops()",
        "macs": "half of FlopCounterMode.get_total_flops()",
    }
    rules: ClassVar[Mapping[Count, Mapping[str, Rule]]] = {
        "flops": by_calls(Rule(_PRODUCTS, (TWICE_MACS,))),
        "macs": by_calls(Rule(_PRODUCTS, (MACS,))),
    }
