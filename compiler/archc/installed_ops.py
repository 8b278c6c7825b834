"""Operators that installed packages declare, under the entry-point group `archc.operators`.

Entry points are looked at only when a file names an operator that is not built in, and only the one
of that name is imported. A file can never name code to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archc.op import REGISTRY
from archlang.diagnostics import ArchError, Diagnostic

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
    from importlib.metadata import entry_points

    for entry in (
        entry_points(group=GROUP) if name is None else entry_points(group=GROUP, name=name)
    ):
        _load(entry.name, entry.value, entry.load)


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
