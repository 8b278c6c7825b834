"""Build hook: compute the parser's tables and the library's figures, so that users need not wait.

Runs for wheels and for editable installs. The package works without the files that it writes: then
the first run that needs them computes them and keeps them in the user's cache.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TablesHook(BuildHookInterface[Any]):
    """Writes dsl/archlang/_tables.bin and compiler/archc/_library.json."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compute and save them before the files are collected."""
        folders = [str(Path(self.root) / folder) for folder in ("dsl", "compiler")]
        sys.path[:0] = folders
        try:
            self._save(build_data["artifacts"])
        finally:
            del sys.path[: len(folders)]

    def _save(self, artifacts: list[str]) -> None:
        from archc import index
        from archlang import tables

        grammar = tables.GRAMMAR.read_text(encoding="utf-8")
        made = ((tables.SAVED, tables.build(grammar)), (index.SAVED, index.build()))
        for place, data in made:
            if tables.save(data, place):
                artifacts.append(f"/{place.relative_to(self.root).as_posix()}")
