"""fvcore.nn.FlopCountAnalysis, which reads the trace of torch's compiler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from archc.conventions.application import Application
from archc.conventions.convention import Count, Rule, Share, Tool, by_calls
from archc.conventions.shares import (
    BATCH_NORMS,
    CONVOLUTIONS,
    DECONVOLUTIONS,
    INSTANCE_NORMS,
    MACS,
    of_taken,
)
from archc.dims import Dim

__all__ = ["Fvcore"]


def _product(application: Application) -> Dim:
    left, right = application.inputs
    return left.elements * right.sizes[-1]


def _interpolated(application: Application) -> Dim:
    if len(application.inputs[0].space) != 2:
        return 0
    mode = application.keyword("mode", "nearest")
    return {"nearest": 1, "bilinear": 4}.get(mode, 0) * application.made


class Fvcore(Tool):
    """Multiply-adds, and operations of normalisation and of some pooling as if they were such."""

    name: ClassVar[str] = "fvcore"
    version: ClassVar[str] = "0.1.5.post20221221"
    prints: ClassVar[Mapping[Count, str]] = {"macs": "FlopCountAnalysis.total()"}
    rules: ClassVar[Mapping[Count, Mapping[str, Rule]]] = {
        "macs": by_calls(
            Rule((*CONVOLUTIONS, *DECONVOLUTIONS, "nn.Linear", "F.linear"), (MACS,)),
            Rule(("@",), (Share(_product, "without the axes that only the right side has"),)),
            Rule(BATCH_NORMS, (of_taken(1, "2 for each element, 1 with affine=no", 2),)),
            Rule(
                ("nn.LayerNorm", "nn.GroupNorm", *INSTANCE_NORMS),
                (of_taken(4, "5 for each element, 4 with affine=no", 5),),
            ),
            Rule(("nn.AdaptiveAvgPool2d",), (of_taken(1, "1 for each element of the input"),)),
            Rule(
                ("F.interpolate",),
                (
                    Share(
                        _interpolated, "images only: 1 for each element of the output, bilinear 4"
                    ),
                ),
            ),
        )
    }
