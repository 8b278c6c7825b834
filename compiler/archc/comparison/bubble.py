"""The bubble chart: published accuracy against operations, parameters as the size of a bubble."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from archc.comparison.data import word_of
from archc.comparison.measures import Compared
from archc.comparison.problems import ComparisonError
from archc.comparison.style import COLORS, GRID, INK, QUIET
from archlang.record import Record

if TYPE_CHECKING:
    from archc.comparison import Comparison

__all__ = ["draw_bubble", "left_out"]

_LARGEST = 2600.0  # points**2 of the largest bubble
_KEY = (5_000_000, 25_000_000, 100_000_000)
_IMAGENET = "ImageNet"


class _Bubble(Record):
    """A net with a published accuracy."""

    net: Compared
    operations: float
    accuracy: float
    params: int


def draw_bubble(found: Comparison, panel: Any) -> None:
    """Draw the nets whose files state a published accuracy; those of other data are left out.

    Raises:
        ComparisonError: when there is none.
    """
    data, bubbles = _bubbles(found)
    scale = _LARGEST / max(bubble.params for bubble in bubbles)
    for number, bubble in enumerate(bubbles):
        panel.scatter(
            [bubble.operations], [bubble.accuracy], [bubble.params * scale],
            color=COLORS[number % len(COLORS)], alpha=0.6, edgecolors=INK, linewidths=0.6, zorder=2,
        )  # fmt: skip
    _limit(panel, bubbles)
    panel.set_xlabel(f"{word_of(found.count)} (G)", fontsize=13)
    panel.set_ylabel(f"top-1 accuracy on {data} (%)", fontsize=13)
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.grid(color=GRID)
    panel.tick_params(length=0, labelcolor=QUIET)
    _explain(panel, scale)
    panel.figure.draw_without_rendering()  # so that it is known where things stand
    _name(panel, bubbles, scale)


def left_out(found: Comparison) -> list[str]:
    """The names of the nets that the chart does not show."""
    shown = [bubble.net for bubble in _bubbles(found)[1]]
    return [net.name for net in found.nets if not any(net is other for other in shown)]


def _bubbles(found: Comparison) -> tuple[str, list[_Bubble]]:
    stated = [net for net in found.nets if "top1" in net.facts]
    if not stated:
        raise ComparisonError(
            "no file of these nets states a published accuracy: `published top1 = 76.1%` below a "
            "net does"
        )
    data = stated[0].facts.get("data", _IMAGENET)
    same = [net for net in stated if net.facts.get("data", _IMAGENET) == data]
    batch = found.batch
    return data, [
        _Bubble(
            net, int(str(net.operations)) / batch / 1e9, float(net.facts["top1"]),
            int(str(net.params)),
        )
        for net in same
    ]  # fmt: skip


def _limit(panel: Any, bubbles: list[_Bubble]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    costs = [bubble.operations for bubble in bubbles]
    shares = [bubble.accuracy for bubble in bubbles]
    if min(costs) > 0 and max(costs) / min(costs) > 8:
        panel.set_xscale("log")
        room = (max(costs) / min(costs)) ** 0.14
        panel.set_xlim(min(costs) / room, max(costs) * room)
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.xaxis.set_minor_locator(NullLocator())
    else:
        room = 0.18 * (max(costs) - min(costs)) or 0.2 * max(costs)
        panel.set_xlim(min(costs) - room, max(costs) + room)
    room = 0.18 * (max(shares) - min(shares)) or 1
    panel.set_ylim(min(shares) - room, max(shares) + room)


def _name(panel: Any, bubbles: list[_Bubble], scale: float) -> None:
    """Names above the bubbles, or below where another bubble's name would stand there."""
    taken: list[tuple[float, float, float, float]] = []
    own = [_circle(panel, bubble, scale) for bubble in bubbles]
    points = 72 / panel.figure.dpi
    first, last = panel.bbox.x0 * points, panel.bbox.x1 * points
    for bubble, (x, y, radius) in zip(bubbles, own, strict=True):
        half = 3.3 * len(bubble.net.name)
        places = [(0.0, radius + 8), (0.0, -radius - 8)]
        places += [(radius + 6 + half, 0.0), (-radius - 6 - half, 0.0), (0.0, radius + 22)]
        inside = [at for at in places if first + half <= x + at[0] <= last - half]
        dx, dy = min(
            inside or places, key=lambda at: _overlap((x + at[0], y + at[1], half, 7.0), taken, own)
        )
        taken.append((x + dx, y + dy, half, 7.0))
        panel.annotate(
            bubble.net.name, (bubble.operations, bubble.accuracy), (dx, dy),
            textcoords="offset points", ha="center", va="center", fontsize=11, zorder=3,
        )  # fmt: skip


def _circle(panel: Any, bubble: _Bubble, scale: float) -> tuple[float, float, float]:
    """The place of a bubble and its radius, in points."""
    x, y = panel.transData.transform((bubble.operations, bubble.accuracy))
    points = 72 / panel.figure.dpi
    return x * points, y * points, sqrt(bubble.params * scale) / 2


def _overlap(
    box: tuple[float, float, float, float],
    taken: list[tuple[float, float, float, float]],
    circles: list[tuple[float, float, float]],
) -> float:
    """How much of a name would be covered: by other names, which is worst, and by bubbles."""
    x, y, width, height = box
    worst = 0.0
    for left, top, other, tall in taken:
        across, down = width + other - abs(x - left), height + tall - abs(y - top)
        worst += 10 * max(across, 0) * max(down, 0)
    for left, top, radius in circles:
        across, down = width + radius - abs(x - left), height + radius - abs(y - top)
        worst += max(across, 0) * max(down, 0)
    return worst


def _explain(panel: Any, scale: float) -> None:
    """A key of sizes: a bubble's area is the number of parameters."""
    shown = [size for size in _KEY if size * scale <= _LARGEST * 1.05] or [_KEY[0]]
    handles = [
        panel.scatter([], [], [size * scale], color="#ffffff", edgecolors=QUIET, linewidths=0.8)
        for size in shown
    ]
    panel.figure.legend(
        handles, [f"{size // 1_000_000} M parameters" for size in shown],
        loc="outside lower center", ncols=len(shown), borderpad=1.4, handletextpad=1.6,
        columnspacing=4,
    )  # fmt: skip
