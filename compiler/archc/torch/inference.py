"""The weights of a trained module, for the module that only infers.

Follows the passes of `archc.optimize` one by one: each says which modules of a region become one,
and here their tensors do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from archc.graph import Call, Choice, Operation, Program, Region, Repeat
from archc.ops.deconvolution import Deconv
from archc.ops.normalisation import BatchNorm
from archc.optimize import PASSES
from archc.optimize.folding import fold_normalisation, folds
from archc.optimize.merging import merge_branches, merged_name, mergers
from archc.recognition.rewriting import rewritten

__all__ = ["optimized_state", "ordered"]

_State = dict[str, Tensor]


def optimized_state(program: Program, state: Mapping[str, Tensor]) -> _State:
    """The state_dict of the net for inference from that of the net in training.

    Args:
        program: the net as lowered.
        state: the tensors by their paths.

    Raises:
        KeyError: when a tensor that is folded or merged is missing.
    """
    changed = dict(state)
    for rewrite in PASSES:
        renew = _RENEWALS.get(rewrite, _keep)
        for region, prefix in _regions(program.region, ""):
            renew(region, prefix, changed)
        program = rewritten(program, rewrite)
    return changed


def ordered(module: nn.Module) -> nn.Module:
    """The module with the weights of its 2d convolutions in channels-last order."""
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return module


def _regions(region: Region, prefix: str) -> Iterator[tuple[Region, str]]:
    """Each module of the net once: its region, and the path in front of its tensors."""
    for shared in region.shares:
        if isinstance(shared.what, Region):
            yield from _regions(shared.what, f"{prefix}{shared.name}.")
    for node in region.nodes:
        here = f"{prefix}{node.name}." if node.name else prefix
        if isinstance(node, Call) and node.shared is None:
            yield from _regions(node.region, here)
        elif isinstance(node, Choice):
            yield from _regions(node.region, prefix)
        elif isinstance(node, Repeat):
            copies = [run.region for run in node.runs for _ in range(run.count)]
            for number, copy in enumerate(copies):
                yield from _regions(copy, f"{here}{number}.")
    yield region, prefix


def _fold_all(region: Region, prefix: str, state: _State) -> None:
    for layer, norm in folds(region):
        first, second = region.nodes[layer], region.nodes[norm]
        assert isinstance(first, Operation) and isinstance(second, Operation)
        assert isinstance(second.op, BatchNorm)
        # A transposed convolution has its output channels second.
        axis = 1 if isinstance(first.op, Deconv) else 0
        paths = _path(prefix, first.name), _path(prefix, second.name)
        _fold(state, paths, axis, second.op.eps)


def _path(prefix: str, name: str) -> str:
    return f"{prefix}{name}." if name else prefix


def _fold(state: _State, paths: tuple[str, str], axis: int, eps: float) -> None:
    """weight * s and (bias - mean) * s + shift, where s = scale / sqrt(var + eps), in float64."""
    layer, norm = paths
    weight = state[f"{layer}weight"]
    mean, variance = [state.pop(f"{norm}running_{what}").double() for what in ("mean", "var")]
    state.pop(f"{norm}num_batches_tracked", None)
    factor = (variance + eps).rsqrt()
    scale, shift = state.pop(f"{norm}weight", None), state.pop(f"{norm}bias", None)
    factor = factor if scale is None else factor * scale.double()
    bias = state.get(f"{layer}bias")
    moved = ((0.0 if bias is None else bias.double()) - mean) * factor
    moved = moved if shift is None else moved + shift.double()
    wide = factor.reshape(*[1] * axis, -1, *[1] * (weight.dim() - axis - 1))
    state[f"{layer}weight"] = (weight.double() * wide).to(weight.dtype).detach()
    state[f"{layer}bias"] = moved.to(weight.dtype).detach()


def _merge_all(region: Region, prefix: str, state: _State) -> None:
    for group in mergers(region):
        paths = [_path(prefix, region.nodes[number].name) for number in group]
        whole = _path(prefix, merged_name(region, group))
        for key in [key.removeprefix(paths[0]) for key in state if key.startswith(paths[0])]:
            state[whole + key] = torch.cat([state.pop(path + key) for path in paths])


def _keep(region: Region, prefix: str, state: _State) -> None:
    """Weights stay as they are."""


# What passes do to weights; one that is not here changes none.
_RENEWALS: Mapping[Callable[[Region], Region], Callable[[Region, str, _State], None]] = {
    fold_normalisation: _fold_all,
    merge_branches: _merge_all,
}
