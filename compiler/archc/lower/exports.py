"""Which `as` names inside a repeat or a choice are wanted outside of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from archc.lower.context import Context
from archlang import tree

__all__ = ["definition_around", "exported", "mentions_attribute"]


def exported(body: tree.Expr, ctx: Context) -> tuple[str, ...]:
    """The names given by `as` inside `body` that the rest of the definition mentions."""
    given = [n.name for n in _below(body) if isinstance(n, tree.Named)]
    if not given:
        return ()
    whole = definition_around(body, ctx)
    outside = _mentions(whole)
    outside.subtract(_mentions(body))
    return tuple(dict.fromkeys([name for name in given if outside[name] > 0]))


def definition_around(body: tree.Expr, ctx: Context) -> Any:
    """The definition that holds a place, or the chain of the file."""
    file: tree.File = ctx.file.file
    for definition in file.definitions:
        if definition.span.start <= body.span.start < definition.span.end:
            return definition
    return file.chain


def mentions_attribute(node: Any, name: str) -> bool:
    """Whether `.name` is read anywhere in a tree."""
    return any(isinstance(n, tree.Attribute) and n.name == name for n in _below(node))


def _mentions(node: Any) -> Counter[str]:
    return Counter(n.name for n in _below(node) if isinstance(n, tree.Name))


def _below(node: Any) -> list[tree.Node]:
    found: list[tree.Node] = []
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(current)
        elif isinstance(current, tree.Node):
            found.append(current)
            stack.extend(
                [v for k, v in current.__dict__.items() if isinstance(v, (tuple, tree.Node))]
            )
    return found
