"""What is said of a net or a parameter that does not exist."""

from __future__ import annotations

from archc import library
from archc.lower.context import Problem, Session
from archc.lower.files import LoadedFile
from archlang.diagnostics import Diagnostic

__all__ = ["as_problem", "choose", "no_net", "unknown_binding", "unknown_net"]

MOST_LISTED = 20


def as_problem(found: tuple[Diagnostic, ...], message: str) -> Problem:
    """The first of some diagnostics as a Problem, or one with a message."""
    problem = Problem("argument-value", message, None)
    if found:
        problem.diagnostic = found[0]
    return problem


def no_net(name: str) -> Problem:
    """A name that is neither a file nor a net of the library."""
    from archlang.suggest import closest

    near = closest(name, list(library.names()))
    message = f"there is no net {name} in the library, nor a file of that name"
    help = f"did you mean {near[0]}?" if near else "`archc list` shows the library"
    return Problem("unknown-net", message, None, help=help)


def unknown_net(wanted: str, file: LoadedFile) -> Problem:
    """A net that a file does not define."""
    from archlang.suggest import closest

    near = closest(wanted, list(file.nets))
    there = _some(list(file.nets), ", ") or "none"
    help = f"did you mean {near[0]}?" if near else f"its nets are: {there}"
    return Problem("unknown-net", f"{file.name} has no net {wanted}", None, help=help)


def choose(file: LoadedFile, complete: list[str], nets: list[str]) -> Problem:
    """A file with several nets, or none that is complete."""
    if not nets:
        message = f"{file.name} defines no net"
        return Problem("unknown-net", message, None, help="net Name = INPUT(3, 224, 224) -> ...")
    listed = complete or nets
    message = f"{file.name} has several nets" if complete else f"{file.name} has no complete net"
    help = "choose one: " + _some([f"{file.name}:{name}" for name in listed], " ")
    return Problem("unknown-net", message, None, help=help)


def _some(words: list[str], between: str) -> str:
    shown = between.join(words[:MOST_LISTED])
    return shown if len(words) <= MOST_LISTED else f"{shown} and {len(words) - MOST_LISTED:,} more"


def unknown_binding(name: str, parameters: list[str], session: Session) -> Diagnostic:
    """A `-p` that nothing takes."""
    from archlang.suggest import closest

    known = [*parameters, *session.dimensions]
    known.extend(session.options.values())
    near = closest(name, sorted(set(known)))
    takes = f"it takes {', '.join(sorted(set(known)))}" if known else "it takes none"
    help = f"did you mean -p {near[0]}?" if near else takes
    return Diagnostic("unknown-parameter", f"this net has no parameter {name}", help=help)
