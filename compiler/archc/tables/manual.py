"""The page of one operator: made of its class alone, for the terminal and in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap

from archc.op import Argument, Example, Family, Op
from archc.tables.view import value_text
from archlang.record import Record

__all__ = ["FAMILIES", "page_markdown", "page_text", "signature", "written_arguments"]

# The families in the order of the reference.
FAMILIES: dict[Family, str] = {
    "input": "inputs",
    "convolution": "convolutions",
    "linear": "linear layers",
    "embedding": "embeddings",
    "pooling": "pooling",
    "normalisation": "normalisation",
    "activation": "activations",
    "regularisation": "regularisation",
    "shape": "shapes",
    "join": "joins",
    "elementwise": "elementwise",
    "recurrent": "recurrence",
    "attention": "attention",
    "user": "users' own",
}

_RULE = re.compile(r"(?:^|(?<=\s))(Shape|Cost): ")


class _Documentation(Record):
    """A docstring in its parts: the summary, paragraphs, and the rules of shape and cost."""

    summary: str
    paragraphs: tuple[str, ...]
    shape: str | None
    cost: str | None


def signature(op: type[Op]) -> str:
    """How an operator is written: `CONV(filters, kernel=3, ...)`, or only `RELU`."""
    shown = written_arguments(op)
    return f"{op.name}({', '.join(shown)})" if shown else op.name


def written_arguments(op: type[Op]) -> list[str]:
    """The arguments with their defaults, as a call would give them."""
    return [_with_default(argument) for argument in op.arguments]


def page_text(op: type[Op], width: int, *, color: bool) -> str:
    """An operator's page for the terminal."""

    def heading(text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if color else text

    found = _documentation(op)
    lines = [heading(line) for line in wrap(signature(op), width, subsequent_indent="    ")]
    for paragraph in (found.summary, *found.paragraphs):
        lines += ["", *wrap(paragraph, width)]
    if op.arguments:
        lines += ["", heading("arguments"), *_argument_lines(op, width)]
    for title, rule in (("shape", found.shape), ("cost", found.cost)):
        if rule:
            lines += ["", heading(title), *_indented(rule, width)]
    if op.examples:
        lines += ["", heading("examples"), *_example_lines(op, width)]
    for remark in _remarks(op):
        lines += ["", *wrap(remark, width)]
    return "\n".join(lines) + "\n"


def page_markdown(op: type[Op]) -> str:
    """An operator's page in Markdown, under a heading of the third level."""
    found = _documentation(op)
    lines = [f"### {op.name}", "", f"`{signature(op)}`", "", found.summary]
    for paragraph in found.paragraphs:
        lines += ["", paragraph]
    if op.arguments:
        lines += ["", "| argument | takes | default | |", "| --- | --- | --- | --- |"]
        lines += [_argument_row(argument) for argument in op.arguments]
    for title, rule in (("Shape", found.shape), ("Cost", found.cost)):
        if rule:
            lines += ["", f"**{title}:** {rule}"]
    if op.examples:
        lines += ["", *[f"- `{e.chain}` gives {_outcome(e)}" for e in op.examples]]
    for remark in _remarks(op):
        lines += ["", remark]
    return "\n".join(lines) + "\n"


# --- parts ----------------------------------------------------------------------------------------


def _documentation(op: type[Op]) -> _Documentation:
    texts = [" ".join(part.split()) for part in (op.__doc__ or "").strip().split("\n\n")]
    summary, paragraphs, rules = texts[0], [], {}
    for text in texts[1:]:
        plain, *ruled = _RULE.split(text)
        if plain.strip():
            paragraphs.append(plain.strip())
        rules.update(dict(zip(ruled[::2], [rule.strip() for rule in ruled[1::2]], strict=True)))
    return _Documentation(summary, tuple(paragraphs), rules.get("Shape"), rules.get("Cost"))


def _default(argument: Argument) -> str:
    if argument.shown is not None:
        return argument.shown
    value = argument.default
    bare = isinstance(value, str) and argument.kind.words != ()
    return str(value) if bare else "none" if value is None else value_text(value)


def _with_default(argument: Argument) -> str:
    name = f"{argument.name}..." if argument.rest else argument.name
    return name if argument.required else f"{name}={_default(argument)}"


def _argument_lines(op: type[Op], width: int) -> Iterator[str]:
    names = written_arguments(op)
    margin = min(max([len(name) for name in names]), 24) + 4
    for name, argument in zip(names, op.arguments, strict=True):
        text = f"{argument.text}: {argument.kind.text}" + ("; needed" if argument.required else "")
        first, *rest = wrap(text, max(width - margin, 20))
        yield f"  {name}".ljust(margin - 1) + " " + first
        yield from [" " * margin + line for line in rest]


def _argument_row(argument: Argument) -> str:
    default = "needed" if argument.required else f"`{_default(argument)}`"
    cells = (f"`{argument.name}`", argument.kind.text, default, argument.text)
    return "| " + " | ".join([cell.replace("|", r"\|") for cell in cells]) + " |"


def _example_lines(op: type[Op], width: int) -> Iterator[str]:
    for example in op.examples:
        yield from wrap(example.chain, width, initial_indent="  ", subsequent_indent="    ")
        yield from wrap(
            _outcome(example), width, initial_indent="      ", subsequent_indent="      "
        )


def _outcome(example: Example) -> str:
    parts = [example.output]
    if example.params:
        parts.append(f"{example.params:,} parameter{'' if example.params == 1 else 's'}")
    if example.macs:
        parts.append(f"{example.macs:,} multiply-adds")
    return ", ".join(parts) + (f": {example.text}" if example.text else "")


def _remarks(op: type[Op]) -> Iterator[str]:
    if op.takes_defaults_of:
        yield f"`default {op.takes_defaults_of}(...)` holds for it too."
    if op.foreign:
        yield f"Elsewhere it is called {', '.join(op.foreign)}."


def _indented(text: str, width: int) -> list[str]:
    return wrap(text, width, initial_indent="  ", subsequent_indent="  ")
