"""What torch's constructors call their arguments, and the values that may be left out.

Operators leave out what equals torch's default. Where one instance of a block gives an argument and
another does not, the default is the value of the one that does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archc.op import Module

__all__ = ["MISSING", "field_name", "filled"]


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING: Any = _Missing()  # an argument without a default

_CONV: Mapping[str, Any] = {
    "in_channels": MISSING, "out_channels": MISSING, "kernel_size": MISSING, "stride": 1,
    "padding": 0, "dilation": 1, "groups": 1, "bias": True, "padding_mode": "zeros",
}  # fmt: skip
_DECONV: Mapping[str, Any] = {
    "in_channels": MISSING, "out_channels": MISSING, "kernel_size": MISSING, "stride": 1,
    "padding": 0, "output_padding": 0, "groups": 1, "bias": True, "dilation": 1,
}  # fmt: skip
_NORM: Mapping[str, Any] = {
    "num_features": MISSING, "eps": 1e-05, "momentum": 0.1, "affine": True,
    "track_running_stats": True,
}  # fmt: skip
_POOL: Mapping[str, Any] = {"kernel_size": MISSING, "stride": None, "padding": 0}

_SIGNATURES: Mapping[str, Mapping[str, Any]] = {
    **{f"nn.Conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"nn.ConvTranspose{n}d": _DECONV for n in (1, 2, 3)},
    **{f"nn.BatchNorm{n}d": _NORM for n in (1, 2, 3)},
    **{
        f"nn.InstanceNorm{n}d": {**_NORM, "affine": False, "track_running_stats": False}
        for n in (1, 2, 3)
    },
    **{
        f"nn.MaxPool{n}d": {**_POOL, "dilation": 1, "return_indices": False, "ceil_mode": False}
        for n in (1, 2, 3)
    },
    **{
        f"nn.AvgPool{n}d": {**_POOL, "ceil_mode": False, "count_include_pad": True}
        for n in (1, 2, 3)
    },
    "nn.Linear": {"in_features": MISSING, "out_features": MISSING, "bias": True},
    "nn.Bilinear": {
        "in1_features": MISSING, "in2_features": MISSING, "out_features": MISSING, "bias": True,
    },
    "nn.LayerNorm": {
        "normalized_shape": MISSING, "eps": 1e-05, "elementwise_affine": True, "bias": True,
    },
    "nn.RMSNorm": {"normalized_shape": MISSING, "eps": None, "elementwise_affine": True},
    "nn.GroupNorm": {"num_groups": MISSING, "num_channels": MISSING, "eps": 1e-05, "affine": True},
    "nn.LocalResponseNorm": {"size": MISSING, "alpha": 0.0001, "beta": 0.75, "k": 1.0},
    "nn.Embedding": {"num_embeddings": MISSING, "embedding_dim": MISSING},
    "nn.Dropout": {"p": 0.5},
    "nn.PReLU": {"num_parameters": 1, "init": 0.25},
}  # fmt: skip


def filled(form: Module) -> dict[str, Any]:
    """All arguments of a constructor by name, those that are left out with torch's default."""
    values = dict(_signature(form))
    values.update({field_name(form, i): value for i, value in enumerate(form.arguments)})
    values.update(dict(form.keywords))
    return {name: value for name, value in values.items() if value is not MISSING}


def field_name(form: Module, position: int) -> str:
    """What the constructor calls its positional argument of that position."""
    names = list(_signature(form))
    return names[position] if position < len(names) else f"argument{position + 1}"


def _signature(form: Module) -> Mapping[str, Any]:
    known = _SIGNATURES.get(form.constructor)
    if known is not None:
        return known
    source = dict(form.helper).get(form.constructor, "")
    return _of_helper(source)


def _of_helper(source: str) -> Mapping[str, Any]:
    found = re.search(r"def __init__\(\s*self,?\s*([^)]*)\)", source)
    names = re.findall(r"(\w+)\s*:", found.group(1)) if found else []
    return dict.fromkeys(names, MISSING)
