"""Files of weights, read without running what they ask for, and written whole."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from archc.matching.problems import WeightsError, listing
from archc.output import staged
from archc.torch import WEIGHTS

__all__ = ["Read", "check_suffix", "read_weights", "state_in", "write_weights"]

_PICKLED = WEIGHTS[1:]
_DEEPEST = 100
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")


class Read(NamedTuple):
    """What a file holds.

    Args:
        state: its tensors by name.
        ordered: whether they stand in the order in which modules were made; not where they are
            sorted by name.
        others: the names of what is no tensor.
    """

    state: Mapping[str, Tensor]
    ordered: bool
    others: tuple[str, ...] = ()


def check_suffix(path: Path) -> None:
    """Refuse a file whose suffix says no format.

    Raises:
        WeightsError: with the suffixes that do.
    """
    if path.suffix not in WEIGHTS:
        raise WeightsError(f"{path}: the suffix must be {', '.join(WEIGHTS[:-1])} or {WEIGHTS[-1]}")


def read_weights(path: Path) -> Read:
    """The tensors of a file on the CPU; nothing that a pickle asks for is run.

    Args:
        path: `.safetensors`, or what `torch.save` wrote: a state_dict, or one dictionary with it.

    Raises:
        WeightsError: when there is no such file, it is damaged, or holds anything but tensors.
        ImportError: when a safetensors file is to be read without the package.
    """
    check_suffix(path)
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {(error.strerror or '').lower()}") from error
    read = state_in(_loaded(path), str(path))
    return read._replace(ordered=read.ordered and path.suffix in _PICKLED)


def _loaded(path: Path) -> Any:
    if path.suffix not in _PICKLED:
        load_file = _safetensors().load_file
    try:
        if path.suffix not in _PICKLED:
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can make any of its readers fail in any way
        raise WeightsError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: Exception) -> str:
    asked = _GLOBAL.search(str(error))
    if asked is None:
        return f"cannot read {path}: it is no file of weights as its suffix says, or damaged"
    message = f"{path} asks for {asked[1]}, which is no tensor; nothing of it was run"
    return f"{message}. Of a whole module, save module.state_dict() instead"


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("safetensors"):
            raise
        message = "safetensors files need safetensors: pip install 'arch-lang[torch]'"
        raise ImportError(message, name="safetensors") from error
    return safetensors.torch


def state_in(loaded: Any, name: str) -> Read:
    """The state_dict that something holds: itself, or the only one in it.

    Args:
        loaded: what was read.
        name: what messages call it.

    Raises:
        WeightsError: when there is none, or several, or a tensor that is no plain array.
    """
    if not isinstance(loaded, Mapping):
        raise WeightsError(f"{name} holds no state_dict, but one {type(loaded).__name__}")
    inside = {key: value for key, value in loaded.items() if _is_state(value)}
    if not _is_state(loaded) and len(inside) != 1:
        raise WeightsError(_several(name, [str(key) for key in inside]))
    state = loaded if _is_state(loaded) else next(iter(inside.values()))
    found = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    for key, value in state.items():
        _check(name, key, value)
    others = tuple([key for key in state if key not in found])
    return Read(found, list(found) != sorted(found), others)


def _is_state(thing: Any) -> bool:
    return isinstance(thing, Mapping) and any(isinstance(value, Tensor) for value in thing.values())


def _several(name: str, inside: list[str]) -> str:
    if not inside:
        return f"{name} holds no tensors by name"
    return listing(f"{name} holds several state_dicts; save one of them alone", inside)


def _check(name: str, key: Any, value: Any) -> None:
    if not isinstance(key, str) or key.count(".") > _DEEPEST or not key.isprintable():
        raise WeightsError(f"{name}: {str(key)[:40]!r} is no name of a tensor")
    if not isinstance(value, Tensor):
        return
    if value.layout != torch.strided or value.is_quantized or value.device.type == "meta":
        raise WeightsError(f"{name}: {key} is no plain tensor of numbers")


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state_dict; the suffix says the format.

    Raises:
        WeightsError: for another suffix.
        ImportError: when a safetensors file is to be written without the package.
        archc.output.OutputError: when the file cannot be written.
    """
    check_suffix(path)
    save_file = None if path.suffix in _PICKLED else _safetensors().save_file
    with staged(path) as temporary:
        if save_file is None:
            torch.save(dict(state), temporary)
        else:
            save_file(dict(state), temporary, metadata={"format": "pt"})
