"""Small nets for the tests of emission, and what a generated module must agree with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from archc.dims import evaluate, symbols
from archc.emit.forms import lent_regions, wire_shape
from archc.graph import Call, Choice, Node, Operation, Program, Region, Repeat, Run, Scan
from archc.op import Op
from archc.pipeline import Request, load_program
from archc.shapes import Shape

ROOT = Path(__file__).parent.parent
BATCH = 2
SIZE = 12  # of what is symbolic

NETS = (ROOT / "tests" / "golden" / "emit" / "nets.arch").read_text(encoding="utf-8")

NAMES = (
    "residual_small", "residual_large", "Dropped", "dense", "Inception", "Mobile", "UNet",
    "Siamese", "WaveNet", "Cells", "Language", "Lent", "Patches", "Video", "Windows", "Fully",
    "Pyramid", "Kinds", "Nested", "Mixed", "Plain", "Bundle", "Sampled", "한글", "Rows", "Staged",
    "Thirds", "Crossed",
)  # fmt: skip


def load(name: str, text: str = NETS, **bindings: Any) -> Program:
    """A net of the text."""
    loaded = load_program(Request(name, tuple(bindings.items()), text=text))
    assert loaded.program is not None, loaded.diagnostics
    return loaded.program


def library() -> Iterator[Path]:
    """The files of the library."""
    from archc import library as shipped

    yield from sorted(shipped.root().rglob("*.arch"))


# --- what the graph says of the state_dict -------------------------------------------------------


def expected_state(region: Region, prefix: str = "") -> dict[str, tuple[int, ...]]:
    """The tensors of a region's module by their path, with their shapes."""
    found: dict[str, tuple[int, ...]] = {}
    for shared in region.shares:
        if isinstance(shared.what, Region):
            found |= expected_state(shared.what, f"{prefix}{shared.name}.")
            continue
        user = first_user(region, shared.name)
        if user is not None:
            found |= operator_state(*user, prefix + shared.name)
    for node in region.nodes:
        found |= node_state(region, node, prefix)
    return found


def first_user(region: Region, name: str) -> tuple[Region, Operation] | None:
    """The first operation that uses a shared operator."""
    for node in region.nodes:
        if isinstance(node, Operation):
            if node.shared == name:
                return region, node
            continue
        for inside, below in lent_regions(node, name):
            found = first_user(below, inside)
            if found is not None:
                return found
    return None


def operator_state(region: Region, node: Operation, path: str) -> dict[str, Any]:
    """The tensors of one operator."""
    inputs = [wire_shape(region, wire) for wire in node.inputs]
    op: Op = node.op
    tensors = {**op.parameters(*inputs), **op.buffers(*inputs)}
    return {f"{path}.{key}" if key else path: tuple(shape) for key, shape in tensors.items()}


def node_state(region: Region, node: Node, prefix: str) -> dict[str, tuple[int, ...]]:
    """The tensors of one node."""
    here = f"{prefix}{node.name}." if node.name else prefix
    match node:
        case Operation(shared=None):
            return operator_state(region, node, here.removesuffix("."))
        case Call(shared=None):
            return expected_state(node.region, here)
        case Choice() | Scan():
            return expected_state(node.region, prefix)
        case Repeat():
            copies: list[Run] = [run for run in node.runs for _ in range(run.count)]
            states = [expected_state(run.region, f"{here}{i}.") for i, run in enumerate(copies)]
            return {key: shape for state in states for key, shape in state.items()}
    return {}


# --- running -------------------------------------------------------------------------------------


def sizes(shape: Shape) -> tuple[int, ...]:
    """The sizes, symbolic ones all at one value."""
    return tuple([evaluate(s, {symbol.name: SIZE for symbol in symbols(s)}) for s in shape.sizes])


def inputs(program: Program, device: str = "cpu") -> list[Tensor]:
    """Random inputs."""
    made = []
    for port in program.region.inputs:
        full = (BATCH, *sizes(port.shape))
        vocabulary = port.shape.vocabulary
        if port.lengths_of is not None:
            made.append(torch.full(full, SIZE, device=device))
        elif vocabulary is None:
            made.append(torch.randn(full, device=device))
        else:
            assert isinstance(vocabulary, int)
            made.append(torch.randint(0, vocabulary, full, device=device))
    return made


def outputs(program: Program, training: bool) -> list[tuple[int, ...]]:
    """The sizes that must come out."""
    ports = [port for port in program.region.outputs if training or not port.training]
    return [(BATCH, *sizes(port.shape)) for port in ports]


def run(model: torch.nn.Module, given: list[Tensor]) -> list[Tensor]:
    """The outputs as a list."""
    made = model(*given)
    return list(made) if isinstance(made, tuple) else [made]
