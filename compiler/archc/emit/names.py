"""Names and texts of a file made safe for generated code.

Nothing that a file says reaches the generated text except through here: an identifier is checked
character by character, a string becomes a literal, prose can neither end its docstring nor hide.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

__all__ = [
    "RESERVED", "Namespace", "attribute_name", "camel_case", "comment", "docstring_lines",
    "identifier", "literal", "net_class_name", "printable", "singular",
]  # fmt: skip

# Python's own names, what the generated module uses, and names that linters call ambiguous.
RESERVED = frozenset(dir(builtins)) | frozenset(
    {
        "F", "Tensor", "math", "nn", "self", "torch", "l", "O", "I", "training", "forward",
        "__class__", "annotations",
    }
)  # fmt: skip


def identifier(name: str, fallback: str = "value") -> str:
    """The name as an identifier that shadows nothing: a trailing underscore where it would.

    Args:
        name: any text; characters that an identifier may not have become underscores.
        fallback: what to take when nothing is left.
    """
    text = unicodedata.normalize("NFKC", name)
    kept = "".join([ch if ("_" + ch).isidentifier() else "_" for ch in text])
    if not kept.strip("_"):
        kept = fallback
    if not kept.isidentifier():
        kept = "_" + kept
    if kept.startswith("__"):
        kept = "_" + kept.lstrip("_")
    return kept + "_" if keyword.iskeyword(kept) or kept in RESERVED else kept


def attribute_name(name: str, fallback: str = "module") -> str:
    """The name of a module as an attribute, exactly as in paths wherever that is an identifier."""
    plain = unicodedata.normalize("NFKC", name)
    if plain.isidentifier() and not keyword.iskeyword(plain) and not plain.startswith("__"):
        return plain
    return identifier(name, fallback)


def camel_case(name: str) -> str:
    """`char_rnn` as `CharRnn`, the name of a class; what has capitals already keeps them."""
    words = [word for word in re.split(r"[^\w]+|_+", name) if word]
    return identifier("".join([word[0].upper() + word[1:] for word in words]), "Net")


def net_class_name(name: str, applies: str | None) -> str:
    """The class of a net: `resnet50`, which applies ResNet, is `ResNet50`, else CamelCase."""
    if applies and name.lower().startswith(applies.lower()):
        rest = name[len(applies) :]
        return identifier(applies + (camel_case(rest) if rest[:1] == "_" else rest), "Net")
    return camel_case(name)


def singular(name: str) -> str:
    """`layers` as `layer`: the name of one of them."""
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith("s") and not name.endswith("ss") and len(name) > 2:
        return name[:-1]
    return name


class Namespace:
    """Names in use; gives each newcomer one of its own.

    Args:
        taken: names that may not be given.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def add(self, wanted: str) -> str:
        """The wanted name as an identifier, with a number where it is taken."""
        base = identifier(wanted)
        name, number = base, 2
        while name in self._taken:
            separator = "_" if base[-1].isdigit() else ""
            name, number = f"{base}{separator}{number}", number + 1
        self._taken.add(name)
        return name


def literal(value: Any) -> str:
    """A constant as Python writes it, strings in double quotes."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, tuple):
        items = [literal(item) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if isinstance(value, list):
        return f"[{', '.join([literal(item) for item in value])}]"
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f'float("{value}")'
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    raise TypeError(f"no literal for {type(value).__name__}")


def _string(value: str) -> str:
    text = "".join(
        [ch if ch.isprintable() else ascii(ch)[1:-1] for ch in value.replace("\\", "\\\\")]
    )
    if '"' in text and "'" not in text:
        return f"'{text}'"
    return '"' + text.replace('"', '\\"') + '"'


def printable(text: str) -> str:
    """The text on one line, with what does not print spelled out."""
    return "".join([ch if ch.isprintable() else ascii(ch)[1:-1] for ch in " ".join(text.split())])


def comment(text: str) -> str:
    """A one-line comment."""
    return f"# {printable(text)}".rstrip()


def docstring_lines(text: str) -> list[str]:
    """The lines of a text for a docstring in triple quotes, without an end of it inside."""
    lines = []
    for line in text.replace("\t", "    ").split("\n"):
        shown = "".join([ch if ch.isprintable() else ascii(ch)[1:-1] for ch in line.rstrip()])
        lines.append(shown.replace("\\", "\\\\").replace('"""', '\\"\\"\\"'))
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines
