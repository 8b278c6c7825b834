"""archc: the compiler of the Arch language, from Python.

    net = archc.load("resnet.arch:resnet50", classes=10)
    net.params, net.macs, net.stats()      # without torch
    model = net.to_torch()                 # torch.nn.Module

What is imported when follows from what is asked for: `import archc` alone imports next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archc.face import compare, compile, load
    from archc.net import Net
    from archc.user_ops import operator
    from archlang.diagnostics import ArchError

__all__ = ["ArchError", "Net", "__version__", "compare", "compile", "load", "operator"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "ArchError":
        from archlang.diagnostics import ArchError

        return ArchError
    if name == "operator":
        from archc.user_ops import operator

        return operator
    if name in ("compare", "compile", "load"):
        from archc import face

        return getattr(face, name)
    if name == "Net":
        from archc.net import Net

        return Net
    raise AttributeError(f"module 'archc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
