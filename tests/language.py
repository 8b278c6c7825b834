"""What the tests of the language share: a program in, its figures or its diagnostics out."""

from __future__ import annotations

from typing import Any

import archc
from archc.net import Net
from archc.pipeline import check_source
from archlang.diagnostics import Diagnostic
from archlang.source import Source


def net(text: str, **given: Any) -> Net:
    """The net of a text."""
    return archc.load(source=text, **given)


def output(text: str, **given: Any) -> str:
    """The shapes of its outputs, as messages write them."""
    shapes = net(text, **given).outputs.values()
    return " ".join("(" + ", ".join(str(size) for size in shape) + ")" for shape in shapes)


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    """What `archc check` says of a text."""
    return check_source(Source.of("test.arch", text)).diagnostics


def codes(text: str) -> list[str]:
    """The codes of what is wrong."""
    return [found.code for found in diagnostics(text)]


def only(text: str) -> Diagnostic:
    """The one thing that is wrong."""
    found = diagnostics(text)
    assert len(found) == 1, [f"{d.code}: {d.message}" for d in found]
    return found[0]
