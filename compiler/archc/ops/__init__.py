"""The operators, by family. Importing this package registers all of them.

A module here is found by its being here: no list is kept by hand.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

for _module in sorted(iter_modules(__path__), key=lambda module: module.name):
    import_module(f"{__name__}.{_module.name}")
