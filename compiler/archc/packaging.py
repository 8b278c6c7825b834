"""A folder of .arch files as a Python package of PyTorch modules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archc.net import Net
from archc.pipeline import Request, check_path
from archlang.diagnostics import ArchError, Diagnostic, Diagnostics, Label

if TYPE_CHECKING:
    from archc.optimize import Optimization

__all__ = ["nets_in", "package"]


def nets_in(files: Sequence[Path]) -> tuple[Net, ...]:
    """Every complete net of some files, in their order.

    Raises:
        ArchError: when one of them is wrong.
    """
    from archc.face import open_net

    diagnostics = Diagnostics()
    nets: list[Net] = []
    for file in files:
        checked = check_path(file)
        diagnostics.extend(checked.diagnostics)
        if not diagnostics.failed:
            nets += [open_net(Request(f"{file}:{one.name}")) for one in checked.programs]
    if diagnostics.failed:
        raise ArchError(diagnostics.all)
    return tuple(nets)


def package(
    nets: Sequence[Net],
    *,
    recognize: bool = True,
    optimize: Optimization | None = None,
    comments: bool = True,
    checkpoint: bool = False,
    generate: bool = True,
    title: str = "Nets as modules of PyTorch.",
) -> dict[str, str]:
    """The texts of the files of a package with some nets, by their names.

    Args:
        nets: the nets. One that another of its file applies as it is, is written as that other
            one; beside that no two may give classes of one name.
        recognize, optimize, comments, checkpoint, generate: as `Net.source` takes them.
        title: the docstring of the package.

    Raises:
        ArchError: when two classes would have one name, or a dimension is open that a module needs
            as a number.
    """
    from archc.emit.manner import Manner
    from archc.emit.package import Drafted, write_package
    from archc.emit.whole import drafted

    kept = _each_once(nets)
    found = []
    for net in kept:
        net.refuse_open_dimensions()
        found.append(Drafted(*drafted(net.program, net.probe, recognize, optimize)))
    manner = Manner(
        comments=comments,
        checkpoint=checkpoint,
        fast=optimize is not None,
        generate=generate,
    )
    return write_package(found, manner, title)


def _each_once(nets: Sequence[Net]) -> list[Net]:
    """The nets, of `net LeNet5(...)` and `net lenet5 = LeNet5()` only the second."""
    from archc.emit.names import net_class_name

    known: dict[str, Net] = {}
    for net in nets:
        name = net_class_name(net.program.name, net.program.applies)
        first = known.get(name)
        if first is not None and not _applies(net, first):
            raise _doubled(name, first, net)
        known[name] = net
    return list(known.values())


def _applies(net: Net, other: Net) -> bool:
    one, two = net.program, other.program
    same = (one.applies, one.file) == (two.name, two.file)
    return same and one.hyperparameters == two.hyperparameters


def _doubled(name: str, first: Net, net: Net) -> ArchError:
    message = f"two nets of the package would be the class {name}"
    spans = net.program.region.span, first.program.region.span
    labels = (Label(spans[0]), Label(spans[1], "the other one"))
    help = "give one of them another name, or compile its file alone"
    return ArchError((Diagnostic("same-class", message, labels, help=help),))
