"""Ways to count, one a module: those of tools, of the lectures, and the exact ones.

A convention counts each application of an operator, and says why it differs from the exact figure.
To add one, add a module with a class; it is known by its name from then on.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from archc.conventions.convention import CONVENTIONS, Convention, Count
from archc.conventions.counting import Counting, counting_of
from archc.conventions.kinds import KINDS
from archc.conventions.spelling import WRITTEN, Written

__all__ = [
    "CONVENTIONS", "KINDS", "WRITTEN", "Convention", "Count", "Counting", "Written", "counting_of",
]  # fmt: skip

for _module in sorted(iter_modules(__path__), key=lambda module: module.name):
    import_module(f"{__name__}.{_module.name}")
