"""Build hook: compute the parser's tables, so that reading a file needs no Lark.

Runs for wheels and for editable installs. The package works without the file that it writes: then
the first run computes the tables and keeps them in the user's cache.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TablesHook(BuildHookInterface[Any]):
    """Writes dsl/archlang/_tables.bin."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compute and save the tables before the files are collected."""
        sys.path.insert(0, str(Path(self.root) / "dsl"))
        try:
            from archlang import tables
        finally:
            sys.path.pop(0)
        grammar = tables.GRAMMAR.read_text(encoding="utf-8")
        if tables.save(tables.build(grammar), tables.SAVED):
            build_data["artifacts"].append(f"/{tables.SAVED.relative_to(self.root).as_posix()}")
