"""Charts as files: repeatable, and whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archc.comparison.problems import ComparisonError
from archc.comparison.style import styled
from archc.output import staged

if TYPE_CHECKING:
    from archc.comparison import Chart, Comparison

__all__ = ["FORMATS", "save"]

FORMATS = (".svg", ".png", ".pdf", ".html")
# What would differ from one run or version to the next is left out.
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
}
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; color: #1b1f24; max-width: 1100px; margin: 2em auto;
  padding: 0 1em; }}
svg {{ width: 100%; height: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 0.3em 0.8em; border-bottom: 1px solid #d8dee4; }}
</style>
</head>
<body>
<h1>{title}</h1>
{picture}
{table}</body>
</html>
"""


def save(found: Comparison, path: Path, chart: Chart) -> None:
    """Draw a chart into a file.

    Raises:
        ComparisonError: for another suffix, or when there is nothing that could be drawn.
        ImportError: when matplotlib is not installed.
        archc.output.OutputError: when the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        said = f"not {suffix!r}" if suffix else "and this path has no suffix"
        raise ComparisonError(f"the format of a chart is {', '.join(FORMATS)}, {said}")
    made = found.figure(chart)
    form = suffix.removeprefix(".")
    data = _page(found, made) if form == "html" else _drawn(made, form)
    with staged(path) as temporary:
        temporary.write_bytes(data)


def _drawn(made: Any, form: str) -> bytes:
    into = io.BytesIO()
    with styled():
        made.savefig(into, format=form, metadata=_METADATA[form])
    return into.getvalue()


def _page(found: Comparison, made: Any) -> bytes:
    from html import escape

    from archlang.display import escape as visible

    picture = _drawn(made, "svg").decode("utf-8")
    picture = picture[picture.index("<svg") :]
    title = escape(visible(", ".join([net.name for net in found.nets])))
    return _PAGE.format(title=title, picture=picture, table=found.to_html()).encode("utf-8")
