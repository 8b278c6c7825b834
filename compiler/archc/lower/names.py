"""Names of modules: `as` names, block names, else the operator and a number.

Numbers follow the text and not what is lowered, so that all instances of a block name alike.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections import Counter
from typing import Any

from archlang import tree
from archlang.functions import FUNCTIONS

__all__ = ["Names", "safe_name", "snake"]

# What nn.Module, nn.Sequential and nn.ModuleList already have; a test holds this against torch.
_TAKEN = frozenset(
    [
        "T_destination",
        "add_module",
        "append",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "clear",
        "compile",
        "count",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extend",
        "extra_repr",
        "float",
        "forward",
        "get",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "index",
        "insert",
        "ipu",
        "items",
        "keys",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "pop",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "update",
        "values",
        "xpu",
        "zero_grad",
        "self",
        "nn",
        "torch",
        "F",
        "math",
        "x",
    ]
)


def safe_name(name: str) -> str:
    """The name, with an underscore behind it where Python or nn.Module has it already.

    Underscores in front are left out: such names are nn.Module's own (`_modules`). Letters
    are those that Python reads, which takes the ligature fi for two.
    """
    plain = unicodedata.normalize("NFKC", name).lstrip("_")
    if not plain.isidentifier():
        plain = f"module{plain}"
    taken = keyword.iskeyword(plain) or hasattr(builtins, plain) or plain in _TAKEN
    return f"{plain}_" if taken else plain


def snake(name: str) -> str:
    """`DecoderLayer` -> `decoder_layer`, `CONV` -> `conv`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return parted.lower()


class Names:
    """The names of the places of one body: of a definition, or of the group of a repeat."""

    def __init__(self, body: Any) -> None:
        self._places: list[tuple[tree.Node, str, bool]] = []
        self._options: list[tuple[tree.Node, str, bool]] = []
        self._streams = {"x", "ID", "NONE", *_given(body)}
        self._walk(body)
        self.single = len(self._places) == 1 and not self._places[0][2]
        self._names = self._number()

    def all(self) -> dict[int, str]:
        """The names by the identity of the place's node."""
        return self._names

    def options(self) -> dict[int, str]:
        """The names of the open options, `maxpool1` or what `as` says, by the node's identity."""
        counts: dict[str, int] = {}
        names: dict[int, str] = {}
        for node, base, fixed in self._options:
            counts[base] = counts.get(base, 0) + 1
            names[id(node)] = base if fixed else f"{base}{counts[base]}"
        return names

    def _number(self) -> dict[int, str]:
        bases = Counter([base for _, base, fixed in self._places if not fixed])
        fixed_names = {base for _, base, fixed in self._places if fixed}
        counts: dict[str, int] = {}
        names: dict[int, str] = {}
        for node, base, fixed in self._places:
            if fixed:
                names[id(node)] = safe_name(base)
                continue
            counts[base] = counts.get(base, 0) + 1
            alone = bases[base] == 1 and base not in fixed_names
            names[id(node)] = safe_name(base if alone else f"{base}{counts[base]}")
        return names

    def _add(self, node: tree.Node, base: str, fixed: str | None) -> None:
        self._places.append((node, fixed or base, fixed is not None))

    def _walk(self, node: Any, fixed: str | None = None) -> None:
        match node:
            case tree.Name():
                if node.name not in self._streams:
                    self._add(node, snake(node.name), fixed)
            case tree.Call(function=tree.Name() as function):
                if function.name not in FUNCTIONS:
                    self._add(node, snake(function.name), fixed)
            case tree.Repeat():
                self._add(node, _of_repeat(node.body), fixed)
                self._find_options(node.body, None)
            case tree.Group() if node.clauses:
                self._add(node, _of_repeat(node), fixed)
                self._find_options(node, None)
            case tree.Named():
                self._walk(node.value, node.name)
            case _:
                self._walk_inside(node, fixed)

    def _walk_inside(self, node: Any, fixed: str | None) -> None:
        match node:
            case tree.Chain():
                for step in node.steps:
                    self._walk(step)
            case tree.Binary(operator="or"):
                self._options.append((node, fixed or "choice", fixed is not None))
                for part in (node.left, node.right):
                    self._walk(part)
            case tree.Binary() | tree.Unary() | tree.Transpose():
                self._add(node, _operation_of(node), fixed)
                for part in _operands(node):
                    self._walk(part)
            case tree.Group() | tree.Fork() | tree.Bundle() | tree.Tuple():
                for item in node.items:
                    self._walk(item, fixed)
            case tree.Optional():
                self._options.append((node, fixed or _of_option(node), fixed is not None))
                self._walk(node.value, fixed)
            case tree.Paren() | tree.Claimed():
                self._walk(node.value, fixed)
            case tree.Conditional() | tree.When():
                self._walk(node.then, fixed)
                self._walk(node.otherwise, fixed)
            case tree.Body():
                for statement in node.statements:
                    self._walk_statement(statement)

    def _find_options(self, node: Any, fixed: str | None) -> None:
        # Options inside a repeat are one option each: it is there in all copies or in none.
        match node:
            case tree.Optional():
                self._options.append((node, fixed or _of_option(node), fixed is not None))
                self._find_options(node.value, None)
            case tree.Named():
                self._find_options(node.value, node.name)
            case tree.Binary(operator="or"):
                self._options.append((node, fixed or "choice", fixed is not None))
            case tree.Node():
                for value in node.__dict__.values():
                    self._find_options(value, None)
            case tuple():
                for item in node:
                    self._find_options(item, None)

    def _walk_statement(self, statement: tree.Statement) -> None:
        match statement:
            case tree.Assign():
                self._walk(statement.value)
            case tree.Out():
                for output in statement.outputs:
                    self._walk(output.value)
            case tree.Share() | tree.Param():
                self._add(statement, statement.name, statement.name)


