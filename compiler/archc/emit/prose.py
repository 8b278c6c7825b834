"""Docstrings: the file's own lines where they fit, else paragraphs filled anew."""

from __future__ import annotations

import re
from textwrap import dedent

from archc.emit.layout import WIDTH, width

__all__ = ["docstring", "fill"]

_INDENT, _QUOTES = 4, 3
_ITEM = re.compile(r"\s*([-*]|\d+[.)]) ")


def docstring(lines: list[str]) -> list[str]:
    """The docstring of a class as formatters leave it, and an empty line; nothing without text."""
    if not lines:
        return []
    first, *rest = lines
    # A quote that begins it needs a space, one that ends it a backslash; one alone, the latter.
    space = " " if first.startswith('"') and (rest or first != '"') else ""
    opening = f'    """{space}{first}'
    if rest:
        inside = dedent("\n".join(rest)).split("\n")
        return [opening, *[f"    {line}".rstrip() for line in inside], '    """', ""]
    if width(opening) <= WIDTH < width(opening) + 3:
        return [opening, '    """', ""]
    return [f'{opening[:-1]}\\""""' if first.endswith('"') else f'{opening}"""', ""]


def fill(lines: list[str], *, opens: bool = False) -> list[str]:
    """Lines of prose, each paragraph with a line that is too long filled anew.

    Paragraphs are separated by empty lines; the items of a list, and lines that are indented, begin
    one of their own.

    Args:
        opens: the first line stands behind the opening quotes.
    """
    found: list[str] = []
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if paragraph and (not line or _begins(paragraph, line)):
            found += _filled(paragraph, _QUOTES if opens and not found else 0)
            paragraph = []
        if line:
            paragraph.append(line)
        else:
            found.append("")
    return found[:-1]


def _begins(paragraph: list[str], line: str) -> bool:
    """Whether a line begins a paragraph without an empty line before it."""
    if _ITEM.match(line):
        return True
    hanging = _ITEM.match(paragraph[0])
    expected = hanging.end() if hanging and len(paragraph) == 1 else _indent(paragraph[-1])
    return _indent(line) != expected


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _filled(paragraph: list[str], taken: int) -> list[str]:
    """One paragraph; `taken` columns of its first line are not free."""
    room = WIDTH - _INDENT
    if width(paragraph[0]) + taken <= room and all(width(line) <= room for line in paragraph):
        return paragraph
    item = _ITEM.match(paragraph[0])
    hanging = " " * (item.end() if item else _indent(paragraph[0]))
    first, *words = " ".join(paragraph).split()
    found = [" " * (_indent(paragraph[0]) + taken) + first]
    for word in words:
        if width(found[-1]) + 1 + width(word) > room:
            found.append(hanging + word)
        else:
            found[-1] += f" {word}"
    return [found[0][taken:], *found[1:]]
