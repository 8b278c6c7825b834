"""Names of rows where there is too little room for them."""

from __future__ import annotations

import re

__all__ = ["shortened"]

_DOT = re.compile(r"(?<!\.)\.(?!\.)")  # between the parts of a path; 1..3 is one part
_FIRST = 3  # fewer letters of a path's beginning say little


def shortened(name: str, columns: int) -> str:
    """A name with `…` in it where it takes more than so many columns.

    Indentation and ×N stay. Of a path the last parts stay whole, as many as there is room for, and
    so much of its beginning as then fits; what is one part or ends with an index is shortened in
    the middle.
    """
    from rich.cells import cell_len, set_cell_size

    path, times, count = name.strip().partition(" ×")
    indent = name[: min(len(name) - len(name.lstrip()), columns // 3)]
    room = columns - len(indent) - cell_len(f"…{times}{count}")
    if cell_len(name) <= columns or room < 0:
        return name
    parts = _DOT.split(path)
    ends = [".".join(parts[number:]) for number in range(1, len(parts))]
    whole = [end for end in ends if cell_len(end) <= room and any(map(str.isalpha, end))]
    last = whole[0] if whole else set_cell_size(path[::-1], room - room // 3)[::-1].strip(" .")
    start = room - cell_len(last)
    first = "" if whole and start < _FIRST else set_cell_size(path, start).strip(" .")
    return f"{indent}{first}…{last}{times}{count}"
