"""The memory of every network of the library: what archc says beside what PyTorch does.

    python benchmarks/memory.py lenet5 resnet50     # some networks
    python benchmarks/memory.py                     # all of them, in two minutes
    python benchmarks/memory.py --markdown          # as a table in Markdown
    python benchmarks/memory.py --write             # the same, into docs/memory.md

What autograd keeps is counted through `torch.autograd.graph.saved_tensors_hooks`: the bytes of the
distinct storages, those of parameters and buffers left out. The peak is that of the bytes of all
storages that are alive, followed operator by operator. Both run on the meta device, where tensors
have shapes and no numbers. What a GPU has one kernel for keeps there what that keeps: dropout a
mask of one byte an element; RMSNORM what flows in and one number for each row; attention queries,
keys, values, the mask, what it makes, and one number for each query and head.
"""

from __future__ import annotations

import argparse
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from pages import MEMORY, write
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archc
from archc import library
from archc.cost import regions_of
from archc.dims import Poly
from archc.graph import Operation, Scan

BATCH = 2
HEAD = ("net", "kept", "by autograd", "off", "peak", "measured", "off")

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


def complete_nets() -> list[str]:
    """The feed-forward networks of the library whose sizes are numbers.

    What attention keeps depends on the kernel, cells have tests of their own, and what is written
    in capitals needs arguments.
    """
    nets = [entry for entry in library.entries() if not entry.family.startswith("rules/")]
    names = sorted([entry.name for entry in nets if entry.name.islower()])
    return [name for name in names if _is_feed_forward(archc.load(name).program.region)]


def _is_feed_forward(region: Any) -> bool:
    sizes = [size for port in region.inputs for size in port.shape.sizes]
    if any(isinstance(size, Poly) for size in sizes):
        return False
    for node in region.nodes:
        if isinstance(node, Operation):
            if node.op.family in ("attention", "recurrent"):
                return False
        elif isinstance(node, Scan) or not all(map(_is_feed_forward, regions_of(node))):
            return False
    return True


def inputs_of(
    net: Any, device: str, batch: int, dtype: str, *, learning: bool = False
) -> list[torch.Tensor]:
    """An example for each input of a net."""
    made = []
    for port in net.program.region.inputs:
        tokens = port.shape.vocabulary is not None
        kind = torch.int64 if tokens else _TYPES[dtype]
        made.append(torch.zeros((batch, *port.shape.sizes), dtype=kind, device=device))
        made[-1].requires_grad_(learning and not tokens)
    return made


def module_of(net: Any, device: str, dtype: str) -> torch.nn.Module:
    """The net's module on a device."""
    with torch.device(device):
        return net.to_torch(recognize=False).to(_TYPES[dtype])


