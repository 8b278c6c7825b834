"""The exact figures with or without biases, normalisation, activations, pooling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, get_args

from archc.conventions.application import Application
from archc.conventions.convention import Convention, Count, Share
from archc.conventions.shares import MACS
from archc.dims import Dim

__all__ = ["KINDS", "Kind", "WithKinds", "kinds_of"]

Kind = Literal["bias", "normalisation", "activation", "pooling", "other"]

KINDS: tuple[Kind, ...] = get_args(Kind)


class WithKinds(Convention):
    """Multiply-adds, and one for each operation of some kinds.

    Args:
        kinds: what is counted beside multiply-adds: "bias" the additions of biases, "other" what is
            none of the others (sums and products of streams, gates, interpolation).
    """

    reads_code: ClassVar[bool] = False

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.kinds = frozenset(kinds)

    def shares(self, application: Application, count: Count) -> tuple[Share, ...]:
        kind = kind_of(application)
        counted = kind in self.kinds
        if count == "macs":
            return (MACS, Share(_rest, _NAMES[kind])) if counted else (MACS,)
        if counted:
            return (Share(lambda found: found.flops, "exact"),)
        return (Share(lambda found: 2 * found.macs, f"without {_NAMES[kind]}"),)


def kind_of(application: Application) -> Kind:
    """What the operations of an operator are that are no multiply-adds."""
    match application.op.family:
        case "convolution" | "linear":
            return "bias"
        case "normalisation" | "activation" | "pooling" as family:
            return family
        case _:
            return "other"


_NAMES: dict[Kind, str] = {
    "bias": "the additions of biases",
    "normalisation": "operations of normalisation",
    "activation": "operations of activations",
    "pooling": "operations of pooling",
    "other": "other operations",
}


def kinds_of(count: Count, include: tuple[str, ...], exclude: tuple[str, ...]) -> tuple[Kind, ...]:
    """The kinds that are counted: `include` beside multiply-adds, all but `exclude` as operations.

    Raises:
        ValueError: for an unknown kind, and for one that is out, or in, already.
    """
    for kind in (*include, *exclude):
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}, expected one of {', '.join(KINDS)}")
    if count == "macs" and exclude:
        raise ValueError("multiply-adds have no operations to leave out: count flops")
    if count == "flops" and include:
        raise ValueError("flops count operations of every kind already: leave kinds out")
    return tuple([k for k in KINDS if (k in include if count == "macs" else k not in exclude)])


def _rest(application: Application) -> Dim:
    return application.flops - 2 * application.macs
