"""The library that is shipped: where it lies, and which file has which net.

It is indexed, not parsed: one pass of a regular expression over the files finds the nets, so that a
command that names one reads nothing else.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from archlang.record import Record

__all__ = ["Entry", "entries", "find", "names", "root"]

SUFFIX = ".arch"

_NET = re.compile(r"^net[ \t]+(\w+)", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:from|default|dim|let|block|cell|net)\b|^\w+[ \t]*=", re.MULTILINE)


class Entry(Record):
    """One net of the library.

    Args:
        name: as users write it ("resnet50").
        path: the file that defines it.
        family: that file inside the library, without its suffix ("resnet", "rules/separable").
    """

    name: str
    path: Path
    family: str


def root() -> Path:
    """The folder of the library: inside the installed package, or `archs/` of a checkout."""
    shipped = Path(__file__).parent / "library"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "archs"


@cache
def entries() -> tuple[Entry, ...]:
    """Every net of the library, by file and then in the order in which the file defines them."""
    files = sorted(root().rglob(f"*{SUFFIX}"))
    return tuple([Entry(name, file, _family(file)) for file in files for name in _nets(file)])


def names() -> tuple[str, ...]:
    """The names of all nets, sorted."""
    return tuple(sorted({entry.name for entry in entries()}))


def find(name: str) -> Path | None:
    """The file that defines a net of that name; a file called like the net comes first."""
    paths = [entry.path for entry in entries() if entry.name == name]
    return min(paths, key=lambda path: path.stem != name, default=None)


def _family(file: Path) -> str:
    return file.relative_to(root()).with_suffix("").as_posix()


def _nets(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    found = _NET.findall(text)
    if found or _DEFINITION.search(text):
        return list(dict.fromkeys(found))
    return [file.stem]
