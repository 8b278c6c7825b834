"""Breaking long lines as formatters do, so that generated files are clean from the start.

A statement is written on one line first. One that is too long is parsed, and what stands in its
brackets goes on lines of its own: on one if it fits, else one for each item.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from unicodedata import east_asian_width

__all__ = ["WIDTH", "statement", "width"]

WIDTH = 88


def width(text: str) -> int:
    """The columns that a text takes: two for a wide character."""
    if text.isascii():
        return len(text)
    return sum([2 if east_asian_width(ch) in "WF" else 1 for ch in text])


def statement(text: str, indent: int) -> list[str]:
    """The lines of one statement.

    Args:
        text: the statement on one line, without a comment; a header (`for ...:`) ends with a colon.
        indent: the number of spaces in front of it.
    """
    if width(text) + indent <= WIDTH:
        return [" " * indent + text]
    header = text.endswith(":")
    tree = ast.parse(text + " pass" if header else text).body[0]
    return [line.rstrip() for line in _Breaker(text).statement(tree, indent)]


class _Breaker:
    def __init__(self, text: str) -> None:
        self.raw = text.encode()

    def source(self, node: ast.expr) -> str:
        return self.raw[node.col_offset : node.end_col_offset].decode()

    def between(self, start: int, end: int | None) -> str:
        return self.raw[start:end].decode()

    def statement(self, node: ast.stmt, indent: int) -> list[str]:
        if isinstance(node, ast.FunctionDef):
            return self._function(node, indent)
        value = self._value(node)
        before = self.between(0, value.col_offset)
        after = self.between(value.end_col_offset or 0, None)
        if isinstance(value, ast.Tuple) and not self.source(value).startswith("("):
            items = [self._one(item, indent + 4, ",") for item in value.elts]
            return [" " * indent + before + "(", *_joined(items), " " * indent + ")" + after]
        operands = isinstance(value, (ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp))
        if operands or _is_chain(value):
            inner = self.expression(value, indent + 4, "", "")
            return [" " * indent + before + "(", *inner, " " * indent + ")" + after]
        return self.expression(value, indent, before, after)

    def _value(self, node: ast.stmt) -> ast.expr:
        match node:
            case ast.Assign(value=value) | ast.Expr(value=value):
                return value
            case ast.AnnAssign(value=ast.expr() as value) | ast.Return(value=ast.expr() as value):
                return value
            case ast.For(iter=value) | ast.If(test=value):
                return value
        raise TypeError(f"a statement that is never written: {type(node).__name__}")

    def _function(self, node: ast.FunctionDef, indent: int) -> list[str]:
        text = self.raw.decode()
        start, end = text.index("(") + 1, text.rindex(") ->")
        inner, pad = text[start:end], " " * (indent + 4)
        head, tail = " " * indent + text[:start], " " * indent + text[end:]
        if width(pad + inner) <= WIDTH:
            return [head, pad + inner, tail]
        return [head, *[f"{pad}{part}," for part in _split(inner)], tail]

    def expression(self, node: ast.expr, indent: int, before: str, after: str) -> list[str]:
        """The expression with what stands before and after it on its first and last line."""
        line = " " * indent + before + self.source(node) + after
        if width(line) <= WIDTH:
            return [line]
        if _is_chain(node):
            return self._chain(node, indent, before, after)
        match node:
            case ast.Call(func=function) if node.args or node.keywords:
                items: list[ast.expr | ast.keyword] = sorted(
                    [*node.args, *node.keywords], key=lambda item: item.col_offset
                )
                opening = before + self.source(function) + "("
                return self._bracketed(items, indent, opening, ")" + after, collection=False)
            case ast.List(elts=elements) if elements:
                return self._bracketed(elements, indent, before + "[", "]" + after)
            case ast.Tuple(elts=elements) if elements:
                return self._bracketed(elements, indent, before + "(", ")" + after)
            case ast.ListComp():
                return self._comprehension(node, indent, before + "[", "]" + after)
            case ast.Starred(value=value):
                return self.expression(value, indent, before + "*", after)
            case ast.BinOp() | ast.BoolOp() | ast.IfExp():
                return self._operands(node, indent, before, after)
        return [line]

    def _chain(self, node: ast.expr, indent: int, before: str, after: str) -> list[str]:
        """Calls of methods, one behind the other: each but the first on a line of its own."""
        dots = _dots(node)
        starts = [dot.value.end_col_offset or 0 for dot in dots]
        ends = [*starts[1:], node.end_col_offset or 0]
        first = self.expression(dots[0].value, indent, before, "")
        calls = [" " * indent + self.between(*ends) for ends in zip(starts, ends, strict=True)]
        return [*first, *calls[:-1], calls[-1] + after]

    def _bracketed(
        self,
        items: Sequence[ast.expr | ast.keyword],
        indent: int,
        opening: str,
        closing: str,
        collection: bool = True,
    ) -> list[str]:
        pad = " " * (indent + 4)
        first, last = items[0], items[-1]
        together = pad + self.between(first.col_offset, last.end_col_offset)
        head, tail = " " * indent + opening, " " * indent + closing
        if width(together) <= WIDTH and not collection:
            return [head, together, tail]
        comma = "," if collection or len(items) > 1 else ""
        return [head, *_joined([self._one(item, indent + 4, comma) for item in items]), tail]

    def _one(self, item: ast.expr | ast.keyword, indent: int, after: str) -> list[str]:
        if isinstance(item, ast.keyword):
            return self.expression(item.value, indent, f"{item.arg}=", after)
        return self.expression(item, indent, "", after)

    def _comprehension(
        self, node: ast.ListComp, indent: int, opening: str, closing: str
    ) -> list[str]:
        pad = " " * (indent + 4)
        together = pad + self.between(node.col_offset + 1, (node.end_col_offset or 0) - 1)
        head, tail = " " * indent + opening, " " * indent + closing
        if width(together) <= WIDTH:
            return [head, together, tail]
        lines = self.expression(node.elt, indent + 4, "", "")
        for clause in node.generators:
            start = f"for {self.source(clause.target).strip('()')} in "
            lines += self.expression(clause.iter, indent + 4, start, "")
        return [head, *lines, tail]

    def _operands(
        self, node: ast.BinOp | ast.BoolOp | ast.IfExp, indent: int, before: str, after: str
    ) -> list[str]:
        parts = _flat(node)
        lines: list[str] = []
        for i, (sign, operand) in enumerate(parts):
            start = (before if i == 0 else "") + (f"{sign} " if sign else "")
            text = self._parenthesised(operand)
            if width(" " * indent + start + text) <= WIDTH:
                lines.append(" " * indent + start + text)
            else:
                lines += self.expression(operand, indent, start, "")
        lines[-1] += after
        return lines

    def _parenthesised(self, node: ast.expr) -> str:
        start, end = node.col_offset, node.end_col_offset or 0
        text = self.between(start, end)
        while self.between(0, start).endswith("(") and self.between(end, None).startswith(")"):
            call = start > 1 and (
                chr(self.raw[start - 2]).isalnum() or chr(self.raw[start - 2]) in "_)]"
            )
            if call:
                break
            start, end = start - 1, end + 1
            text = self.between(start, end)
        return text


def _dots(node: ast.expr) -> list[ast.Attribute]:
    """The methods that are called on what a call gave, the first one first."""
    found: list[ast.Attribute] = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if isinstance(node.func.value, ast.Call):
            found.append(node.func)
        node = node.func.value
    return found[::-1]


def _is_chain(node: ast.expr) -> bool:
    """Whether formatters break it at its dots."""
    return len(_dots(node)) > 1


def _joined(blocks: list[list[str]]) -> list[str]:
    return [line for block in blocks for line in block]


_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**",
          ast.FloorDiv: "//", ast.Mod: "%"}  # fmt: skip


def _flat(node: ast.expr) -> list[tuple[str, ast.expr]]:
    """The operands of one level of precedence, each with the sign in front of it."""
    match node:
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return [("", body), ("if", test), ("else", orelse)]
        case ast.BoolOp(op=op, values=values):
            sign = "and" if isinstance(op, ast.And) else "or"
            return [("" if i == 0 else sign, value) for i, value in enumerate(values)]
        case ast.BinOp(left=left, op=op, right=right):
            rank = _rank(op)
            same = isinstance(left, ast.BinOp) and _rank(left.op) == rank
            start = _flat(left) if same else [("", left)]
            return [*start, (_SIGNS[type(op)], right)]
    return [("", node)]


def _rank(op: ast.operator) -> int:
    return 1 if isinstance(op, (ast.Add, ast.Sub)) else 3 if isinstance(op, ast.Pow) else 2


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for i, ch in enumerate(text):
        depth += (ch in "([{") - (ch in ")]}")
        if ch == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [*parts, text[start:].strip()]
