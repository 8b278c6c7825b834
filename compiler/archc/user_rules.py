"""Functions that users write, made members of an operator's class: arguments, shapes, costs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from archc.arguments import FLAG, REAL, TEXT, Integer, Kind
from archc.dims import Dim
from archc.op import REQUIRED, Op, OpError, argument
from archc.shapes import Shape, vector

__all__ = ["DeclarationError", "Result", "cost_by", "infer_by", "members", "tensors_by"]

_KINDS: dict[Any, Kind] = {int: Integer(), float: REAL, bool: FLAG, str: TEXT}
_BY_TEXT = {annotation.__name__: kind for annotation, kind in _KINDS.items()}

# What a shape function may return: a shape, its sizes, or a list of those for a bundle.
Result = Shape | tuple[Dim, ...] | list[Any]


class DeclarationError(TypeError):
    """A declaration of an operator that is wrong; for whoever wrote the declaration."""


def members(
    name: str, module: str, foreign: tuple[str, ...], rule: Callable[..., Result]
) -> dict[str, Any]:
    """The body of the class: what it is called, what flows in, and its arguments."""
    parameters = inspect.signature(rule).parameters.values()
    streams = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)]
    if not streams:
        raise DeclarationError(
            f"{name}: shapes that flow in come first, before a /: def {rule.__name__}(x, /, ...)"
        )
    fixed = sum(p.kind is p.POSITIONAL_ONLY for p in streams)
    any_number = fixed < len(streams)
    texts = _sentences(rule.__doc__ or "")
    body: dict[str, Any] = {
        "__doc__": inspect.cleandoc(rule.__doc__ or f"{module}, declared in {rule.__module__}."),
        "__module__": rule.__module__,
        "__qualname__": rule.__qualname__,
        "__annotations__": {},
        "name": name,
        "module": module,
        "foreign": foreign,
        "inputs": (max(fixed, 1), None if any_number else fixed),
    }
    for parameter in parameters:
        if parameter in streams:
            continue
        body[parameter.name] = _argument(name, parameter, texts.get(parameter.name, ""))
        body["__annotations__"][parameter.name] = "Any"
    return body


def _argument(name: str, parameter: inspect.Parameter, text: str) -> Any:
    if parameter.kind is parameter.VAR_KEYWORD:
        raise DeclarationError(f"{name}: **{parameter.name} would accept any argument in silence")
    annotation = parameter.annotation
    kind = annotation if isinstance(annotation, Kind) else _KINDS.get(annotation)
    kind = kind or _BY_TEXT.get(annotation if isinstance(annotation, str) else "")
    if kind is None:
        raise DeclarationError(
            f"{name}: argument {parameter.name} is annotated int, float, bool, str, or with a kind "
            "of archc.arguments"
        )
    default = REQUIRED if parameter.default is parameter.empty else parameter.default
    return argument(text, kind, default)


def _sentences(documentation: str) -> dict[str, str]:
    """The sentences of the `Args:` section of a docstring, by argument."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", inspect.cleandoc(documentation), re.M)
    if section is None:
        return {}
    entries = re.findall(r"^[ \t]+(\w+): *((?:.+)(?:\n[ \t]{6,}.+)*)", section.group(1), re.M)
    return {name: " ".join(text.split()) for name, text in entries}


def _given(op: Op) -> dict[str, Any]:
    return {one.name: getattr(op, one.name) for one in op.arguments}


def infer_by(rule: Callable[..., Result]) -> Callable[..., Shape | tuple[Shape, ...]]:
    def infer(self: Op, *inputs: Shape) -> Shape | tuple[Shape, ...]:
        result = rule(*inputs, **_given(self))
        if isinstance(result, list):
            return tuple([_shape(self.name, one, inputs) for one in result])
        return _shape(self.name, result, inputs)

    return infer


def _shape(name: str, result: Any, inputs: tuple[Shape, ...]) -> Shape:
    if isinstance(result, Shape):
        return result
    sizes = tuple(result)
    if inputs and len(sizes) == inputs[0].rank:
        return inputs[0].with_sizes(dict(enumerate(sizes)))
    if len(sizes) == 1:
        return vector(sizes[0])
    raise OpError(
        f"the shape rule of {name} gives {len(sizes)} sizes, and {inputs[0]} flows in",
        code="operator-declaration",
        help="return an archc.shapes.Shape where the number of axes changes",
    )


def tensors_by(rule: Callable[..., Mapping[str, Any]]) -> Callable[..., dict[str, Any]]:
    def tensors(self: Op, *inputs: Shape) -> dict[str, Any]:
        return dict(rule(*inputs, **_given(self)))

    return tensors


def cost_by(rule: Callable[..., Dim]) -> Callable[..., Dim]:
    def cost(self: Op, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return rule(*inputs, **_given(self))

    return cost
