"""What is said of a name that means nothing here."""

from __future__ import annotations

from typing import Any

from archc.lower.context import Context, Problem
from archc.lower.things import POISON
from archc.op import REGISTRY
from archlang import tree
from archlang.functions import FUNCTIONS
from archlang.suggest import closest

__all__ = ["unknown_name"]

# How many words are compared in one run: the thousandth unknown name gets no suggestion.
MOST_COMPARED = 100_000


def unknown_name(name: tree.Name, ctx: Context) -> Any:
    """An open parameter of a sketch, or a Problem.

    Raises:
        Problem: unknown-name or unknown-operator, with what was probably meant.
    """
    if ctx.session.sketch and not looks_like_operator(name.name):
        return open_parameter(name.name, ctx)
    raise problem(name, ctx)


def open_parameter(name: str, ctx: Context) -> Any:
    """What `-p` says of a name that a sketch leaves open; asked for at the end when nothing is."""
    ctx.session.used.add(name)
    if name in ctx.session.bindings:
        return ctx.session.bindings[name]
    ctx.session.open.setdefault(f"-p {name}=...", name)
    return POISON


def looks_like_operator(name: str) -> bool:
    """Whether a name is written as operators are: upper case, more than one letter."""
    return len(name) > 1 and name.isupper()


def problem(name: tree.Name, ctx: Context) -> Problem:
    """The Problem for an unknown name."""
    if name.name == "t":
        message = "`t` is the step of a cell, and this is no cell"
        help = "write `cell Name(n) { ... }`; the names of axes are words: `SOFTMAX(axis=t)`"
        return Problem("time-index", message, name.span, help=help)
    if len(name.name) == 1 and name.name.isupper():
        message = f"unknown name {name.name}"
        help = f"`dim {name.name}` declares a symbolic size, `{name.name} = 32` a constant"
        return Problem("unknown-dimension", message, name.span, help=help)
    code = "unknown-operator" if looks_like_operator(name.name) else "unknown-name"
    what = "operator" if code == "unknown-operator" else "name"
    return Problem(code, f"unknown {what} {name.name}", name.span, help=_meant(name.name, ctx))


def _meant(name: str, ctx: Context) -> str | None:
    if ctx.session.spent.compared > MOST_COMPARED:
        return None
    foreign = {
        f.casefold(): op.name for op in REGISTRY.all() for f in op.foreign if not op.internal
    }
    if name.casefold() in foreign:
        return f"{name} is called {foreign[name.casefold()]} here"
    if name.casefold() == "sequential":
        return "a chain needs no Sequential: `A -> B -> C`"
    operators = [op.name for op in REGISTRY.all() if not op.internal]
    candidates = sorted({*ctx.scope.visible(), *operators, *FUNCTIONS, "ID", "NONE"})
    ctx.session.spent.compared += len(candidates)
    found = closest(name, candidates)
    if found:
        return f"did you mean {found[0]}?"
    near = closest(name, sorted(foreign))
    return f"did you mean {foreign[near[0]]}?" if near else None
