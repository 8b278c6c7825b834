"""The two ways in which the same network is usually written, which tools count differently.

"functions" is what archc emits: activations are functions, pooling over all of space is a mean.
"modules" has a module of torch.nn for each of them, as torchvision's networks mostly do.
"""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["WRITTEN", "Written", "as_module"]

Written = Literal["functions", "modules"]

WRITTEN: tuple[Written, ...] = get_args(Written)

_MODULES = {
    "F.relu": "nn.ReLU",
    "F.relu6": "nn.ReLU6",
    "F.leaky_relu": "nn.LeakyReLU",
    "F.elu": "nn.ELU",
    "F.selu": "nn.SELU",
    "F.gelu": "nn.GELU",
    "F.silu": "nn.SiLU",
    "F.mish": "nn.Mish",
    "F.hardswish": "nn.Hardswish",
    "F.hardsigmoid": "nn.Hardsigmoid",
    "F.softplus": "nn.Softplus",
    "F.softmax": "nn.Softmax",
    "F.log_softmax": "nn.LogSoftmax",
    "torch.sigmoid": "nn.Sigmoid",
    "torch.tanh": "nn.Tanh",
}
_GLOBAL = {"GAP": "nn.AdaptiveAvgPool", "GMP": "nn.AdaptiveMaxPool"}


def as_module(operator: str, calls: tuple[str, ...], rank: int) -> str:
    """The module that does what an operator's functions do; "" where there is none.

    Args:
        operator: the operator's name.
        calls: the functions that it calls.
        rank: the number of axes of space.
    """
    if operator in _GLOBAL:
        return f"{_GLOBAL[operator]}{rank}d"
    return next((_MODULES[name] for name in calls if name in _MODULES), "")
