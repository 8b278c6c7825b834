"""Expressions of forward: texts with how tightly they bind, and templates filled with them."""

from __future__ import annotations

import re

from archlang.record import Record

__all__ = [
    "PLACEHOLDER",
    "RANK",
    "TYPED",
    "Value",
    "hug_powers",
    "is_name",
    "operand_text",
    "spaced_slices",
]

PLACEHOLDER = re.compile(r"\{(\*|\w+)\}")
RANK = {"other": 0, "sum": 1, "product": 2, "power": 2.5, "call": 3}

# Functions whose annotations say Tensor; what a module returns is Any to type checkers.
TYPED = re.compile(
    r"(F\.(relu6?|silu|elu|selu|leaky_relu|softmax|log_softmax|hardtanh|hardswish|hardsigmoid|mish"
    r"|gelu|softplus|linear|pad|glu|one_hot)"
    r"|torch\.(cat|stack|tanh|sigmoid|exp|log|sqrt|abs|square|zeros_like|randn_like|roll|flip))\("
)


class Value(Record):
    """An expression.

    Args:
        rank: how tightly it binds: 3 a call or name, 2.5 a power, 2 a product, 1 a sum, 0 the rest.
        variables: the locals that it mentions.
        depth: how many layers are nested in it; 0 for a local.
        typed: whether type checkers know that it is a Tensor.
    """

    text: str
    rank: float = 3
    variables: frozenset[str] = frozenset()
    depth: int = 0
    typed: bool = False


def operand_text(value: Value, template: str, match: re.Match[str], rank: float) -> str:
    """An operand's text, in parentheses where what stands around it binds more tightly."""
    before = template[match.start() - 1] if match.start() else ""
    after = template[match.end()] if match.end() < len(template) else ""
    if before in ("(", "[") and after in (")", ",", "]"):
        return value.text
    if before == " " and template[match.start() - 2] == "," and after in (")", ",", "]"):
        return value.text
    if after in (".", "["):
        return value.text if value.rank == 3 else f"({value.text})"
    if not before and not after:
        return value.text
    enough = value.rank > rank or (value.rank == rank and not before and rank in (1, 2))
    return value.text if enough or value.rank == 3 else f"({value.text})"


def spaced_slices(text: str) -> str:
    """Slices as formatters have them: `[:, : self.n]`, and `[:, :3]` with numbers alone."""
    return re.sub(r"(?:(?<=\[)|(?<=, ))([\w.]*):([\w.]*)(?=[\],])", _slice, text)


def _slice(match: re.Match[str]) -> str:
    first, last = match.groups()
    blank = " " if "." in first + last else ""
    return f"{first}{blank * bool(first)}:{blank * bool(last)}{last}"


def hug_powers(text: str) -> str:
    """`x ** 2` of simple operands as formatters write it, `x**2`."""
    return re.sub(
        r"(?<![\w.)\]])([A-Za-z_][\w.]*|\d[\w.]*) \*\* (-?\w[\w.]*)(?![\w.(\[])", r"\1**\2", text
    )


def is_name(text: str) -> bool:
    """Whether it is a local and nothing else."""
    return text.isidentifier()
