"""Charts by matplotlib: stages side by side, totals side by side, cost against accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.comparison.bars import titles
from archc.comparison.bubble import draw_bubble
from archc.comparison.measures import MEASURES, Compared
from archc.comparison.problems import ComparisonError
from archc.comparison.style import COLORS, GRID, QUIET, styled
from archc.dims import Poly

if TYPE_CHECKING:
    from archc.comparison import Chart, Comparison

__all__ = ["figure"]

MOST_STAGED = 4  # nets whose stages stand side by side and can still be told apart
_MISSING = "charts need matplotlib: pip install 'arch-lang[plots]'"


def figure(found: Comparison, chart: Chart) -> Any:
    """The chart as a figure of matplotlib.

    Args:
        found: the nets.
        chart: "stages", "totals" or "bubble".

    Raises:
        ComparisonError: when sizes are open, there are too many nets for stages, or no accuracy is
            published.
        ImportError: when matplotlib is not installed.
    """
    try:
        import matplotlib.figure
    except ModuleNotFoundError as error:
        raise ImportError(_MISSING, name="matplotlib") from error
    _refuse_open(found)
    with styled():
        if chart == "bubble":
            made = matplotlib.figure.Figure(figsize=(10, 6.25), layout="constrained")
            draw_bubble(found, made.subplots())
            return made
        if chart == "stages" and len(found.nets) > MOST_STAGED:
            raise ComparisonError(
                f"stages of {len(found.nets)} nets cannot be told apart: at most {MOST_STAGED}, "
                "or --chart totals"
            )
        size = (15, 5) if chart == "stages" else (15, 1.9 + 0.42 * len(found.nets))
        made = matplotlib.figure.Figure(figsize=size, layout="constrained")
        panels = made.subplots(1, 3)
        for panel, measure, (title, unit) in zip(panels, MEASURES, titles(found), strict=True):
            # The package's Hangul has no bold, and a title has none of it.
            panel.set_title(title, pad=12, fontfamily="Liberation Sans")
            draw = _draw_stages if chart == "stages" else _draw_totals
            draw(found, panel, measure, unit)
        if chart == "stages":
            handles, labels = panels[0].get_legend_handles_labels()
            made.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=13)
        elif chart == "totals":
            for panel in panels[1:]:
                panel.set_yticklabels([])
        return made


def _draw_stages(found: Comparison, panel: Any, measure: str, unit: int) -> None:
    width = 0.8 / len(found.nets)
    places = found.stages
    for number, net in enumerate(found.nets):
        heights = [_value(place[number], measure) / unit for place in places]
        offset = (number - (len(found.nets) - 1) / 2) * width
        panel.bar(
            [place + offset for place in range(len(places))], heights, width * 0.94,
            color=COLORS[number], label=net.name,
        )  # fmt: skip
    labels = [next(one.name for one in place if one is not None) for place in places]
    panel.set_xticks(range(len(places)), labels, rotation=35 if len(places) > 6 else 0)
    panel.tick_params(axis="x", length=0)
    panel.yaxis.set_major_formatter(_thousands)
    panel.grid(axis="y", color=GRID)
    panel.spines["left"].set_visible(False)
    panel.tick_params(axis="y", length=0, labelcolor=QUIET)


def _draw_totals(found: Comparison, panel: Any, measure: str, unit: int) -> None:
    values = [_value(net, measure) / unit for net in found.nets]
    places = range(len(values))
    panel.barh(places, values, 0.7, color=[COLORS[n % len(COLORS)] for n in places])
    panel.set_yticks(places, [net.name for net in found.nets], fontsize=12)
    panel.invert_yaxis()
    panel.set_xlim(0, max(values) * 1.24 or 1)
    for place, value in zip(places, values, strict=True):
        panel.annotate(
            f"{value:,.0f}" if value >= 1000 or value == 0 else f"{value:,.3g}",
            (value, place), (5, 0), textcoords="offset points", va="center", color=QUIET,
        )  # fmt: skip
    panel.set_xticks([])
    panel.tick_params(axis="y", length=0)
    panel.spines["bottom"].set_visible(False)


def _thousands(value: float, _: int) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,g}"


def _value(one: Compared | None, measure: str) -> int:
    value = 0 if one is None else one.measure(measure)
    assert isinstance(value, int)
    return value


def _refuse_open(found: Comparison) -> None:
    for net in found.nets:
        if any(isinstance(net.measure(measure), Poly) for measure in MEASURES):
            raise ComparisonError(
                f"{net.name} leaves a size open, so its figures are formulas: bind it with -p"
            )
