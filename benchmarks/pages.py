"""Puts what a benchmark measured into the page that shows it."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["BENCHMARKS", "MEMORY", "marked", "write"]

DOCS = Path(__file__).parents[1] / "docs"
BENCHMARKS, MEMORY = DOCS / "benchmarks.md", DOCS / "memory.md"


def marked(page: Path, name: str) -> str:
    """What stands between the marks of that name."""
    begin, end = _marks(name)
    return page.read_text(encoding="utf-8").split(begin)[1].split(end)[0].strip("\n")


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def write(page: Path, name: str, text: str) -> None:
    """Put a text between the marks of that name, which the page has once.

    Args:
        page: the page.
        name: `startup` for what stands between `<!-- startup: begin -->` and its end.
        text: without a line break at the end.

    Raises:
        ValueError: where the page has no such marks.
    """
    begin, end = _marks(name)
    shown = page.read_text(encoding="utf-8")
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    written, count = re.subn(pattern, lambda _: f"{begin}\n{text}\n{end}", shown, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{page.name} has no place for {name}")
    page.write_text(written, encoding="utf-8")
