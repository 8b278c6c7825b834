"""The library's nets with their figures, kept, since it takes seconds to find them all.

The build of the package saves them beside it. Where that file does not fit (a checkout, whose files
change) the user's cache directory keeps them. What is kept carries a checksum of every file that it
follows from, the library's and the compiler's own, so that it can be missing but not wrong.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import archlang
from archc.dims import Poly
from archc.library import Entry, entries, root
from archc.listing import Listed, listed
from archlang.tables import cache_folder, save

__all__ = ["SAVED", "build", "load"]

SAVED = Path(__file__).with_name("_library.json")
FORMAT = 1


def load() -> tuple[Listed, ...]:
    """Every complete net of the library, from the quickest place that has them."""
    mark = _mark()
    folder = cache_folder()
    cached = None if folder is None else folder / f"library-{mark:08x}.json"
    for place in (SAVED, cached):
        found = None if place is None else _read(place, mark)
        if found is not None:
            return found
    nets = _priced()
    if cached is not None:
        save(_data(nets, mark), cached)
    return nets


def build() -> dict[str, Any]:
    """What the build of the package saves."""
    return _data(_priced(), _mark())


def _priced() -> tuple[Listed, ...]:
    from archc.pipeline import check_path

    found: list[Listed] = []
    by_file: dict[Path, list[Entry]] = {}
    for entry in entries():
        by_file.setdefault(entry.path, []).append(entry)
    for path, nets in by_file.items():
        programs = check_path(path).programs
        applied = {program.applies for program in programs}
        shown = {p.name: p for p in programs if p.name not in applied}
        found.extend([listed(shown[n.name], n.family) for n in nets if n.name in shown])
    return tuple(found)


def _mark() -> int:
    """The checksum of all that the figures follow from."""
    packages = (Path(__file__).parent, Path(archlang.__file__).parent)
    sources = [path for package in packages for path in sorted(package.rglob("*.py"))]
    sources += [packages[1] / "grammar.lark"]
    mark = zlib.crc32(str(FORMAT).encode())
    for path in [*sorted(root().rglob("*.arch")), *sources]:
        mark = zlib.crc32(path.name.encode() + path.read_bytes(), mark)
    return mark


def _data(nets: tuple[Listed, ...], mark: int) -> dict[str, Any]:
    return {"format": FORMAT, "mark": mark, "nets": [_row(net) for net in nets]}


def _row(net: Listed) -> dict[str, Any]:
    """A net as JSON can hold it; formulas become text, as which they are shown."""
    plain = {name: getattr(net, name) for name in Listed._fields}
    for name in ("params", "macs"):
        plain[name] = str(plain[name]) if isinstance(plain[name], Poly) else plain[name]
    return plain


def _net(row: dict[str, Any]) -> Listed:
    sizes = tuple([(name, tuple(shape)) for name, shape in row["input_sizes"]])
    published = tuple([(name, value) for name, value in row["published"]])
    return Listed(**{**row, "input_sizes": sizes, "published": published})


def _read(place: Path, mark: int) -> tuple[Listed, ...] | None:
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
        if data["format"] != FORMAT or data["mark"] != mark:
            return None
        return tuple([_net(row) for row in data["nets"]])
    except (OSError, ValueError, LookupError, TypeError):
        return None