_OPERATIONS = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "@": "matmul", "|": "concat",
    "'": "transposed", "//": "value", "%": "value", "and": "value", "or": "choice", "not": "value",
}  # fmt: skip


def _given(body: Any) -> set[str]:
    """The names that the statements of a body give to streams and values."""
    found: set[str] = set()
    for statement in body.statements if isinstance(body, tree.Body) else ():
        if isinstance(statement, tree.Assign):
            found.update(t.name for t in statement.targets if isinstance(t, tree.Name))
        elif isinstance(statement, tree.In):
            found.update(entry.name for entry in statement.inputs)
    return found


def _operation_of(node: Any) -> str:
    if isinstance(node, tree.Unary):
        return "neg" if node.operator == "-" else "value"
    return _OPERATIONS[getattr(node, "operator", "'")]


def _operands(node: Any) -> tuple[Any, ...]:
    if isinstance(node, tree.Binary):
        return (*_flat(node.left, node.operator), node.right)
    return (node.operand,) if isinstance(node, tree.Unary) else (node.value,)


def _flat(node: Any, operator: str) -> tuple[Any, ...]:
    # `a + b + c` is one sum with one name.
    if isinstance(node, tree.Binary) and node.operator == operator and operator in "+*|":
        return (*_flat(node.left, operator), node.right)
    return (node,)


def _of_repeat(group: tree.Group) -> str:
    item: Any = group.items[0] if len(group.items) == 1 else None
    while isinstance(item, (tree.Paren, tree.Optional, tree.Claimed)):
        item = item.value
    if isinstance(item, tree.Group) and not item.clauses:
        return _of_repeat(item)
    if isinstance(item, tree.Call):
        item = item.function
    return snake(item.name) if isinstance(item, tree.Name) else "stage"


def _of_option(option: tree.Optional) -> str:
    inner: Any = option.value
    while isinstance(inner, (tree.Paren, tree.Claimed, tree.Named, tree.Group, tree.Chain)):
        if isinstance(inner, tree.Group):
            inner = inner.items[0]
        elif isinstance(inner, tree.Chain):
            inner = inner.steps[0]
        else:
            inner = inner.value
    if isinstance(inner, tree.Call):
        inner = inner.function
    return snake(inner.name) if isinstance(inner, tree.Name) else "option"
