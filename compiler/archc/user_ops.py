"""Users' own PyTorch modules as operators: declared in Python, with a shape rule and a cost.

A declaration names the module by its import path as text, so that shapes and costs are known
without torch; the generated code imports it. It is made by `operator` in a program of the user's,
or stands in an installed package under an entry point that is named like the operator:

    [project.entry-points."archc.operators"]
    GATEDCONV = "mypackage.operators"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any, ClassVar

from archc.dims import Dim
from archc.op import Constant, Module, Op, TorchForm
from archc.shapes import Shape
from archc.user_rules import DeclarationError, Result, cost_by, infer_by, members, tensors_by

__all__ = ["DeclarationError", "UserOp", "operator"]

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")

Tensors = Mapping[str, tuple[Dim, ...]]


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
        body = members(name, module, foreign, shape_rule)
        body["infer"] = infer_by(shape_rule)
        for method, rule in rules.items():
            if rule is not None:
                body[method] = tensors_by(rule)
        for method, cost in costs.items():
            if cost is not None:
                body[method] = cost_by(cost)
        return type(shape_rule.__name__, (UserOp,), body)

    return declare
