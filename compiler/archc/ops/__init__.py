"""The operators, by family: one class each, in the module of its family.

Importing this package registers all of them, which takes 6 ms. A module is found by its being here:
no list is kept by hand. Operators that users declare are looked up when a name is not known.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from archc.op import REGISTRY


def _declared(name: str | None) -> None:
    # Imported only here: most files name no operator of a user's.
    from archc.installed_ops import load_declared

    load_declared(name)


for _module in sorted(iter_modules(__path__), key=lambda module: module.name):
    import_module(f"{__name__}.{_module.name}")
REGISTRY.fallback = _declared
