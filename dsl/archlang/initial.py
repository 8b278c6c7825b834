"""How weights start: the texts of `published init = "..."`, read."""

from __future__ import annotations

import re

from archlang.record import Record

__all__ = ["OPERATORS", "Initial", "read_initial"]

#: The operators whose weights a text may speak of.
OPERATORS = ("CONV", "DECONV", "FC", "EMBED")
_SCHEME = re.compile(
    r"(?:(?P<operator>[A-Z]+) )?(?:"
    r"(?P<by>kaiming|xavier) (?P<shape>normal|uniform)(?P<out> fan out)?"
    r"|(?P<gauss>normal|truncated normal)\((?P<deviation>\d+(?:\.\d+)?)\)"
    r"|(?P<word>orthogonal|torch))"
)


class Initial(Record):
    """How the weights of some operators start; biases start at zero then.

    Args:
        operator: whose weights; None for all that no other part speaks of.
        scheme: "kaiming normal", "kaiming uniform", "xavier normal", "xavier uniform", "normal",
            "truncated normal", "orthogonal", or "torch" for what torch does by itself.
        deviation: of the normal distribution, where the text says it.
        fan_out: whether kaiming counts the outputs of a weight instead of its inputs.
    """

    operator: str | None
    scheme: str
    deviation: float | None = None
    fan_out: bool = False


def read_initial(text: str) -> tuple[Initial, ...] | None:
    """The parts of a text such as `kaiming normal fan out, FC normal(0.01)`, or None."""
    parts = [_part(part.strip()) for part in text.split(",")]
    found = [part for part in parts if part is not None]
    whose = [part.operator for part in found]
    if len(found) != len(parts) or len(set(whose)) != len(whose):
        return None
    return tuple(found)


def _part(text: str) -> Initial | None:
    match = _SCHEME.fullmatch(text)
    if match is None:
        return None
    said = match.groupdict()
    operator, by = said["operator"], said["by"]
    if operator is not None and operator not in OPERATORS:
        return None
    if by is not None:
        out = said["out"] is not None
        return (
            None
            if out and by == "xavier"
            else Initial(operator, f"{by} {said['shape']}", None, out)
        )
    if said["gauss"] is not None:
        return Initial(operator, said["gauss"], float(said["deviation"]))
    return Initial(operator, said["word"])
