"""Which symbolic sizes the constructor of a net would need."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from archc.dims import Poly, symbols
from archc.emit.collecting import regions_below
from archc.emit.forms import Forms
from archc.graph import Operation, Program
from archc.op import Module

__all__ = ["symbolic_constructors"]


@lru_cache(maxsize=16)
def symbolic_constructors(program: Program) -> tuple[str, ...]:
    """The names of dimensions that arguments of modules depend on, sorted."""
    forms, found = Forms(), set[str]()
    for region in regions_below(program.region):
        for node in region.nodes:
            if not isinstance(node, Operation):
                continue
            form = forms.of(region, node)
            if isinstance(form, Module):
                for value in (*form.arguments, *[value for _, value in form.keywords]):
                    found |= set(_names(value))
    return tuple(sorted(found))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Poly):
        yield from [symbol.name for symbol in symbols(value)]
    elif isinstance(value, tuple):
        for item in value:
            yield from _names(item)
