"""How weights start, as readable code: a function that the net applies to its modules."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archc.emit.layout import statement
from archc.emit.names import literal, printable
from archc.emit.prose import docstring
from archlang.initial import Initial, read_initial

__all__ = ["write_initial"]

_CLASSES = {
    "CONV": ("nn.Conv1d", "nn.Conv2d", "nn.Conv3d"),
    "DECONV": ("nn.ConvTranspose1d", "nn.ConvTranspose2d", "nn.ConvTranspose3d"),
    "FC": ("nn.Linear",),
    "EMBED": ("nn.Embedding",),
}
# A table of vectors has no fan: rules that count inputs or outputs leave it as it is.
_FANLESS = ("normal", "truncated normal", "orthogonal")


def write_initial(text: str, name: str, above: Sequence[Sequence[str]]) -> list[str]:
    """The lines of the function, for the kinds of modules that the file makes; none without any.

    Args:
        text: what the file says behind `init =`.
        name: of the function.
        above: the classes of the file.
    """
    written = "\n".join(["\n".join(part) for part in above])
    cases: list[str] = []
    for part in read_initial(text) or ():
        kinds = [kind for kind in _kinds(part, text) if re.search(rf"\b{kind}\(", written)]
        if kinds and part.scheme != "torch":
            cases += _case(part, kinds, "elif" if cases else "if")
    if not cases:
        return []
    said = docstring([f"Initial weights: {printable(text)}."])[:-1]
    return [f"def {name}(module: nn.Module) -> None:", *said, *cases]


def _kinds(part: Initial, text: str) -> list[str]:
    if part.operator is not None:
        return list(_CLASSES[part.operator])
    elsewhere = {other.operator for other in read_initial(text) or ()}
    named = [name for name in _CLASSES if name not in elsewhere]
    kept = [name for name in named if name != "EMBED" or part.scheme in _FANLESS]
    return [kind for name in kept for kind in _CLASSES[name]]


def _case(part: Initial, kinds: list[str], word: str) -> list[str]:
    what = kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"
    lines = [*_condition(word, what), *statement(f"nn.init.{_call(part)}", 8)]
    if kinds == ["nn.Embedding"]:
        return lines
    tested = "module.bias is not None"
    if "nn.Embedding" in kinds:
        tested = f"not isinstance(module, nn.Embedding) and {tested}"
    return [*lines, f"        if {tested}:", "            nn.init.zeros_(module.bias)"]


def _condition(word: str, what: str) -> list[str]:
    lines = statement(f"if isinstance(module, {what}):", 4)
    return [lines[0].replace("if", word, 1), *lines[1:]]


def _call(part: Initial) -> str:
    if part.scheme.startswith("kaiming"):
        mode = 'mode="fan_out", ' if part.fan_out else ""
        return f'{part.scheme.replace(" ", "_")}_(module.weight, {mode}nonlinearity="relu")'
    if part.deviation is None:
        return f"{part.scheme.replace(' ', '_')}_(module.weight)"
    called = "trunc_normal_" if part.scheme.startswith("truncated") else "normal_"
    return f"{called}(module.weight, std={literal(part.deviation)})"
