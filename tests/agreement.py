"""Holds what is known of a net from its text against the torch module that its source makes."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archc.graph import Program
from archc.net import Net
from archc.shapes import Shape

__all__ = ["agree", "device_of", "module_of", "run", "stored"]

BATCH = 2
MANY = 1_000_000  # multiply-adds
# What is one kernel on a CPU, into which torch's counter does not look.
WHOLE = re.compile(r"scaled_dot_product|(RNN|GRU|LSTM)\(")


def module_of(source: str) -> nn.Module:
    """The net's class in a module that knows nothing but its own text, instantiated."""
    made = _class_of(source)()
    assert isinstance(made, nn.Module)
    return made


@lru_cache(maxsize=16)
def _class_of(source: str) -> type:
    assert "archc" not in re.sub(r'""".*?"""|#.*', "", source, flags=re.DOTALL)
    module = ModuleType("emitted")
    exec(compile(source, "<emitted>", "exec"), module.__dict__)
    classes = [c for c in module.__dict__.values() if isinstance(c, type)]
    own = [c for c in classes if c.__module__ == "emitted" and issubclass(c, nn.Module)]
    return own[-1]


def agree(net: Net, *, real: bool = False, counted: bool = True) -> None:
    """Check that source, module and figures of a net say the same.

    Args:
        net: the net, its sizes all numbers.
        real: run on real numbers in training mode as well, with gradients.
        counted: whether torch's counter knows every operator that multiplies and adds.
    """
    # As it is written: hoisting counts once what the equation has in every step.
    source = net.source(recognize=False)
    with torch.device("meta" if WHOLE.search(source) else device_of(net)):
        model = module_of(source).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            outputs = run(model, net.program)
    expected = [(BATCH, *shape) for shape in net.outputs.values()]
    assert [tuple(one.shape) for one in outputs] == expected
    assert sum(p.numel() for p in model.parameters()) == net.params
    assert sum(b.numel() for _, b in _buffers(model)) == net.buffers
    table = stored(net)
    assert _modules(model, set(table)) == table
    if counted:
        assert counter.get_total_flops() == 2 * BATCH * net.macs  # type: ignore[operator]
    if real:
        _trains(net)


def device_of(net: Net) -> str:
    """Where its module runs sooner: a step without numbers takes longer than one with few."""
    macs = net.macs
    return "cpu" if isinstance(macs, int) and macs < MANY else "meta"


def run(model: nn.Module, program: Program) -> list[torch.Tensor]:
    """What the module makes of a batch, flat."""
    given = [_example(port.shape) for port in program.region.inputs]
    return _flat(model(*given))


def _example(shape: Shape) -> torch.Tensor:
    if shape.vocabulary is not None:
        return torch.zeros(BATCH, *shape.sizes, dtype=torch.long)
    return torch.randn(BATCH, *shape.sizes)


def _flat(made: Any) -> list[torch.Tensor]:
    if isinstance(made, torch.Tensor):
        return [made]
    items = made.values() if isinstance(made, dict) else made
    return [one for item in items for one in _flat(item)]


def _trains(net: Net) -> None:
    torch.manual_seed(0)
    model = module_of(net.source())
    outputs = run(model, net.program)
    expected = [output.shape.sizes for output in net.program.region.outputs]
    assert [tuple(one.shape[1:]) for one in outputs] == expected
    total = sum([one.square().mean() for one in outputs], torch.zeros(()))
    if total.requires_grad:
        total.backward()  # type: ignore[no-untyped-call]


def stored(net: Net) -> Counter[str]:
    """How many values each path of the table stores, numbers of copies written as `*`."""
    found: Counter[str] = Counter()
    for layer in net.stats(depth=100).to_dict()["layers"]:
        if layer["params"] or layer["buffers"]:
            found[_starred(layer["path"])] += layer["params"] + layer["buffers"]
    return found


def _modules(model: nn.Module, known: set[str]) -> Counter[str]:
    """The same of the module; weights count for their module, unless the table has them alone."""
    found: Counter[str] = Counter()
    for path, tensor in [*model.named_parameters(), *_buffers(model)]:
        own = _starred(path)
        while own and own not in known:
            own = own.rpartition(".")[0]
        found[own or _starred(path)] += tensor.numel()
    return found


def _buffers(model: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """What is in the state beside the parameters."""
    kept = model.state_dict()
    return [(path, buffer) for path, buffer in model.named_buffers() if path in kept]


def _starred(path: str) -> str:
    return re.sub(r"(?<![^.])(\d+(\.\.\d+)?|\*)(?![^.])", "*", path)
