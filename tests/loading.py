"""Loads a script of benchmarks/, which is no package."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

__all__ = ["benchmark"]

FOLDER = Path(__file__).parents[1] / "benchmarks"


@cache
def benchmark(name: str) -> ModuleType:
    """The script of that name as a module."""
    if str(FOLDER) not in sys.path:  # they import one another
        sys.path.append(str(FOLDER))
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
