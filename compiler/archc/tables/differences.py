"""Where another convention differs from the exact figures: in words, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.cost import Totals
from archc.dims import Dim, Poly
from archc.graph import Program, Region, Repeat, Scan
from archc.tables.rows import figure
from archc.tally import Part, Reason

if TYPE_CHECKING:
    from archc.conventions import Counting

__all__ = ["difference_data", "difference_notes", "exact_figure"]

_NAMES = {"macs": "multiply-adds", "flops": "operations"}
_LOOP = (
    "the steps of a cell are counted one by one; for one fused kernel, the answer depends on the "
    "version and the device"
)


def exact_figure(figures: Totals, counting: Counting) -> Dim:
    """The exact figure that a convention is held against."""
    return figures.macs if counting.count == "macs" else figures.flops


def difference_notes(
    program: Program, totals: Totals, counting: Counting, batch: int
) -> tuple[str, ...]:
    """What the convention gives, and one sentence for each way in which it differs."""
    exact, counted = exact_figure(totals, counting) * batch, totals.tally.counted * batch
    differences = _differences(totals)
    notes = [_sentence(counting, counted, exact)]
    notes += [f"{_signed(p.difference * batch)} {r.operator}: {r.why}" for r, p in differences]
    notes += [f"{reason.operator}: {reason.why}" for reason in _undecided(totals)]
    if counting.convention.reads_code and _has_scan(program.region):
        notes.append(_LOOP)
    return tuple(notes)


def difference_data(
    program: Program, totals: Totals, counting: Counting, batch: int
) -> dict[str, Any]:
    """The same as data."""
    undecided = [reason.operator for reason in _undecided(totals)]
    if counting.convention.reads_code and _has_scan(program.region):
        undecided.append("cell")
    chosen = {} if counting.kinds is None else {"with": list(counting.kinds)}
    return {
        "convention": counting.convention.name or "exact",
        "version": counting.convention.version,
        "count": counting.count,
        **chosen,
        "exact": _number(exact_figure(totals, counting) * batch),
        "counted": _number(totals.tally.counted * batch),
        "differences": [
            {
                "operator": reason.operator,
                "difference": _number(part.difference * batch),
                "why": reason.why,
            }
            for reason, part in _differences(totals)
        ],
        "depends_on_code": undecided,
    }


def _sentence(counting: Counting, counted: Dim, exact: Dim) -> str:
    held = f"{figure(counted)}, where {_NAMES[counting.count]} are {figure(exact)}"
    if counting.kinds is not None:
        return f"counted {', '.join(('multiply-adds', *counting.kinds))}: {held}"
    version = f" {counting.convention.version}" if counting.convention.version else ""
    what = counting.convention.prints[counting.count]
    return f"{counting.convention.name}{version} ({what}): {held}"


def _differences(totals: Totals) -> list[tuple[Reason, Part]]:
    """What differs, the largest first; formulas in the order of the file."""
    found = [(r, part) for r, part in totals.tally.parts.items() if part.difference != 0]
    if any(isinstance(part.difference, Poly) for _, part in found):
        return found
    return sorted(found, key=lambda pair: -abs(pair[1].difference))  # type: ignore[arg-type]


def _undecided(totals: Totals) -> list[Reason]:
    return [reason for reason in totals.tally.parts if reason.undecided]


def _has_scan(region: Region) -> bool:
    """Whether a cell is at work anywhere in it."""
    waiting, seen = [region], {region}
    while waiting:
        for node in waiting.pop().nodes:
            if isinstance(node, Scan):
                return True
            parts = [run.region for run in node.runs] if isinstance(node, Repeat) else []
            inner = getattr(node, "region", None)
            parts += [inner] if isinstance(inner, Region) else []
            waiting += [part for part in parts if part not in seen]
            seen.update(parts)
    return False


def _signed(value: Dim) -> str:
    return f"+ {figure(value)}" if isinstance(value, Poly) or value > 0 else f"- {figure(-value)}"


def _number(value: Dim) -> int | str:
    return str(value) if isinstance(value, Poly) else value
