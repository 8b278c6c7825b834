"""Graphviz's SVG made fit for pages: no reference to other files, words for screen readers, fonts
that every system has."""

from __future__ import annotations

import re
from html import escape

from archc.render.labels import printable

__all__ = ["finished"]

_FAMILIES = (
    "Liberation Sans, Arimo, Arial, Helvetica, Noto Sans KR, Malgun Gothic, Apple SD Gothic Neo, "
    "NanumGothic, sans-serif"
)


def finished(svg: str, title: str, description: str) -> str:
    """Finish an SVG.

    Args:
        svg: as Graphviz writes it.
        title: what the picture is called.
        description: what it shows, in a sentence.
    """
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg, count=1)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r'font-family="[^"]*"', f'font-family="{_FAMILIES}"', svg)
    svg = svg.replace("<svg ", '<svg role="img" aria-labelledby="title description" ', 1)
    words = (
        f'<title id="title">{escape(printable(title))}</title>\n'
        f'<desc id="description">{escape(printable(description))}</desc>\n'
    )
    head, body = svg.split(">\n<g ", 1)
    return f"{head}>\n{words}<g {body}"
