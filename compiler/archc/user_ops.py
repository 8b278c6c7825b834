"""Users' own PyTorch modules as operators: declared in Python, with a shape rule and a cost.

A declaration names the module by its import path as text, so that shapes and costs are known
without torch; the generated code imports it. It is made by `operator` in a program of the user's,
or stands in an installed package under the entry-point group `archc.operators`, whose names are
those of the operators:

    [project.entry-points."archc.operators"]
    GATEDCONV = "mypackage.operators"

Entry points are looked at only when a file names an operator that is not built in, and only the one
of that name is imported. A file can never name code to load.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any, ClassVar

from archc.arguments import FLAG, REAL, TEXT, Integer, Kind
from archc.dims import Dim
from archc.op import REGISTRY, REQUIRED, Constant, Module, Op, OpError, TorchForm, argument
from archc.shapes import Shape, vector
from archlang.diagnostics import ArchError, Diagnostic

__all__ = ["GROUP", "DeclarationError", "UserOp", "load_declared", "operator"]

GROUP = "archc.operators"

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_KINDS: dict[Any, Kind] = {
    int: Integer(),
    float: REAL,
    bool: FLAG,
    str: TEXT,
}
_BY_TEXT = {kind.__name__: kind for kind in _KINDS}

# What a shape function may return: a shape, its sizes, or a list of those for a bundle.
Result = Shape | tuple[Dim, ...] | list[Any]
Tensors = Mapping[str, tuple[Dim, ...]]


class DeclarationError(TypeError):
    """A declaration of an operator that is wrong; for whoever wrote the declaration."""


class UserOp(Op):
    """Base of operators that users declare as a class.

    A subclass gives `name`, `module` and `infer`, and what differs from "no parameters, no cost":
    `parameters`, `buffers`, `macs`, `flops`, and `construct`. Its arguments are fields made by
    `archc.op.argument`, as in the operators that are built in.

    Class variables:
        module: the import path of the torch module, "package.module:Class".
    """

    module: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        if cls.name:
            check_name(cls.name)
            check_module(cls.module)
        super().__init_subclass__(**options)

    def construct(self, *inputs: Shape) -> dict[str, Constant]:
        """The keyword arguments that the torch module is made with: the operator's own."""
        return {one.name: getattr(self, one.name) for one in self.arguments}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        path, _, name = self.module.partition(":")
        return Module(
            name,
            keywords=tuple(self.construct(*inputs).items()),
            call="{module}({*})",
            imports=(f"from {path} import {name}",),
        )


def check_name(name: str) -> None:
    """Refuse what a file could not name.

    Raises:
        DeclarationError: when it is not upper case.
    """
    if not _NAME.fullmatch(name):
        raise DeclarationError(f"the name of an operator is upper case, such as MYOP, not {name!r}")


def check_module(path: str) -> None:
    """Refuse what is not an import path.

    Raises:
        DeclarationError: when it is not "package.module:Class".
    """
    module, _, name = path.partition(":")
    words = [*module.split("."), name]
    if not all(word.isidentifier() and not iskeyword(word) for word in words):
        raise DeclarationError(f'a module is named "package.module:Class", not {path!r}')


def operator(
    name: str,
    *,
    module: str,
    params: Callable[..., Tensors] | None = None,
    buffers: Callable[..., Tensors] | None = None,
    macs: Callable[..., Dim] | None = None,
    flops: Callable[..., Dim] | None = None,
    construct: Callable[..., Mapping[str, Constant]] | None = None,
    foreign: tuple[str, ...] = (),
) -> Callable[[Callable[..., Result]], type[UserOp]]:
    """Declare a torch module of your own as an operator, by its shape rule.

    The decorated function takes the shapes that flow in as positional-only parameters (`*streams`
    for any number), then the operator's arguments, annotated int, float, bool or str. It returns
    the shape that flows out: a `Shape`, or its sizes, which keep the axes of the first input where
    their number is the same and make a vector where it is one; a list of these is a bundle. It
    raises `archc.op.OpError` for inputs that do not fit. Its docstring documents the operator, and
    the `Args:` section the arguments. All other functions take the same parameters.

        @archc.operator(
            "GATE",
            module="mypackage.layers:Gate",
            params=lambda x, /, units: {"weight": (units, x.sizes[-1])},
            macs=lambda x, /, units: x.elements * units,
        )
        def gate(x, /, units: int, bias: bool = False):
            \"\"\"A gated projection of each step.\"\"\"
            return (*x.sizes[:-1], units)

    Args:
        name: as files write it, upper case.
        module: the import path of the torch module, "package.module:Class".
        params: the learned tensors by their names in the state_dict, with their shapes; none
            without it.
        buffers: the tensors that are kept but not learned, likewise.
        macs: the multiply-adds of one application; 0 without it.
        flops: the arithmetic operations; twice the multiply-adds without it.
        construct: the keyword arguments that the torch module is made with; those of the operator
            without it.
        foreign: other names of it, for did-you-mean.

    Raises:
        DeclarationError: when the declaration is wrong.
    """
    rules = {"parameters": params, "buffers": buffers, "construct": construct}
    costs = {"macs": macs, "flops": flops}

    def declare(shape_rule: Callable[..., Result]) -> type[UserOp]:
        members = _members(name, module, foreign, shape_rule)
        members["infer"] = _infer(shape_rule)
        for method, rule in rules.items():
            if rule is not None:
                members[method] = _tensors(rule)
        for method, cost in costs.items():
            if cost is not None:
                members[method] = _cost(cost)
        return type(shape_rule.__name__, (UserOp,), members)

    return declare


def _members(
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
    members: dict[str, Any] = {
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
        members[parameter.name] = _argument(name, parameter, texts.get(parameter.name, ""))
        members["__annotations__"][parameter.name] = "Any"
    return members


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


def _infer(rule: Callable[..., Result]) -> Callable[..., Shape | tuple[Shape, ...]]:
    def infer(self: UserOp, *inputs: Shape) -> Shape | tuple[Shape, ...]:
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


def _tensors(rule: Callable[..., Mapping[str, Any]]) -> Callable[..., dict[str, Any]]:
    def tensors(self: UserOp, *inputs: Shape) -> dict[str, Any]:
        return dict(rule(*inputs, **_given(self)))

    return tensors


def _cost(rule: Callable[..., Dim]) -> Callable[..., Dim]:
    def cost(self: UserOp, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return rule(*inputs, **_given(self))

    return cost


def load_declared(name: str | None) -> None:
    """Import the declaration of an operator from the installed packages, or of all of them (None).

    Raises:
        ArchError: "operator-unavailable" when the declaration cannot be imported or does not
            declare the operator.
    """
    if name is not None and not _NAME.fullmatch(name):
        return
    from importlib.metadata import entry_points

    for entry in (
        entry_points(group=GROUP) if name is None else entry_points(group=GROUP, name=name)
    ):
        _load(entry.name, entry.value, entry.load)


def _load(name: str, value: str, load: Callable[[], Any]) -> None:
    if name in REGISTRY.known:
        return
    try:
        load()
    except Exception as problem:  # whatever the user's package does when it is imported
        raise _unavailable(name, f"{value} cannot be imported: {problem}") from problem
    if name not in REGISTRY.known:
        raise _unavailable(name, f"{value} does not declare it")


def _unavailable(name: str, why: str) -> ArchError:
    message = f"operator {name} is declared by an installed package, but {why}"
    return ArchError((Diagnostic("operator-unavailable", message),))
