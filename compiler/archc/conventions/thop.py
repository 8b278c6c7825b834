"""thop.profile, which has a hook for each class of modules that it knows."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar

from archc.conventions.application import Application
from archc.conventions.convention import Count, Rule, Share, Tool, by_calls
from archc.conventions.shares import (
    BATCH_NORMS,
    CONVOLUTIONS,
    DECONVOLUTIONS,
    INSTANCE_NORMS,
    MACS,
    in_ranks,
    of_made,
    of_taken,
)
from archc.dims import Dim

__all__ = ["Thop"]


def _deconvolution(application: Application) -> Dim:
    """As if it were a convolution: every element of the output sees the whole kernel."""
    stream = application.inputs[0]
    groups: Dim = application.keyword("groups", 1)
    kernel = prod(application.per_axis(application.argument(2)))
    channels = stream.sizes[stream.features or 0]
    return application.made * (channels // groups) * kernel


def _adaptive(application: Application) -> Dim:
    """The mean size of a window and a division, for each element of the output, cut to an integer.

    torch works it out with floating-point numbers, so an integer may come out one too small.
    """
    stream, output = application.inputs[0], application.outputs[0]
    moved = stream.space or (stream.steps or 0,)
    is_global = output.rank < stream.rank
    sizes: list[tuple[Any, Any]] = [
        (stream.sizes[i], 1 if is_global else output.sizes[i]) for i in moved
    ]
    if not all(isinstance(size, int) for pair in sizes for size in pair):
        return stream.elements + output.elements
    windows = prod([before / after for before, after in sizes])
    made: Any = output.elements
    return int((windows + 1) * made)


def _softmax(application: Application) -> Dim:
    """Exponentials, their sum, divisions; along the features, as nn.Softmax usually runs."""
    stream = application.inputs[0]
    return 3 * stream.elements - application.positions


class Thop(Tool):
    """Multiply-adds, normalisation four times over, and some pooling."""

    name: ClassVar[str] = "thop"
    version: ClassVar[str] = "0.1.1.post2209072238"
    prints: ClassVar[Mapping[Count, str]] = {"macs": "profile()[0]"}
    rules: ClassVar[Mapping[Count, Mapping[str, Rule]]] = {
        "macs": by_calls(
            Rule((*CONVOLUTIONS, "nn.Linear"), (MACS,)),
            Rule(
                DECONVOLUTIONS,
                (Share(_deconvolution, "the kernel at each element of the output, not the input"),),
            ),
            Rule(
                (*BATCH_NORMS, *INSTANCE_NORMS, "nn.LayerNorm"),
                (of_taken(2, "4 for each element, 2 with affine=no", 4),),
            ),
            Rule(("nn.PReLU",), (of_taken(1, "1 for each element"),)),
            Rule(("nn.Softmax",), (Share(_softmax, "3 for each element, less 1 for each sum"),)),
            Rule(in_ranks("nn.AvgPool"), (of_made(1, "1 for each element of the output"),)),
            Rule(
                in_ranks("nn.AdaptiveAvgPool"),
                (Share(_adaptive, "1 for each element of the input and of the output"),),
            ),
        )
    }
