"""Networks written by others, to be held against what is compiled here."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

__all__ = ["torchvision_models", "torchvision_network"]

# The operators that torchvision registers when its kernels load; networks that classify use none.
_OPERATORS = ("nms", "qnms")
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def torchvision_models() -> Any:
    """The module `torchvision.models`, also where its kernels belong to another build of torch.

    Raises:
        ImportError: torchvision is not installed.
    """
    try:
        import torchvision
    except RuntimeError:
        # Kernels for CUDA do not load into a torch without it, and the rest asks for their names.
        library = torch.library.Library("torchvision", "DEF")
        for name in _OPERATORS:
            library.define(name + _SIGNATURE)
        import torchvision

        torchvision.operators = library  # else its operators go with it
    return torchvision.models


def torchvision_network(name: str, **options: Any) -> nn.Module:
    """A network of torchvision with random weights, by torchvision's name for it."""
    with warnings.catch_warnings():
        # Two networks announce that they will begin otherwise one day.
        warnings.simplefilter("ignore", FutureWarning)
        made: nn.Module = torchvision_models().get_model(name, weights=None, **options)
    return made
