"""Bars on the terminal: the stages of nets side by side, or their totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.comparison.data import word_of
from archc.comparison.measures import MEASURES, Compared
from archc.dims import Dim, Poly
from archc.tables.shortening import shortened
from archlang.display import escape
from archlang.display import width as width_of

if TYPE_CHECKING:
    from archc.comparison import Chart, Comparison

__all__ = ["bars_text", "titles"]

_EIGHTHS = " ▏▎▍▌▋▊▉"
_COLORS = ("34", "33", "32", "35", "36", "31")
_NAME = 20  # columns that the name of a net may take
_FIGURE = 11  # columns that a figure takes


def bars_text(found: Comparison, chart: Chart, width: int, *, color: bool) -> str:
    """The bars of a chart, each measure with a scale of its own.

    Args:
        found: the nets.
        chart: "stages", or anything else for the totals.
        width: of the terminal in characters.
        color: whether each net has a colour.
    """
    places = found.stages if chart == "stages" else (found.nets,)
    head = max([len(_label(place)) for place in places]) + 2 if chart == "stages" else 0
    name = min(max([width_of(escape(net.name)) for net in found.nets]), _NAME)
    room = max(width - head - name - _FIGURE - 4, 8)
    parts = []
    for measure, (title, unit) in zip(MEASURES, titles(found), strict=True):
        lines = [title]
        most = max([_number(one, measure) for place in places for one in place], default=0)
        for place in places:
            lead = _label(place) if chart == "stages" else ""
            for number, one in enumerate(place):
                if one is None:
                    continue
                value = _number(one, measure)
                bar = _bar(value / most if most else 0, room)
                shown = f"\x1b[{_COLORS[number % len(_COLORS)]}m{bar}\x1b[0m" if color else bar
                called = _called(found.nets[number], name)
                lines.append(f"{lead:<{head}}{called}  {_amount(one, measure, unit)}  {shown}")
                lead = ""
        parts.append("\n".join([line.rstrip() for line in lines]))
    return "\n\n".join(parts) + "\n"


def titles(found: Comparison) -> tuple[tuple[str, int], ...]:
    """What is measured and in which unit, with the value of the unit, as the lectures print it."""
    params, operations = [
        max([_number(net, measure) for net in found.nets]) for measure in ("params", "operations")
    ]
    small, large = params < 1_000_000, operations >= 100_000_000_000
    return (
        ("memory (KB)", 1024),
        ("parameters (k)", 1_000) if small else ("parameters (M)", 1_000_000),
        (f"{word_of(found.count)} ({'G' if large else 'M'})", 10**9 if large else 10**6),
    )


def _label(place: tuple[Compared | None, ...]) -> str:
    return next(stage.name for stage in place if stage is not None)


def _called(net: Compared, columns: int) -> str:
    text = shortened(escape(net.name), columns)
    return text + " " * (columns - width_of(text))


def _number(one: Compared | None, measure: str) -> int:
    value: Dim = 0 if one is None else one.measure(measure)
    return 0 if isinstance(value, Poly) else value


def _amount(one: Compared, measure: str, unit: int) -> str:
    value = one.measure(measure)
    if isinstance(value, Poly):
        return f"{'open':>{_FIGURE}}"
    exact = value / unit
    text = f"{exact:,.0f}" if exact >= 1000 or exact == 0 else f"{exact:,.3g}"
    return f"{text:>{_FIGURE}}"


def _bar(share: float, room: int) -> str:
    """A bar of eighths of a character; what is there at all is at least one of them."""
    eighths = max(round(share * room * 8), 1 if share > 0 else 0)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + _EIGHTHS[rest].strip()
