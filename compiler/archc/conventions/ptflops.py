"""ptflops.get_model_complexity_info with its default backend, which replaces functions of torch.

Many modules are counted twice: by the hook on the module, and by the function that it calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from archc.conventions.application import Application
from archc.conventions.convention import Count, Rule, Share, Tool, by_calls
from archc.conventions.shares import (
    BATCH_NORMS,
    BIASES,
    CONVOLUTIONS,
    DECONVOLUTIONS,
    INSTANCE_NORMS,
    MACS,
    in_ranks,
    of_made,
    of_taken,
    padded_channels,
)
from archc.dims import Dim

__all__ = ["Ptflops"]

_POOLS = (
    *in_ranks("nn.MaxPool"), *in_ranks("nn.AvgPool"), *in_ranks("nn.AdaptiveAvgPool"),
    *in_ranks("nn.AdaptiveMaxPool"),
)  # fmt: skip
# Counted once: functions that are replaced, and modules that call none of those or have no hook.
_ONCE = (
    "F.relu", "F.relu6", "F.elu", "F.gelu", "F.silu", "F.softmax",
    "nn.ReLU6", "nn.LeakyReLU", "nn.SiLU", "nn.Softmax",
)  # fmt: skip
_TWICE = ("nn.PReLU", "nn.ReLU", "nn.ELU", "nn.GELU")


def _local_response(application: Application) -> Dim:
    return 3 * application.taken + padded_channels(application)


class Ptflops(Tool):
    """Multiply-adds and biases, and an operation or two an element for much else."""

    name: ClassVar[str] = "ptflops"
    version: ClassVar[str] = "0.7.5"
    prints: ClassVar[Mapping[Count, str]] = {"macs": "get_model_complexity_info()[0]"}
    rules: ClassVar[Mapping[Count, Mapping[str, Rule]]] = {
        "macs": by_calls(
            Rule((*CONVOLUTIONS, *DECONVOLUTIONS, "nn.Linear"), (MACS, BIASES)),
            Rule(
                (*BATCH_NORMS, *INSTANCE_NORMS, "nn.GroupNorm"),
                (of_taken(1, "2 for each element, 1 with affine=no", 2),),
            ),
            Rule(("nn.LayerNorm",), (of_taken(1, "1 for each element"),)),
            Rule(_POOLS, (of_taken(2, "2 for each element of the input: module and function"),)),
            Rule(_TWICE, (of_taken(2, "2 for each element: module and function"),)),
            Rule(_ONCE, (of_taken(1, "1 for each element"),)),
            Rule(("F.interpolate",), (of_made(1, "1 for each element of the output"),)),
            Rule(
                ("nn.LocalResponseNorm",),
                (Share(_local_response, "the functions inside: 4 for each element and padding"),),
            ),
        )
    }
