"""Runs `archc` in this process and catches what it prints."""

from __future__ import annotations

import contextlib
import io

from archc.cli import main
from archlang.record import Record


class Done(Record):
    """What a command did: its exit status and what it wrote to standard output and error."""

    status: int
    out: str
    err: str


def run(*arguments: str, stdin: str | bytes = "") -> Done:
    """Run one command line; nothing but an exit may come out of it."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = _stream(), _stream()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(_standard_input(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")))
        try:
            main(list(arguments))
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int)
    return Done(status, _text(out), _text(err))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


@contextlib.contextmanager
def _standard_input(stream: io.TextIOWrapper):  # type: ignore[no-untyped-def]
    import sys

    before, sys.stdin = sys.stdin, stream
    try:
        yield
    finally:
        sys.stdin = before
