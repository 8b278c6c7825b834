"""Loading: from the name of a net, or a text, to a `Net`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archc.net import Net
from archc.pipeline import Request, load_program
from archlang.diagnostics import ArchError

if TYPE_CHECKING:
    import torch

    from archc.comparison import Comparison, Relative
    from archc.tables.view import Count

__all__ = ["compare", "compile", "load", "open_net"]

InputShapes = Sequence[int] | Mapping[str, int | Sequence[int]]


def load(
    net: str | os.PathLike[str] | None = None,
    /,
    *,
    source: str | None = None,
    input: InputShapes | None = None,
    **hyperparameters: Any,
) -> Net:
    """Load one complete net.

    Args:
        net: "file.arch", "file.arch:name", or a net of the library ("resnet50"); with `source` the
            name of the net in the text, which may be left out where there is only one.
        source: the text of a program, instead of a file.
        input: the shape of an input that the net leaves open, `(3, 227, 227)`, or several by name,
            `{"src": 37, "tgt": 41}`.
        **hyperparameters: what `-p` takes: parameters of the net, dimensions, and
            `**{"CONV.filters": 64}`.

    Returns:
        The net, its shapes known and its claims verified: `require` always, `expect` where no
        default and no input is replaced, since it speaks of the net as the file gives it.

    Raises:
        ArchError: when the program, a claim or a hyperparameter is wrong; it has `.diagnostics` and
            prints as the command does.
    """
    name = os.fspath(net) if net is not None else ""
    return open_net(Request(name, tuple(hyperparameters.items()), _shapes(input), source))


def compile(
    net: str | os.PathLike[str] | None = None,
    /,
    *,
    source: str | None = None,
    input: InputShapes | None = None,
    **hyperparameters: Any,
) -> torch.nn.Module:
    """`load` and `to_torch` in one: a freshly initialised torch.nn.Module.

    Args:
        net, source, input, hyperparameters: as in `load`.

    Raises:
        ArchError: as in `load`.
        ImportError: when torch is not installed.
    """
    return load(net, source=source, input=input, **hyperparameters).to_torch()


def compare(
    *nets: str | os.PathLike[str] | Net,
    batch: int = 1,
    dtype: str = "float32",
    count: Count = "macs",
    relative: Relative = "first",
) -> Comparison:
    """Put nets side by side.

    Args:
        *nets: what `load` takes, or nets that are loaded already.
        batch: how many examples the operations and the memory of activations are for.
        dtype: the type of activations.
        count: "macs", or "flops" for arithmetic operations of every kind.
        relative: what ratios are to: the "first" net, or the "smallest" figure of each column.

    Returns:
        A comparison with `.to_dict()`, `.to_csv()`, `.to_markdown()`, `.to_html()`, `.figure()` and
        `.save("chart.svg")`, which shows itself in a notebook and prints as `archc compare` does.

    Raises:
        ArchError: when a net is wrong.
        ValueError: for an unknown dtype, count or relative, a batch below 1, no nets.
    """
    from archc.comparison import compare

    loaded = [net if isinstance(net, Net) else load(net) for net in nets]
    return compare(
        [net.program for net in loaded], batch=batch, dtype=dtype, count=count, relative=relative
    )


def open_net(request: Request) -> Net:
    """The net that a request asks for.

    Raises:
        ArchError: when the program or the request is wrong.
    """
    loaded = load_program(request)
    if loaded.program is None:
        raise ArchError(loaded.diagnostics)
    return Net(loaded.program, loaded.diagnostics, request, loaded.probe)


def _shapes(given: InputShapes | None) -> tuple[tuple[str | None, tuple[int, ...]], ...]:
    if given is None:
        return ()
    if isinstance(given, Mapping):
        return tuple([(name, _sizes(shape)) for name, shape in given.items()])
    return ((None, _sizes(given)),)


def _sizes(shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not sizes or any(not isinstance(size, int) or size < 1 for size in sizes):
        raise ValueError(f"an input's shape is whole numbers of at least 1, not {shape!r}")
    return sizes
