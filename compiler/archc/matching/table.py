"""What goes where, for people and as data."""

from __future__ import annotations

from typing import Any

from archc.matching.deciding import Pair
from archc.matching.groups import Part
from archc.matching.matching import Matched
from archc.matching.problems import shape_text

__all__ = ["mapping_data", "mapping_text"]

_REASONS = {
    "name": "the names are those of the net",
    "shape": "nothing else has these shapes",
    "structure": "nothing else fits the tree of names and their numbers",
    "number": "numbers go with what uses what, or with the order of branches",
    "word": "a word in the name says so",
    "nesting": "names nest as the modules of the net do",
    "order": "the order of the file is taken for the order of use",
    "hand": "--match says so",
}


def mapping_text(found: Matched) -> str:
    """A table of all layers, with what decided, and what of the file is left out."""
    rows = [("in the file", "in the net", "shapes", "decided by")]
    for pair in found.pairs:
        how = ", ".join([pair.reason, *_changes(pair)])
        shapes = shape_text(pair.ours.group.shapes)
        rows.append((pair.theirs.name, pair.ours.group.name, shapes, how))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines.insert(1, "─" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join([*lines, "", *_summary(found)]) + "\n"


def _summary(found: Matched) -> list[str]:
    counts = {reason: sum(p.reason == reason for p in found.pairs) for reason in _REASONS}
    lines = [
        f"{reason} {counts[reason]}: {text}" for reason, text in _REASONS.items() if counts[reason]
    ]
    return [*lines, *[f"left out {name}: {why}" for name, why in found.dropped.items()]]


def mapping_data(found: Matched) -> dict[str, Any]:
    """The same as plain data."""
    layers = [
        {
            "file": [name for part in pair.theirs.parts for name in part.names],
            "net": [name for part in pair.ours.group.parts for name in part.names],
            "shapes": [list(part.shape) for part in pair.ours.group.parts],
            "decided_by": pair.reason,
            "changes": _changes(pair),
        }
        for pair in found.pairs
    ]
    return {"layers": layers, "left_out": dict(found.dropped)}


def _changes(pair: Pair) -> list[str]:
    """What is done to the tensors, beside giving them other names."""
    return list(dict.fromkeys([text for part in pair.theirs.parts for text in _change(part)]))


def _change(part: Part) -> list[str]:
    texts = ["turned"] if part.turned else []
    texts += ["joined"] if len(part.names) > 1 else []
    return texts + ([f"rows {part.rows[0]}..{part.rows[1] - 1}"] if part.rows else [])