class _RootMeanSquare(torch.autograd.Function):
    """What `torch.rms_norm` keeps on a GPU; elsewhere it is composed of several operators."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, shape: Any, weight: torch.Tensor | None) -> torch.Tensor:
        rows = x.shape[: x.dim() - len(shape)]
        wide = torch.promote_types(x.dtype, torch.float32)
        ctx.save_for_backward(x, torch.empty(rows, dtype=wide, device=x.device), weight)
        return torch.empty(x.shape, dtype=x.dtype, device=x.device)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise NotImplementedError


class _Attention(torch.autograd.Function):
    """What the kernels for attention keep on a GPU."""

    @staticmethod
    def forward(
        ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        wide = torch.promote_types(q.dtype, torch.float32)
        # The kernels write the heads of a step side by side.
        made = torch.empty_like(q.transpose(-3, -2).contiguous()).transpose(-3, -2)
        sums = torch.empty(q.shape[:-1], dtype=wide, device=q.device)
        ctx.save_for_backward(q, k, v, mask, made, sums)
        return made

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise NotImplementedError


def _dropout(x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return torch.native_dropout(x, p, training)[0] if training and 0 < p < 1 else x


def _rms_norm(x: torch.Tensor, shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    return _RootMeanSquare.apply(x, shape, weight)


def _attention(q: Any, k: Any, v: Any, attn_mask: Any = None, **_: Any) -> Any:
    return _Attention.apply(q, k, v, attn_mask)


@contextmanager
def kernels_of_a_gpu() -> Iterator[None]:
    """Let what is one kernel on a GPU keep what it keeps there."""
    with (
        mock.patch.object(F, "dropout", _dropout),
        mock.patch.object(F, "rms_norm", _rms_norm),
        mock.patch.object(F, "scaled_dot_product_attention", _attention),
    ):
        yield


def measured(
    net: Any,
    *,
    batch: int = BATCH,
    dtype: str = "float32",
    device: str = "meta",
    learning: bool = False,
) -> int:
    """The bytes that autograd keeps of a forward pass in training."""
    module = module_of(net, device, dtype).train()
    known = {t.untyped_storage()._cdata for t in (*module.parameters(), *module.buffers())}
    kept: dict[int, Any] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            kept[storage._cdata] = storage
        return tensor

    with kernels_of_a_gpu(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = module(*inputs_of(net, device, batch, dtype, learning=learning))
    del outputs
    return sum([storage.nbytes() for storage in kept.values()])


class Live(TorchDispatchMode):
    """Follows the storages that are alive while a module runs."""

    def __init__(self, known: set[int]) -> None:
        super().__init__()
        self.known, self.now, self.peak = set(known), 0, 0

    def watch(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self.known:
            return
        self.known.add(key)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._free, key, storage.nbytes())

    def _free(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self.watch(tensor)
        return out


def measured_peak(
    net: Any, *, batch: int = BATCH, dtype: str = "float32", device: str = "meta"
) -> int:
    """The most bytes that are alive at once in a forward pass outside training."""
    module = module_of(net, device, dtype).eval()
    known = {t.untyped_storage()._cdata for t in (*module.parameters(), *module.buffers())}
    inputs = inputs_of(net, device, batch, dtype)
    with torch.no_grad(), Live(known) as live:
        for one in inputs:
            live.watch(one)
        module(*inputs)
    return live.peak


def computed(net: Any) -> tuple[int, int]:
    """What archc says: the bytes kept for the backward pass, and the peak."""
    kept, peak = net.saved_bytes(batch=BATCH), net.peak_bytes(batch=BATCH)
    assert isinstance(kept, int) and isinstance(peak, int)
    return kept, peak


def row(name: str) -> tuple[str, ...]:
    """The row of a network."""
    net = archc.load(name)
    kept, peak = computed(net)
    autograd, most = measured(net), measured_peak(net)
    return (
        name, f"{kept:,}", f"{autograd:,}", off(kept, autograd),
        f"{peak:,}", f"{most:,}", off(peak, most),
    )  # fmt: skip


def off(said: int, found: int) -> str:
    """How far a figure is off."""
    return "0" if said == found else f"{100 * (said - found) / found:+.2f} %"


def markdown(rows: Iterator[tuple[str, ...]]) -> str:
    """The rows as a Markdown table."""
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *rows]
    return "".join([f"| {' | '.join(cells)} |\n" for cells in lines])


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("nets", nargs="*", metavar="NET")
    parser.add_argument("--markdown", action="store_true", help="a table in Markdown")
    parser.add_argument("--write", action="store_true", help="write it into docs/memory.md")
    chosen = parser.parse_args()
    rows = (row(name) for name in chosen.nets or complete_nets())
    if not (chosen.markdown or chosen.write):
        for cells in (HEAD, *rows):
            print(f"{cells[0]:26}", *[f"{cell:>15}" for cell in cells[1:]], flush=True)
        return 0
    table = markdown(rows)
    print(table, end="")
    if chosen.write:
        write(MEMORY, "memory", table.rstrip("\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
