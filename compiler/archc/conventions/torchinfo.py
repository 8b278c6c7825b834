"""torchinfo.summary, which works out its mult-adds from parameters and the output's shape alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from archc.conventions.application import Application
from archc.conventions.convention import Convention, Count, Share
from archc.conventions.shares import CONVOLUTIONS, DECONVOLUTIONS
from archc.dims import Dim

__all__ = ["Torchinfo"]

_PER_POSITION = frozenset({*CONVOLUTIONS, *DECONVOLUTIONS})


def _numbers(application: Application, name: str) -> Dim:
    product: Dim = 1
    for size in application.op.parameters(*application.inputs).get(name, (0,)):
        product = product * size
    return product


def _at_positions(name: str, why: str) -> Share:
    return Share(lambda application: _numbers(application, name) * application.positions, why)


def _once(name: str, why: str) -> Share:
    return Share(lambda application: _numbers(application, name) * application.folded, why)


class Torchinfo(Convention):
    """Parameters times positions for convolutions, parameters times the batch for all else."""

    name: ClassVar[str] = "torchinfo"
    version: ClassVar[str] = "1.8.0"
    prints: ClassVar[Mapping[Count, str]] = {"macs": "summary().total_mult_adds"}

    def shares(self, application: Application, count: Count) -> tuple[Share, ...]:
        if application.module in _PER_POSITION:
            weights = _at_positions("weight", "the kernel at each element of the output")
            return (weights, _at_positions("bias", "its biases, 1 for each element"))
        if application.module:
            return (
                _once("weight", "its weights once"),
                _once("bias", "its biases once"),
            )
        return ()
