"""Tensors by module: what one layer keeps is one group, which is matched as a whole.

A group is alike another where both have the same roles (weight, bias, running_mean, ...) with the
same shapes. Axes of size 1 at the end do not count, so the weight of a 1 by 1 convolution is alike
that of a linear layer; of a tensor that is alone in its group, neither does its role, nor axes of
size 1 in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Entry", "Group", "Key", "Part", "group_of_name", "grouped"]

Key = tuple[tuple[str, tuple[int, ...]], ...]

_COUNTER = "num_batches_tracked"
_ROLES = {"weight", "bias", "running_mean", "running_var", _COUNTER}
# `in_proj_weight` is the weight of in_proj; `weight_ih_l0` is one of several of a recurrent layer.
_SUFFIXED = re.compile(r"(.+)_(weight|bias)")
_PREFIXED = re.compile(r"(weight|bias)_\w+")
# What TensorFlow calls the weights of a normalisation, and old checkpoints of BERT with it.
_RENAMED = {"gamma": "weight", "beta": "bias"}


class Entry(NamedTuple):
    """One tensor of a file, without its values.

    Args:
        name: its key in the state_dict.
        shape: its sizes.
        dropped: why it is no weight ("a mask"), "" where it is one.
    """

    name: str
    shape: tuple[int, ...]
    dropped: str = ""


class Part(NamedTuple):
    """One tensor of a group, and what of a file makes it.

    Args:
        role: what the layer calls it: "weight", "running_mean".
        shape: its sizes as the layer needs them.
        names: the tensors of the file; several are joined along the first axis.
        turned: whether the file has the two axes exchanged.
        rows: which slice along the first axis, None for the whole.
    """

    role: str
    shape: tuple[int, ...]
    names: tuple[str, ...]
    turned: bool = False
    rows: tuple[int, int] | None = None


class Group(NamedTuple):
    """What one layer keeps: its name (the path of the module), and its tensors."""

    name: str
    parts: tuple[Part, ...]

    @property
    def key(self) -> Key:
        """Equal for groups that are alike. The counter of batch norms may be missing."""
        counted = [part for part in self.parts if part.role != _COUNTER]
        if len(counted) == 1:
            return (("", _stripped(counted[0].shape, front=True)),)
        return tuple(sorted([(part.role, _stripped(part.shape)) for part in counted]))

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes that people want to see: without the statistics of batch norms."""
        plain = [p.shape for p in self.parts if not p.role.startswith(("running_", "num_"))]
        return plain or [part.shape for part in self.parts]

    def part(self, role: str) -> Part | None:
        """The tensor with a role."""
        return next((part for part in self.parts if part.role == role), None)


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """The groups in the order in which the file begins them."""
    entries = list(entries)
    renamed = _normalisations([entry.name for entry in entries])
    found: dict[str, list[Part]] = {}
    for entry in entries:
        name, role = renamed.get(entry.name) or group_of_name(entry.name)
        found.setdefault(name, []).append(Part(role, entry.shape, (entry.name,)))
    return [Group(name, tuple(parts)) for name, parts in found.items()]


def group_of_name(name: str) -> tuple[str, str]:
    """The group and the role of a tensor; one that no layer owns is a group of its own."""
    prefix, dot, last = name.rpartition(".")
    if last in _ROLES or _PREFIXED.fullmatch(last):
        return prefix, last
    suffixed = _SUFFIXED.fullmatch(last)
    if suffixed:
        return f"{prefix}{dot}{suffixed[1]}", suffixed[2]
    return name, ""


def _normalisations(names: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Where `gamma` and `beta` stand together, they are a normalisation's weight and bias."""
    known = set(names)
    found = {}
    for name in names:
        prefix, _, last = name.rpartition(".")
        if last in _RENAMED and {f"{prefix}.{one}" for one in _RENAMED} <= known:
            found[name] = prefix, _RENAMED[last]
    return found


def _stripped(shape: Sequence[int], *, front: bool = False) -> tuple[int, ...]:
    sizes = list(shape)
    while sizes and sizes[-1] == 1:
        sizes.pop()
    while front and sizes and sizes[0] == 1:
        sizes.pop(0)
    return tuple(sizes)
