"""The lectures' tables: what their column `flop` has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from archc.conventions.application import Application
from archc.conventions.convention import Convention, Count, Share
from archc.conventions.shares import MACS

__all__ = ["Lecture"]

_POOLING = Share(lambda application: application.flops, "1 for each element of each window")


class Lecture(Convention):
    """Multiply-adds without biases, and one operation for each element of a pooling window."""

    name: ClassVar[str] = "lecture"
    prints: ClassVar[Mapping[Count, str]] = {"macs": "the column flop"}

    reads_code: ClassVar[bool] = False

    def shares(self, application: Application, count: Count) -> tuple[Share, ...]:
        return (_POOLING,) if application.op.family == "pooling" else (MACS,)
