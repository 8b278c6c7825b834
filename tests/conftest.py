"""What all tests share: an option that rewrites golden files, and one thread for torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol

import pytest

from archc.op import REGISTRY


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes what the tests see into the golden files, to be read as a diff."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


def pytest_configure() -> None:
    """One thread for torch: two on a busy core are slower by far.

    Said by the environment, which holds for the processes that tests start as well, and without an
    import: most tests do without torch.
    """
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ[f"{library}_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def only_for_this_test() -> Iterator[None]:
    """Operators that a test declares are forgotten behind it."""
    import_module("archc.ops")
    known = set(REGISTRY.known)
    yield
    for name in set(REGISTRY.known) - known:
        del REGISTRY._known[name]


class Golden(Protocol):
    """Compares a text with a golden file, or writes the file where that is asked for."""

    def __call__(self, text: str, path: Path) -> None:
        """Compare, or write."""


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """The comparison with golden files."""

    def compare(text: str, path: Path) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing: run pytest with --update-golden and read it"
        assert text == path.read_text(encoding="utf-8")

    return compare
