"""Operators that installed packages declare, under the entry-point group `archc.operators`.

Entry points are looked at only when a file names an operator that is not built in, and only the one
of that name is imported. A file can never name code to load.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archc.op import REGISTRY
from archlang.diagnostics import ArchError, Diagnostic

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "load_declared"]

GROUP = "archc.operators"
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def load_declared(name: str | None) -> None:
    """Import the declaration of an operator from the installed packages, or of all of them (None).

    Raises:
        ArchError: "operator-unavailable" when the declaration cannot be imported or does not
            declare the operator.
    """
    if name is not None and not _NAME.fullmatch(name):
        return
    for entry in _entries(tuple(sys.path)):
        if name is None or entry.name == name:
            _load(entry.name, entry.value, entry.load)


@lru_cache(maxsize=1)
def _entries(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    # Reading what is installed takes a millisecond, and a file may have many unknown names.
    from importlib.metadata import distributions

    found = [entry for one in distributions(path=list(path)) for entry in one.entry_points]
    return tuple([entry for entry in found if entry.group == GROUP])


def _load(name: str, value: str, load: Callable[[], Any]) -> None:
    if name in REGISTRY.known:
        return
    try:
        load()
    except Exception as problem:  # whatever the user's package does when it is imported
        raise _unavailable(name, f"{value} cannot be imported: {problem}") from problem
    if name not in REGISTRY.known:
        raise _unavailable(name, f"{value} does not declare it")


def _unavailable(name: str, why: str) -> ArchError:
    message = f"operator {name} is declared by an installed package, but {why}"
    return ArchError((Diagnostic("operator-unavailable", message),))
