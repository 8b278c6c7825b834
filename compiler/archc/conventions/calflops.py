"""calflops.calculate_flops, which replaces functions of torch and has two figures."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import ClassVar

from archc.conventions.application import Application
from archc.conventions.convention import Count, Rule, Share, Tool, by_calls
from archc.conventions.shares import (
    BATCH_NORMS,
    CONVOLUTIONS,
    DECONVOLUTIONS,
    INSTANCE_NORMS,
    MACS,
    TWICE_MACS,
    in_ranks,
    of_taken,
    padded_channels,
)
from archc.dims import Dim

__all__ = ["Calflops"]

_POOLS = (
    *in_ranks("nn.MaxPool"), *in_ranks("nn.AvgPool"), *in_ranks("nn.AdaptiveAvgPool"),
    *in_ranks("nn.AdaptiveMaxPool"),
)  # fmt: skip
# nn.ReLU6 calls another function, which is not replaced.
_FUNCTIONS = (
    "F.relu", "F.relu6", "F.leaky_relu", "F.elu", "F.gelu", "F.silu", "F.softmax", "nn.PReLU",
    "nn.ReLU", "nn.LeakyReLU", "nn.ELU", "nn.GELU", "nn.SiLU", "nn.Softmax",
)  # fmt: skip


def _deconvolution(application: Application) -> Dim:
    """Divided by the groups once too often, and rounded down."""
    groups: Dim = application.keyword("groups", 1)
    filters: Dim = application.argument(1)
    kernel = prod(application.per_axis(application.argument(2)))
    return application.inputs[0].elements * (filters // groups // groups) * kernel


def _deconvolution_biases(application: Application) -> Dim:
    """Biases on the sizes that a convolution with the same arguments would have."""
    if not application.biases:
        return 0
    stream = application.inputs[0]
    kernels = application.per_axis(application.argument(2))
    pads, strides, dilations = [
        application.per_axis(application.keyword(name, default))
        for name, default in (("padding", 0), ("stride", 1), ("dilation", 1))
    ]
    groups: Dim = application.keyword("groups", 1)
    product: Dim = application.argument(1) // groups * application.folded
    moved = stream.space or (stream.steps or 0,)
    for axis, kernel, pad, stride, dilation in zip(
        moved, kernels, pads, strides, dilations, strict=True
    ):
        extent = dilation * (kernel - 1) + 1
        product = product * ((stream.sizes[axis] + 2 * pad - extent) // stride + 1)
    return product


def _local_response(application: Application) -> Dim:
    return 3 * application.taken + padded_channels(application)


_DECONVOLUTION = "divided by the groups twice"


class Calflops(Tool):
    """Multiply-adds alone; or operations, of the functions that it knows."""

    name: ClassVar[str] = "calflops"
    version: ClassVar[str] = "0.3.2"
    prints: ClassVar[Mapping[Count, str]] = {
        "macs": "the MACs of calculate_flops()",
        "flops": "the FLOPs of calculate_flops()",
    }
    rules: ClassVar[Mapping[Count, Mapping[str, Rule]]] = {
        "macs": by_calls(
            Rule((*CONVOLUTIONS, "nn.Linear", "F.linear"), (MACS,)),
            Rule(DECONVOLUTIONS, (Share(_deconvolution, _DECONVOLUTION),)),
        ),
        "flops": by_calls(
            Rule(CONVOLUTIONS, (Share(lambda application: application.flops, "exact"),)),
            Rule(
                DECONVOLUTIONS,
                (
                    Share(
                        lambda application: (
                            2 * _deconvolution(application) + _deconvolution_biases(application)
                        ),
                        f"{_DECONVOLUTION}, biases as in a convolution",
                    ),
                ),
            ),
            Rule(("nn.Linear", "F.linear"), (TWICE_MACS,)),
            Rule(BATCH_NORMS, (of_taken(1, "2 for each element, 1 with affine=no", 2),)),
            Rule(
                ("nn.LayerNorm", "nn.GroupNorm", *INSTANCE_NORMS),
                (of_taken(4, "5 for each element, 4 with affine=no", 5),),
            ),
            Rule((*_POOLS, "F.interpolate"), (of_taken(1, "1 for each element of the input"),)),
            Rule(_FUNCTIONS, (of_taken(1, "1 for each element"),)),
            Rule(
                ("nn.LocalResponseNorm",),
                (Share(_local_response, "the functions inside: 4 for each element and padding"),),
            ),
        ),
    }
