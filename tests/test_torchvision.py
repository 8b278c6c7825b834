"""Networks of the library beside torchvision's of the same name: each weight has its like."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from peers import torchvision_network
from torch import nn

import archc

# The library's name, torchvision's, and what must be said to it.
NETWORKS: list[tuple[str, str, dict[str, Any]]] = [
    ("alexnet", "alexnet", {}),
    ("vgg11", "vgg11", {}),
    ("vgg16", "vgg16", {}),
    ("vgg19", "vgg19", {}),
    ("googlenet", "googlenet", {"aux_logits": False}),
    ("inception_v3", "inception_v3", {"aux_logits": False}),
    ("resnet18", "resnet18", {}),
    ("resnet50", "resnet50", {}),
    ("resnet152", "resnet152", {}),
    ("resnext50", "resnext50_32x4d", {}),
    ("wide_resnet50", "wide_resnet50_2", {}),
    ("densenet121", "densenet121", {}),
    ("densenet161", "densenet161", {}),
    ("mobilenet_v2", "mobilenet_v2", {}),
    ("mobilenet_v3_small", "mobilenet_v3_small", {}),
    ("mobilenet_v3_large", "mobilenet_v3_large", {}),
    ("efficientnet_b0", "efficientnet_b0", {}),
    ("squeezenet1_1", "squeezenet1_1", {}),
    ("shufflenet_v2", "shufflenet_v2_x1_0", {}),
    ("convnext_tiny", "convnext_tiny", {}),
    ("vit_b_16", "vit_b_16", {}),
]


def sizes(module: nn.Module) -> Counter[int]:
    """How many weights and running statistics there are of each size."""
    state = module.state_dict().values()
    return Counter([tensor.numel() for tensor in state])


@pytest.mark.parametrize(("ours", "theirs", "options"), NETWORKS)
def test_each_weight_has_its_like(ours: str, theirs: str, options: dict[str, Any]) -> None:
    with torch.device("meta"):
        other = torchvision_network(theirs, **options)
        mine = archc.load(ours).to_torch()
    assert sizes(mine) == sizes(other)
