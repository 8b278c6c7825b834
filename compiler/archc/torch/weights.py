"""Weights that others wrote, matched with a net, and turned into its state_dict."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archc.graph import Program
from archc.matching.groups import Entry, Part, grouped
from archc.matching.matching import Given, Matched, match
from archc.matching.places import places
from archc.matching.table import mapping_data, mapping_text
from archc.torch.reading import Read, check_suffix, read_weights, state_in, write_weights

__all__ = ["Weights", "read", "weights"]

# Buffers that hold no weights, by the end of their names.
_BUFFERS = {
    "masked_bias": "a number for masks",
    "inv_freq": "frequencies of positions",
    "position_ids": "numbers of positions",
    "token_type_ids": "numbers of segments",
}
_LARGEST_MASK = 2**26


class Weights:
    """Weights of a file as those of a net. Prints as the table of what goes where."""

    def __init__(self, found: Matched, read: Read, module: nn.Module) -> None:
        self._found, self._read = found, read
        self._names = list(module.state_dict())

    def state_dict(self) -> dict[str, Tensor]:
        """New tensors, in the types of the file; they load strictly into the net's module."""
        made: dict[str, Tensor] = {}
        for pair in self._found.pairs:
            ours = pair.ours.group.parts
            theirs = {part.role: part for part in pair.theirs.parts}
            if len(theirs) == len(ours) == 1:
                theirs = {ours[0].role: pair.theirs.parts[0]}
            for part in ours:
                value = _value(theirs.get(part.role), self._read.state)
                made[part.names[0]] = value.reshape(part.shape)
        return {name: made[name] for name in self._names}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state_dict; the suffix says the format (.safetensors .pth .pt .bin .ckpt).

        Raises:
            archc.matching.problems.WeightsError: for another suffix.
            ImportError: when a safetensors file is to be written without the package.
            archc.output.OutputError: when the file cannot be written.
        """
        check_suffix(Path(path))
        write_weights(Path(path), self.state_dict())

    @property
    def dropped(self) -> dict[str, str]:
        """The tensors of the file that the net has no use for, each with the reason."""
        return dict(self._found.dropped)

    def to_dict(self) -> dict[str, Any]:
        """What goes where, and why, as JSON has it."""
        return mapping_data(self._found)

    def __str__(self) -> str:
        return mapping_text(self._found)

    def __repr__(self) -> str:
        return f"<Weights: {len(self._found.pairs)} layers matched>"


def weights(
    program: Program,
    module: nn.Module,
    read: Read,
    *,
    skip: Sequence[str] = (),
    hand: Mapping[str, str] | None = None,
) -> Weights:
    """Find which tensors of a file are which of a net.

    Args:
        program: the net.
        module: made from it; its weights may be on the device "meta".
        read: the tensors of the file.
        skip: names of the file that are left out.
        hand: names of the file, and where they go in the net.

    Raises:
        archc.matching.problems.WeightsError: when they do not fit, or not in one way only.
        archc.netgraph.GraphTooLargeError: beyond 100,000 operators.
    """
    ours = [Entry(name, tuple(t.shape)) for name, t in module.state_dict().items()]
    there = places(program, grouped(ours))
    return Weights(match(_given(read), there, skip=skip, hand=hand), read, module)


def read(source: str | os.PathLike[str] | nn.Module | Mapping[str, Tensor]) -> Read:
    """The tensors of a file, a module or a state_dict.

    Raises:
        archc.matching.problems.WeightsError: when there are none, or a file cannot be read.
        ImportError: when a safetensors file is to be read without the package.
    """
    if isinstance(source, nn.Module):
        return state_in(source.state_dict(), "the module")._replace(ordered=True)
    if isinstance(source, Mapping):
        return state_in(source, "the mapping")
    return read_weights(Path(source))


def _given(read: Read) -> Given:
    state = read.state
    entries = [Entry(name, tuple(t.shape), _dropped(name, t)) for name, t in state.items()]
    entries += [Entry(name, (), "no tensor") for name in read.others]

    def equal(one: str, other: str) -> bool:
        return torch.equal(state[one], state[other])

    return Given(entries, read.ordered, equal)


def _value(part: Part | None, state: Mapping[str, Tensor]) -> Tensor:
    if part is None:
        return torch.tensor(0)  # the counter of a batch norm, which old files do not have
    tensors = [state[name] for name in part.names]
    tensors = [tensor.T if part.turned else tensor for tensor in tensors]
    whole = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
    sliced = whole if part.rows is None else whole[slice(*part.rows)]
    # What is only a view of the file would be written with all of it.
    return sliced.detach().clone(memory_format=torch.contiguous_format)


def _dropped(name: str, tensor: Tensor) -> str:
    last = name.rpartition(".")[2]
    if last in _BUFFERS:
        return _BUFFERS[last]
    if tensor.dtype == torch.bool or (last == "bias" and _is_mask(tensor)):
        return "a mask"
    if not tensor.is_floating_point() and last != "num_batches_tracked":
        return "whole numbers, not weights"
    return ""


def _is_mask(tensor: Tensor) -> bool:
    """Whether it says that a step sees those before it: ones below the diagonal, else zeros."""
    sizes = tensor.shape[-2:]
    if tensor.dim() < 3 or len(set(sizes)) != 1 or tensor.numel() > _LARGEST_MASK:
        return False
    square = tensor.reshape(-1, *sizes)
    return bool((square == torch.ones_like(square).tril()).all())
