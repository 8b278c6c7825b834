"""Changes the compiler in one place at a time, and sees whether a quick choice of tests notices.

    python -m tests.mutation lower emit --sample 3 --seed 0

For each file of the packages so many places are drawn: a comparison, an arithmetic operator, a
number, a truth value, what a function gives back, a condition, a statement. A mutant lives in a
forked process that has torch already, and never on a disk. What no test notices is printed with its
place; the last line has the score. A mutant that takes four times as long as the tests do, and a
minute, counts as noticed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.abc
import importlib.util
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[1]
CORE = ROOT / "compiler" / "archc"
PACKAGES = {
    "lower": sorted((CORE / "lower").glob("*.py")),
    "check": [CORE / "check.py"],
    "cost": [CORE / "cost.py", CORE / "liveness.py"],
    "emit": sorted((CORE / "emit").glob("*.py")),
    "recognition": sorted((CORE / "recognition").glob("*.py")),
    "memory": sorted((CORE / "memory").glob("*.py")),
}
# Quick ones first; the last file holds random programs to all properties.
SUITE = (
    "claims", "cost", "lower_dims", "lower_streams", "language_reference", "mutants", "cells",
    "lower_values", "lower_collisions", "lower_once", "codes", "soak_findings", "emit_cells",
    "emit_readable", "gathering", "generation", "library_figures", "memory",
)  # fmt: skip
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip

Change = Callable[[ast.Module], None]


def places(module: ast.Module) -> list[tuple[int, str]]:
    """What can be changed: the number of a node in the order of the walk, and how."""
    found: list[tuple[int, str]] = []
    for number, node in enumerate(ast.walk(module)):
        found += [(number, kind) for kind in _kinds(node)]
    return found


def _kinds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare() if type(node.ops[0]) in SWAPS:
            yield "compare"
        case ast.BinOp() | ast.BoolOp() if type(node.op) in SWAPS:
            yield "operator"
        case ast.Constant() if isinstance(node.value, (bool, int)):
            yield "constant"
        case ast.UnaryOp() if isinstance(node.op, ast.Not):
            yield "not"
        case ast.Return() if node.value is not None and not _is_none(node.value):
            yield "return"
        case ast.AugAssign():
            yield "removed"
        case ast.Expr() if isinstance(node.value, ast.Call):
            yield "removed"
        case ast.If():
            yield "condition"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def mutate(module: ast.Module, number: int, kind: str) -> tuple[int, str]:
    """Change one node; gives its line, and what was done."""
    node: Any = next(node for i, node in enumerate(ast.walk(module)) if i == number)
    line, before = node.lineno, ast.unparse(node).split("\n")[0]
    if kind == "compare":
        node.ops[0] = SWAPS[type(node.ops[0])]()
    elif kind == "operator":
        node.op = SWAPS[type(node.op)]()
    elif kind == "constant":
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1
    elif kind == "not":
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif kind == "return":
        node.value = ast.Constant(None)
    elif kind == "condition":
        node.test = ast.UnaryOp(ast.Not(), node.test)
    else:
        node.__class__ = ast.Pass
    ast.fix_missing_locations(module)
    after = "nothing" if kind == "removed" else ast.unparse(node).split("\n")[0]
    return line, f"{before} => {after}"


def wanted(path: Path) -> list[tuple[int, str]]:
    """The places of a file, those left out that say nothing: type hints, and what typing needs."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    idle: set[int] = set()
    for node in ast.walk(module):
        parts: list[Any] = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts.append(node)
        if isinstance(node, ast.Assert):
            parts.append(node)
        idle.update([id(inner) for part in parts if part for inner in ast.walk(part)])
    numbers = {i for i, node in enumerate(ast.walk(module)) if id(node) in idle}
    return [place for place in places(module) if place[0] not in numbers]


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module of the compiler from a changed tree."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        inside = path.relative_to(CORE.parent).with_suffix("")
        self.name = ".".join(inside.parts).removesuffix(".__init__")
        self.path, self.tree = path, tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec of that module; None for all others."""
        if name != self.name:
            return None
        inside = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=inside
        )

    def exec_module(self, module: Any) -> None:
        """Run the changed tree."""
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


def noticed(path: Path, tree: ast.Module, seconds: float) -> str:
    """What notices a mutant: "tests" or "time", or nothing."""
    child = os.fork()
    if child == 0:
        os.setsid()
        with Path(os.devnull).open("w", encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        os._exit(_run_tests(path, tree))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "tests" if status else ""
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "time"


def _run_tests(path: Path, tree: ast.Module) -> int:
    sys.meta_path.insert(0, Mutated(path, tree))
    import pytest

    files = [str(ROOT / "tests" / f"test_{name}.py") for name in SUITE]
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return int(
                pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *files])
            )
        except BaseException:
            return 1


def main(arguments: list[str] | None = None) -> int:
    """Draw mutants, run the tests on each, and print what survives and the score."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("packages", nargs="*", default=list(PACKAGES), help="lower, check, ...")
    parser.add_argument("--sample", type=int, default=3, help="places of each file")
    parser.add_argument("--most", type=int, help="places of each package")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    import torch  # noqa: F401 - so that no mutant has to

    started = time.monotonic()
    unchanged = CORE / "check.py"
    if noticed(unchanged, ast.parse(unchanged.read_text(encoding="utf-8")), 1000):
        print("the tests fail without any change")
        return 1
    longest = 4 * (time.monotonic() - started) + 60
    for package in options.packages:
        _package(package, options, longest)
    return 0


def _package(package: str, options: argparse.Namespace, longest: float) -> None:
    random, started, killed, total = Random(options.seed), time.monotonic(), 0, 0
    drawn: list[tuple[Path, tuple[int, str]]] = []
    for path in PACKAGES[package]:
        known = wanted(path)
        drawn += [(path, p) for p in random.sample(known, min(options.sample, len(known)))]
    if options.most is not None:
        drawn = random.sample(drawn, min(options.most, len(drawn)))
    for path, (number, kind) in drawn:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        line, what = mutate(tree, number, kind)
        total += 1
        by = noticed(path, tree, longest)
        killed += bool(by)
        if not by:
            print(f"survives: {path.relative_to(ROOT)}:{line}: {what}", flush=True)
    seconds = time.monotonic() - started
    share = 100 * killed / max(total, 1)
    print(f"{package}: {killed} of {total} noticed, {share:.0f} %, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
