"""The memory of every network of the library: what archc says beside what PyTorch does.

    python benchmarks/memory.py                     # a table of what is kept for the backward pass
    python benchmarks/memory.py --markdown          # the same for docs/memory.md
    python benchmarks/memory.py --peak resnet50     # the peak of a forward pass, measured

What autograd keeps is counted through `torch.autograd.graph.saved_tensors_hooks`: the bytes of the
distinct storages, those of parameters and buffers left out. It runs on the meta device, where
tensors have shapes and no numbers, so that the largest network takes a second. Dropout runs there
as it does on a GPU, where it keeps a mask of one byte an element.
"""

from __future__ import annotations

import argparse
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archc

BATCH = 2
_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


def nets(folder: Path) -> list[str]:
    """The networks of a folder, as commands name them."""
    from archc.library import index

    return sorted(index())


def inputs_of(net: Any, device: str, batch: int, dtype: str) -> list[torch.Tensor]:
    """An example for each input of a net."""
    made = []
    for port in net.program.region.inputs:
        tokens = port.shape.vocabulary is not None
        kind = torch.int64 if tokens else _TYPES[dtype]
        made.append(torch.zeros((batch, *port.shape.sizes), dtype=kind, device=device))
    return made


def module_of(net: Any, device: str, dtype: str) -> torch.nn.Module:
    """The net's module on a device."""
    with torch.device(device):
        return net.to_torch().to(_TYPES[dtype])


@contextmanager
def fused_dropout() -> Iterator[None]:
    """Let dropout run as on a GPU, with a mask of bools."""
    usual = F.dropout

    def dropout(x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        return torch.native_dropout(x, p, training)[0] if training and 0 < p < 1 else usual(x, p, training)

    F.dropout = dropout  # type: ignore[assignment]
    try:
        yield
    finally:
        F.dropout = usual


def measured(net: Any, *, batch: int = BATCH, dtype: str = "float32", device: str = "meta") -> int:
    """The bytes that autograd keeps of a forward pass in training."""
    module = module_of(net, device, dtype).train()
    own = {id(t.untyped_storage()) for t in ()}
    known = {t.untyped_storage()._cdata for t in (*module.parameters(), *module.buffers())}
    kept: dict[int, Any] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            kept[storage._cdata] = storage
            TRACE.append((tuple(tensor.shape), tensor.dtype, storage.nbytes(), storage._cdata))
        return tensor

    with fused_dropout(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = module(*inputs_of(net, device, batch, dtype))
    del outputs
    return sum([storage.nbytes() for storage in kept.values()])

TRACE = []
