"""A net as a torch.nn.Module: the emitted source, executed.

The source becomes a module of its own in `sys.modules`, so that tracebacks show its lines,
`inspect.getsource` works. A pickled instance carries the source, so that another process, which has
no such module, makes one first.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, SupportsIndex

from torch import nn

from archc.emit import emit
from archc.emit.names import identifier, net_class_name
from archc.graph import Program
from archc.optimize import Optimization
from archc.requests import Probe
from archc.torch.inference import ordered

__all__ = ["module_class", "restored", "source_module", "to_torch"]

_PREFIX = "archc_generated"


def to_torch(
    program: Program,
    *,
    probe: Probe | None = None,
    recognize: bool = True,
    optimize: Optimization | None = None,
    checkpoint: bool = False,
) -> nn.Module:
    """The net as a freshly initialised module, in training mode as torch makes it.

    A module for inference is in evaluation mode, its weights in channels-last order.

    Args:
        program: a checked net in which `archc.emit.needs_binding` finds nothing.
        probe: as `archc.emit.emit` takes it; without it, hyperparameters are fixed numbers.
        recognize: as `archc.emit.emit` takes it.
        optimize: as `archc.emit.emit` takes it.
        checkpoint: as `archc.emit.emit` takes it.
    """
    made = module_class(
        program, probe=probe, recognize=recognize, optimize=optimize, checkpoint=checkpoint
    )()
    assert isinstance(made, nn.Module)
    return made if optimize is None else ordered(made.eval())


def module_class(
    program: Program,
    *,
    probe: Probe | None = None,
    recognize: bool = True,
    optimize: Optimization | None = None,
    checkpoint: bool = False,
) -> type[nn.Module]:
    """The class of the net, from exactly the source that `emit` gives."""
    name = net_class_name(program.name, program.applies)
    source = emit(
        program,
        class_name=name,
        probe=probe,
        recognize=recognize,
        optimize=optimize,
        checkpoint=checkpoint,
    )
    module = source_module(source, program.name)
    found: type[nn.Module] = getattr(module, name)
    return found


def source_module(source: str, name: str) -> ModuleType:
    """A module with that source; the same one for the same source."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    full_name = f"{_PREFIX}_{identifier(name, 'net')}_{digest}"
    known = sys.modules.get(full_name)
    if known is not None:
        return known
    loader = _SourceLoader(source, f"<{full_name}>", name)
    spec = ModuleSpec(full_name, loader, origin=loader.path)
    module = ModuleType(full_name)
    module.__spec__, module.__loader__, module.__file__ = spec, loader, loader.path
    lines = source.splitlines(keepends=True)
    linecache.cache[loader.path] = (len(source), None, lines, loader.path)
    sys.modules[full_name] = module
    try:
        exec(compile(source, loader.path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[full_name]
        raise
    for kind in _classes(module):
        type.__setattr__(kind, "__reduce_ex__", _reduced)
    return module


def restored(source: str, name: str, kind: str) -> nn.Module:
    """An empty instance of a class of a generated module, for pickle to fill.

    Args:
        source: of the module.
        name: what `source_module` was told.
        kind: the name of the class in it.
    """
    found: type[nn.Module] = getattr(source_module(source, name), kind)
    return found.__new__(found)


def _classes(module: ModuleType) -> list[type[nn.Module]]:
    held = [thing for thing in vars(module).values() if isinstance(thing, type)]
    return [
        kind for kind in held if issubclass(kind, nn.Module) and kind.__module__ == module.__name__
    ]


def _reduced(self: nn.Module, protocol: SupportsIndex) -> str | tuple[Any, ...]:
    """What pickle and copy keep of an instance: source and state, instead of the module's name."""
    kind = type(self)
    reduced = nn.Module.__reduce_ex__(self, protocol)
    loader = getattr(sys.modules.get(kind.__module__), "__loader__", None)
    # A subclass that a user writes is found by its own name.
    if isinstance(reduced, str) or not isinstance(loader, _SourceLoader):
        return reduced
    return restored, (loader.source, loader.name, kind.__qualname__), *reduced[2:]


class _SourceLoader(InspectLoader):
    """Gives tools such as `inspect` the source of a module that lies in no file."""

    def __init__(self, source: str, path: str, name: str) -> None:
        self.source, self.path, self.name = source, path, name

    def get_source(self, fullname: str) -> str:
        return self.source
