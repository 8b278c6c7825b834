"""What is asked of the compiler, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.graph import Program
from archlang.diagnostics import Diagnostic
from archlang.record import Record

__all__ = ["CheckResult", "Loaded", "Probe", "Request", "Written"]

# The net with one hyperparameter changed; None where that is no net.
Probe = Callable[[str, Any], Program | None]


class Written(Record):
    """A value as typed on the command line, an expression read in the scope of the file."""

    text: str


class Request(Record):
    """One net that is asked for.

    Args:
        net: `file.arch`, `file.arch:name`, a name of the library, or `-` for standard input; with
            `text` the name of the net in it, or "".
        bindings: what `-p` says: values, or `Written` ones.
        inputs: what `--input` says: a name or None, and the sizes.
        text: the source, instead of a file.
    """

    net: str
    bindings: tuple[tuple[str, Any], ...] = ()
    inputs: tuple[tuple[str | None, tuple[int, ...]], ...] = ()
    text: str | None = None


class Loaded(Record):
    """The answer to a request: the net, or None with the reasons.

    Args:
        program: the net.
        diagnostics: what is said of it.
        probe: gives the same net with another value of one hyperparameter, or None where that is
            none.
    """

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]
    probe: Probe


class CheckResult(Record):
    """What is known of a file.

    Args:
        diagnostics: what is wrong.
        programs: its complete nets.
        unused: what is given outside and no net of the file takes. It is wrong only where no other
            file that is checked takes it either.
    """

    diagnostics: tuple[Diagnostic, ...]
    programs: tuple[Program, ...] = ()
    unused: tuple[Diagnostic, ...] = ()
