"""What a sketch leaves open: found in the text before lowering, to ask for it at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archc.lower.context import Context
from archc.lower.unknown import looks_like_operator
from archc.op import REGISTRY, Op
from archlang import tree
from archlang.functions import FUNCTIONS

__all__ = ["find_open"]


def find_open(chain: tree.Expr, ctx: Context) -> dict[str, str]:
    """The options to give, as they are written on the command line, with what each one is.

    The input comes first, then counts and other names in the order of the text, then what operators
    need.
    """
    session = ctx.session
    inputs: dict[str, str] = {}
    names: dict[str, str] = {}
    needed: dict[str, str] = {}
    for name in _names(chain, ctx):
        if name not in session.bindings:
            names.setdefault(f"-p {name}=...", name)
    for op, given in _operators(chain):
        if op.family == "input":
            if not given and not session.inputs:
                inputs["--input 3x224x224"] = "the input"
            continue
        for spec in _missing(op, given, ctx):
            needed[f"-p {op.name}.{spec}=..."] = f"{spec} of {op.name}"
    return {**inputs, **names, **needed}


def _names(chain: tree.Expr, ctx: Context) -> Iterator[str]:
    given = _given(chain)
    for node in _in_order(chain):
        if not isinstance(node, tree.Name) or node.name in given or node.name in ("ID", "NONE"):
            continue
        known = ctx.scope.find(node.name) is not None or node.name in FUNCTIONS
        if not known and not looks_like_operator(node.name) and not _is_word(node, chain):
            yield node.name


def _is_word(name: tree.Name, chain: tree.Expr) -> bool:
    # `pad=same`, `axis=t`: an argument of an operator that takes bare names.
    for op, call in _calls(chain):
        for position, argument in enumerate(call.arguments):
            if name in (argument.value, *getattr(argument.value, "items", ())):
                specs = [s for s in op.arguments if s.name == argument.name]
                specs = specs or list(op.arguments[position : position + 1])
                words = specs[0].kind.words if specs else ()
                if words is None or name.name in words:
                    return True
    return False


def _given(chain: tree.Expr) -> set[str]:
    found: set[str] = {"x"}
    for node in _in_order(chain):
        if isinstance(node, tree.Named):
            found.add(node.name)
        elif isinstance(node, tree.For):
            found.update(n.name for n in _in_order(node.pattern) if isinstance(n, tree.Name))
    return found


def _operators(chain: tree.Expr) -> Iterator[tuple[type[Op], tuple[tree.Argument, ...]]]:
    called = {id(node.function) for node in _in_order(chain) if isinstance(node, tree.Call)}
    for node in _in_order(chain):
        if isinstance(node, tree.Name) and id(node) not in called:
            op = REGISTRY.known.get(node.name)
            if op is not None:
                yield op, ()
    for op, call in _calls(chain):
        yield op, call.arguments


def _calls(chain: tree.Expr) -> Iterator[tuple[type[Op], tree.Call]]:
    for node in _in_order(chain):
        if isinstance(node, tree.Call) and isinstance(node.function, tree.Name):
            op = REGISTRY.known.get(node.function.name)
            if op is not None:
                yield op, node


def _missing(op: type[Op], given: tuple[tree.Argument, ...], ctx: Context) -> Iterator[str]:
    positional = len([argument for argument in given if argument.name is None])
    named = {argument.name for argument in given}
    for position, spec in enumerate(op.arguments):
        bound = f"{op.name}.{spec.name}" in ctx.session.bindings
        if spec.required and position >= positional and spec.name not in named and not bound:
            yield spec.name


def _in_order(node: Any) -> Iterator[tree.Node]:
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(reversed(current))
        elif isinstance(current, tree.Node):
            yield current
            inside = [v for v in current.__dict__.values() if isinstance(v, (tuple, tree.Node))]
            stack.extend(reversed(inside))
