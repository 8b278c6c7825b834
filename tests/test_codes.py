"""Every diagnostic code has a page, and its programs behave as the page says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archlang.codes import EXPLANATIONS, Program
from conftest import Golden

ROOT = Path(__file__).parent.parent
CATALOGUE = Path(__file__).parent / "catalogue"
# Follows from another diagnostic, and is never shown.
SILENT = frozenset({"poisoned"})


def run(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Write the files of a program into a folder and run its command there."""
    from archc.cli import archc

    for name, text in program.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding=program.encoding)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    return CliRunner().invoke(archc, program.command.split()[1:], standalone_mode=False)


def codes_in_sources() -> set[str]:
    """The codes that the sources give to diagnostics, found in their trees."""
    found: set[str] = set()
    for folder in ("dsl", "compiler"):
        for path in (ROOT / folder).rglob("*.py"):
            found.update(_codes(ast.parse(path.read_text(encoding="utf-8"))))
    return found - SILENT


def _codes(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield from _words(*[k.value for k in node.keywords if k.arg == "code"])
            if _called(node).endswith(("Problem", "Diagnostic", "complain", "say")):
                yield from _words(*node.args[:1])
        elif isinstance(node, ast.Assign) and _assigns_code(node):
            yield from _words(node.value)
        elif isinstance(node, ast.arguments):
            named = zip(node.kwonlyargs, node.kw_defaults, strict=True)
            yield from _words(*[value for a, value in named if a.arg == "code" and value])


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _assigns_code(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "code" for target in node.targets)


def _words(*expressions: ast.expr) -> Iterator[str]:
    """The words that an expression can be: a string, or either side of a conditional."""
    for expression in expressions:
        if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
            yield from re.findall(r"^[a-z0-9]+(?:-[a-z0-9]+)*$", expression.value)
        elif isinstance(expression, ast.IfExp):
            yield from _words(expression.body, expression.orelse)


def test_every_code_in_use_has_a_page() -> None:
    used = codes_in_sources()
    assert len(used) > 40
    assert sorted(used - set(EXPLANATIONS)) == []


def test_every_page_is_about_a_code_in_use() -> None:
    assert sorted(set(EXPLANATIONS) - codes_in_sources()) == []


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_the_wrong_program_gets_the_code(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    result = run(EXPLANATIONS[code].wrong, tmp_path, monkeypatch)
    assert f"error[{code}]: " in result.stderr
    assert result.return_value in (1, 2)
    golden(result.stderr, CATALOGUE / "pages" / f"{code}.txt")


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_the_right_program_is_right(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(EXPLANATIONS[code].right, tmp_path, monkeypatch)
    assert result.stderr == ""
    assert result.return_value == 0


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_pages_read_well(code: str) -> None:
    explanation = EXPLANATIONS[code]
    assert explanation.summary.endswith(".")
    assert "\n" not in explanation.summary
    assert "```" not in str(explanation)
    assert str(explanation).startswith(f"{code}\n")
    assert all(len(line) <= 104 for line in str(explanation).split("\n"))


def test_an_unknown_code_has_no_page() -> None:
    assert EXPLANATIONS.get("no-such-code") is None
    assert EXPLANATIONS.get("../codes") is None


@pytest.mark.parametrize("name", sorted(path.stem for path in CATALOGUE.glob("*.arch")))
def test_catalogue(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    """The exact text of what a user reads, for mistakes that people make."""
    text = (CATALOGUE / f"{name}.arch").read_text(encoding="utf-8")
    program = Program(((f"{name}.arch", text),), f"archc check {name}.arch")
    result = run(program, tmp_path, monkeypatch)
    assert result.return_value == 1
    golden(result.stderr, CATALOGUE / f"{name}.txt")
