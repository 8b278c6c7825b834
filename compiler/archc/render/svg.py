"""Graphviz's SVG made fit for pages: no reference to other files, words for screen readers, fonts
that every system has."""

from __future__ import annotations

import re
from html import escape, unescape

from archc.render.labels import printable
from archc.render.metrics import Metrics

__all__ = ["finished"]

_FAMILIES = (
    "Liberation Sans, Arimo, Arial, Helvetica, Noto Sans KR, Malgun Gothic, Apple SD Gothic Neo, "
    "NanumGothic, sans-serif"
)


_TEXT = re.compile(r'<text ([^>]*font-size="([0-9.]+)"[^>]*)>([^<]*)</text>')


def finished(svg: str, title: str, description: str) -> str:
    """Finish an SVG.

    Args:
        svg: as Graphviz writes it.
        title: what the picture is called.
        description: what it shows, in a sentence.
    """
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg, count=1)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r' font-family="[^"]*"', "", svg)
    metrics = Metrics()
    svg = _TEXT.sub(lambda found: _fitted(found, metrics), svg)
    title, description = escape(printable(title)), escape(printable(description))
    # No ids: a page may hold several pictures.
    named = f'<svg role="img" aria-label="{title}" font-family="{_FAMILIES}" '
    svg = svg.replace("<svg ", named, 1)
    words = f"<title>{title}</title>\n<desc>{description}</desc>\n"
    head, body = svg.split(">\n<g ", 1)
    return f"{head}>\n{words}<g {body}"


def _fitted(found: re.Match[str], metrics: Metrics) -> str:
    """A text that fits its box in whatever font a viewer has."""
    attributes, size, text = found.groups()
    width = metrics.width(unescape(text), float(size), bold='font-weight="bold"' in attributes)
    if not width:
        return found[0]
    fit = f'textLength="{width:.2f}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {attributes} {fit}>{text}</text>"
