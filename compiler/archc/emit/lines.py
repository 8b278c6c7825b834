"""Statements on their way to the file: indented, broken where long, commented."""

from __future__ import annotations

from typing import Any

from archc.emit.layout import WIDTH, statement, width

__all__ = ["Lines"]


class Lines:
    """The statements of a block of code.

    Args:
        parameters: the function's parameters.
        comments: whether what is said behind statements is written.
    """

    def __init__(self, parameters: set[str] | None = None, *, comments: bool = True) -> None:
        self.parameters = parameters if parameters is not None else set()
        self.comments = comments
        self.items: list[Any] = []

    def block(self) -> Lines:
        """An empty block inside this one."""
        return Lines(self.parameters, comments=self.comments)

    def add(self, text: str, comment: str | None = None) -> None:
        """One statement, with what to say behind it where there is room."""
        self.items.append((text, comment if self.comments else None))

    def nest(self, header: str, block: Lines) -> None:
        """A block under a header."""
        self.items.append((header, block))

    def cases(self, parts: list[tuple[str, Lines]]) -> None:
        """An if with its else; empty parts are left out."""
        (test, first), *others = parts
        if not first.items and len(others) == 1:
            negated = test[4:] if test.startswith("not ") else f"not {test}"
            if others[0][1].items:
                self.nest(f"if {negated}:", others[0][1])
            return
        self.nest(f"if {test}:", first)
        for i, (other, block) in enumerate(others):
            last = i == len(others) - 1
            if last and block.is_choice:
                first_header, inner = block.items[0]
                self.items += [(f"el{first_header}", inner), *block.items[1:]]
            elif block.items:
                self.nest("else:" if last else f"elif {other}:", block)
            elif not last:
                block.add("pass")
                self.nest(f"elif {other}:", block)

    @property
    def is_choice(self) -> bool:
        """Whether it holds one if statement and nothing else."""
        headers = [text for text, rest in self.items if isinstance(rest, Lines)]
        if len(headers) != len(self.items) or not headers or not headers[0].startswith("if "):
            return False
        return all(header.startswith(("elif ", "else:")) for header in headers[1:])

    def annotate(self, name: str) -> bool:
        """Give a local its type where it is assigned first; whether it is assigned here."""
        for i, (text, rest) in enumerate(self.items):
            if isinstance(rest, Lines):
                if rest.annotate(name):
                    return True
                continue
            targets = text.partition(" = ")[0].split(", ")
            if targets == [name]:
                self.items[i] = f"{name}: Tensor{text[len(name) :]}", rest
            elif name in targets:
                self.items.insert(i, (f"{name}: Tensor", None))
            if name in targets:
                return True
        return False

    def render(self, indent: int) -> list[str]:
        """The lines of text."""
        found: list[str] = []
        for text, rest in self.items:
            if isinstance(rest, Lines):
                found += _header(text, indent)
                found += rest.render(indent + 4)
                continue
            lines = statement(text, indent)
            if rest and len(lines) == 1 and width(lines[0]) + 4 + width(rest) <= WIDTH:
                lines[0] += f"  # {rest}"
            found += lines
        return found


def _header(text: str, indent: int) -> list[str]:
    if text in ("else:",) or text.startswith("elif "):
        return [" " * indent + text]
    return statement(text, indent)
