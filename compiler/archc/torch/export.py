"""A net as a file that runs without its source: ONNX, or torch's own exported program."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from archc.cost import input_shapes
from archc.dims import Dim, evaluate, symbols
from archc.emit.collecting import regions_below
from archc.graph import Node, Operation, Port, Program, Region, Scan
from archc.output import staged
from archc.shapes import Shape
from archc.torch import FORMATS, ExportError

__all__ = ["example_inputs", "export", "exported"]

# Any sizes would do but 0 and 1, which torch.export takes for constants. The size of an open
# dimension is a multiple of every stride that nets have.
_BATCH, _OPEN_SIZE = 2, 64
# What a protobuf message, and so an ONNX file in one piece, can hold.
_ONNX_LIMIT = 2**31


def export(program: Program, module: nn.Module, path: Path) -> None:
    """Write the net in evaluation mode; batch and open dimensions stay dynamic.

    Args:
        program: the net that the module was made from.
        module: its weights, and the mode that it has again afterwards.
        path: the file; `.onnx` or `.pt2` says the format.

    Raises:
        ExportError: for another suffix, for more weights than an ONNX file holds, and for what runs
            over an open number of steps.
        ImportError: when the packages for ONNX are not installed.
        archc.output.OutputError: when the file cannot be written.
    """
    if path.suffix not in FORMATS:
        raise ExportError(f"{path}: the suffix must be {' or '.join(FORMATS)}")
    if path.suffix == ".onnx":
        _refuse_onnx(module, path)
    training = module.training
    module.eval()
    try:
        with staged(path) as temporary, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _write(program, module, temporary)
    finally:
        module.train(training)


def example_inputs(program: Program, module: nn.Module) -> tuple[torch.Tensor, ...]:
    """A batch for each input, on the device and in the type of the weights."""
    like = next(module.parameters(), torch.zeros(()))
    return tuple([_given(port, like) for port in program.region.inputs])


def _given(port: Port, like: torch.Tensor) -> torch.Tensor:
    steps = port.shape.vocabulary
    if port.lengths_of is None or steps is None:
        return _example(port.shape, like)
    return torch.full((_BATCH,), _number(steps) - 1, device=like.device)  # all of them are real


def _refuse_loops(program: Program) -> None:
    """What runs over time becomes so many steps, or a kernel that has a number of them."""
    for region in regions_below(program.region):
        for node in region.nodes:
            reason = _untraced(region, node)
            if reason is not None:
                line = node.span.position.line
                raise ExportError(f"{_called(node)} on line {line} {reason}")


def _untraced(region: Region, node: Node) -> str | None:
    """Why torch cannot export a node."""
    recurrent = isinstance(node, Operation) and node.op.family == "recurrent"
    if recurrent and len(node.inputs) > 1:
        return (
            "needs the lengths, which no exported program can take out; "
            "export the net without `lengths=yes`"
        )
    steps: Dim = 0
    if isinstance(node, Scan):
        steps = node.steps
    elif recurrent:
        steps = input_shapes(region, node.inputs)[0].sizes[-2]
    names = sorted({symbol.name for symbol in symbols(steps)})
    if not names:
        return None
    bound = " ".join([f"-p {name}=64" for name in names])
    return f"runs for {steps} steps, and torch exports loops over a number of them: give it {bound}"


def _called(node: Node) -> str:
    return node.op.name if isinstance(node, Operation) else "a cell"


def exported(program: Program, module: nn.Module) -> torch.export.ExportedProgram:
    """The net as torch exports it; batch and open dimensions stay dynamic.

    Args:
        program: the net that the module was made from.
        module: in the mode that is exported.

    Raises:
        ExportError: for what runs over an open number of steps, or takes padding out.
    """
    _refuse_loops(program)
    inputs = example_inputs(program, module)
    dynamic = tuple([_dynamic(port.shape) for port in program.region.inputs])
    # Without names, as `forward` may take its inputs by other ones than the net.
    names = list(inspect.signature(module.forward).parameters)
    # torch warns of what its own recurrent layers do.
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(
            module, inputs, dynamic_shapes=dict(zip(names, dynamic, strict=False))
        )


def _write(program: Program, module: nn.Module, path: Path) -> None:
    made = exported(program, module)
    if path.suffix == ".pt2":
        torch.export.save(made, path)
        return
    outputs = [one.name for one in program.region.outputs if not one.training]
    with _no_remarks():
        torch.onnx.export(
            made,
            f=path,
            input_names=[port.name for port in program.region.inputs],
            output_names=outputs,
            external_data=False,
            verbose=False,
            dynamo=True,
        )


@contextmanager
def _no_remarks() -> Iterator[None]:
    # The exporter remarks on packages that are not there and that no net needs.
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _example(shape: Shape, like: torch.Tensor) -> torch.Tensor:
    sizes = [_BATCH, *[_number(size) for size in shape.sizes]]
    if shape.vocabulary is not None:
        return torch.zeros(sizes, dtype=torch.long, device=like.device)
    return torch.randn(sizes, dtype=like.dtype, device=like.device)


def _number(size: Dim) -> int:
    return evaluate(size, {symbol.name: _OPEN_SIZE for symbol in symbols(size)})


def _dynamic(shape: Shape) -> dict[int, Any]:
    """The axes that stay open; torch finds out how those that depend on each other do."""
    opened = [0, *[i + 1 for i, size in enumerate(shape.sizes) if symbols(size)]]
    return dict.fromkeys(opened, torch.export.Dim.DYNAMIC)


def _refuse_onnx(module: nn.Module, path: Path) -> None:
    from importlib.util import find_spec

    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        message = f"ONNX needs {' and '.join(missing)}: pip install 'arch-lang[onnx]'"
        raise ImportError(message, name=missing[0])
    held = [*module.parameters(), *module.buffers()]
    size = sum([tensor.numel() * tensor.element_size() for tensor in held])
    if size >= _ONNX_LIMIT:
        message = f"{path}: an ONNX file holds 2 GB and the net has {size / 2**30:.1f} GiB"
        raise ExportError(f"{message}; write a .pt2 file instead")
