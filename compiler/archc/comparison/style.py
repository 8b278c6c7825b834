"""How charts look: the package's own fonts, colours, and what makes files repeatable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["COLORS", "GRID", "INK", "QUIET", "styled"]

# Paul Tol's bright scheme (https://personal.sron.nl/~pault/), told apart by colour-blind readers;
# its yellow last, which is weak on white.
COLORS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#66ccee", "#bbbbbb", "#ccbb44")
INK = "#1b1f24"
QUIET = "#57606a"
GRID = "#d8dee4"

_FONTS = Path(__file__).parents[1] / "render" / "fonts"
_SETTINGS = {
    "font.family": ["Liberation Sans", "Arch Hangul", "DejaVu Sans"],
    "font.size": 11,
    "axes.unicode_minus": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "archc",
    "pdf.fonttype": 42,
    "savefig.dpi": 150,
    "figure.constrained_layout.w_pad": 0.18,
    "figure.constrained_layout.h_pad": 0.12,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the package, whatever a user's matplotlibrc says."""
    import matplotlib

    _add_fonts()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        settings: Any = _SETTINGS
        matplotlib.rcParams.update(settings)
        yield


@cache
def _add_fonts() -> None:
    from matplotlib import font_manager

    for path in sorted(_FONTS.glob("*.ttf")):
        font_manager.fontManager.addfont(str(path))
