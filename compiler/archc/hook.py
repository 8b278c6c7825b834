"""`import archc.hook`, then .arch files import like modules.

    import archc.hook
    from nets.lenet5 import LeNet5     # nets/lenet5.arch
    model = LeNet5(classes=10)         # a torch.nn.Module

A module made of a file has every net of the file, by the name that the file gives it and by the
name of the class that `archc compile` writes for it. The file is checked when it is imported; torch
is imported when a model is made. A Python module of the same name comes first.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from archlang.diagnostics import ArchError

if TYPE_CHECKING:
    import torch

    from archc.net import Net

__all__ = ["ArchImportError", "ArchLoader", "NetClass", "install", "uninstall"]


class ArchImportError(ArchError, ImportError):
    """An .arch file that was imported is wrong: an `ArchError` and an `ImportError`."""


class NetClass:
    """A net of an imported file: called with hyperparameters it makes a torch.nn.Module.

    Args:
        path: the file.
        net: the name of the net in it.
        module: the name of the Python module that the file became.
        documentation: the `##` text of the net.
    """

    def __init__(self, path: Path, net: str, module: str, documentation: str | None) -> None:
        self.__name__ = self.__qualname__ = net
        self.__module__ = module
        self.__doc__ = documentation
        self._path = path

    def __call__(self, **hyperparameters: Any) -> torch.nn.Module:
        """A freshly initialised module; the arguments are those of `archc.load`."""
        return self.load(**hyperparameters).to_torch()

    def load(self, **hyperparameters: Any) -> Net:
        """The net itself, with its figures, table and picture."""
        from archc.face import load

        return load(f"{self._path}:{self.__name__}", **hyperparameters)

    def __repr__(self) -> str:
        return f"<net {self.__module__}.{self.__name__}>"


class ArchLoader(importlib.abc.InspectLoader):
    """Makes a module of an .arch file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(_contents(self.path, module.__name__))

    def get_source(self, fullname: str) -> str:
        return self.path.read_text(encoding="utf-8")

    def get_code(self, fullname: str) -> None:
        return None

    def is_package(self, fullname: str) -> bool:
        return False


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        name = fullname.rpartition(".")[2]
        for folder in sys.path if path is None else path:
            file = Path(folder or os.curdir, f"{name}.arch").absolute()
            if file.is_file():
                return spec_from_file_location(fullname, file, loader=ArchLoader(file))
        return None


_FINDER = _Finder()


def install() -> None:
    """Let .arch files be imported; `import archc.hook` has done it already."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.append(_FINDER)


def uninstall() -> None:
    """Take the hook out again; what was imported stays."""
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)


def _contents(path: Path, module: str) -> dict[str, Any]:
    """What the module of a file has: its nets by both names, and the documentation.

    Raises:
        ArchImportError: when the file is wrong.
    """
    from archc.emit.names import net_class_name
    from archc.pipeline import check_path

    result = check_path(path)
    if any(diagnostic.severity == "error" for diagnostic in result.diagnostics):
        error = ArchImportError(result.diagnostics)
        error.name, error.path = module, str(path)
        raise error
    applied = {program.name: program.applies for program in result.programs}
    found: dict[str, Any] = {}
    for name, documentation in _nets(path):
        net = NetClass(path, name, module, documentation)
        found[name] = net
        found.setdefault(net_class_name(name, applied.get(name)), net)
    return {"__all__": sorted(found), **found}


def _nets(path: Path) -> list[tuple[str, str | None]]:
    """The nets that a file defines, with their documentation."""
    from archlang.parser import parse
    from archlang.source import Source
    from archlang.tree import Block

    file, _ = parse(Source.of(str(path), path.read_text(encoding="utf-8")))
    if file.chain is not None:
        return [(path.stem, file.documentation)]
    blocks = [block for block in file.definitions if isinstance(block, Block)]
    return [(block.name, block.documentation) for block in blocks if block.kind == "net"]


install()
