"""The five-minute demonstration: two nets checked, priced, drawn, compiled and run."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

from archc.dims import Dim
from archc.emit.names import net_class_name
from archc.face import load
from archc.library import find
from archc.net import Net
from archc.output import write_text
from archc.pipeline import check_path
from archlang.diagnostics import ArchError

__all__ = ["NETS", "TorchMissing", "take_tour"]

NETS = ("lenet5", "resnet50")
BATCH = 2

Say = Callable[[str], None]


class TorchMissing(Exception):
    """The tour runs what it compiles, and torch is not installed."""


def take_tour(folder: Path, say: Say) -> None:
    """Check, price, draw, compile and run the nets of the tour.

    Args:
        folder: where the files go; made when it is not there.
        say: takes each line of the report.

    Raises:
        ArchError: when a net or a claim is wrong.
        TorchMissing: before anything is written, when torch is not installed.
        OutputError: when a file cannot be written.
        RenderError: when there is nothing to draw with.
    """
    if importlib.util.find_spec("torch") is None:
        raise TorchMissing("the tour runs what it compiles: pip install 'arch-lang[torch]'")
    started = time.perf_counter()
    for name in NETS:
        _visit(name, folder, say)
    seconds = time.perf_counter() - started
    say(f"{len(NETS)} networks in {seconds:.0f} seconds; the files lie in {folder}")
    say("Next: `archc list`, `archc stats vgg16 --style lecture`, or a file of your own")


def _visit(name: str, folder: Path, say: Say) -> None:
    net = load(name)
    say(f"{name}: {_first_sentence(net.documentation)}")
    say(f"  checked    {_check(name)}")
    say(f"  priced     {net.params:,} parameters, {net.macs:,} multiply-adds")
    table = folder / f"{name}.txt"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(table, f"{net.stats()}\n")
    say(f"             {table}")
    picture = folder / f"{name}.svg"
    net.render(picture)
    say(f"  drawn      {picture}")
    module = folder / f"{name}.py"
    write_text(module, net.source())
    say(f"  compiled   {module}")
    say(f"  run        {_run(net, module)}")
    say("")


def _check(name: str) -> str:
    """Verify the whole file that a net of the library is in.

    Raises:
        ArchError: when something in it is wrong.
    """
    path = find(name)
    assert path is not None
    result = check_path(path)
    if any(diagnostic.severity == "error" for diagnostic in result.diagnostics):
        raise ArchError(result.diagnostics)
    count = len(result.programs)
    return f"{path.name} of the library: {count} nets, every shape known, every claim holds"


def _run(net: Net, path: Path) -> str:
    """Run the file that was written, as a user would, and hold it against the figures."""
    import torch

    from archc.torch.module import source_module

    program = net.program
    module = source_module(path.read_text(encoding="utf-8"), path.stem)
    model = getattr(module, net_class_name(program.name, program.applies))()
    count = sum(parameter.numel() for parameter in model.parameters())
    shapes = [_batch(shape) for shape in net.inputs.values()]
    with torch.no_grad():
        outputs = model.eval()(*[torch.randn(shape) for shape in shapes])
    (expected,) = [_batch(shape) for shape in net.outputs.values()]
    if count != net.params or tuple(outputs.shape) != expected:
        raise AssertionError(f"{path} has {count} parameters and gives {tuple(outputs.shape)}")
    into = ", ".join(map(str, shapes))
    return f"{into} in, {tuple(outputs.shape)} out, {count:,} parameters in the module"


def _batch(shape: tuple[Dim, ...]) -> tuple[int, ...]:
    return (BATCH, *[size for size in shape if isinstance(size, int)])


def _first_sentence(text: str | None) -> str:
    from textwrap import shorten

    return shorten((text or "").split(". ")[0].rstrip("."), 70, placeholder=" ...")
