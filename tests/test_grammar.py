"""The grammar: no conflicts, tables that are always right, a lexer that does what Lark's does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archlang import tables
from archlang.automaton import Tables
from archlang.lexer import lex
from archlang.source import Source

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.arch"))
GRAMMAR = tables.GRAMMAR.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    """Tables as Lark computes them, refusing every conflict."""
    return tables.build(GRAMMAR, strict=True)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package without saved tables, and the place of the cache."""
    monkeypatch.setattr(tables, "SAVED", tmp_path / "missing.bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "archc"


def fresh() -> Tables:
    """The tables, found anew."""
    return tables.load.__wrapped__()


def test_a_conflict_is_an_error() -> None:
    from lark.exceptions import GrammarError

    rule = "argument_chain: value ARROW primary _more*"
    wrong = GRAMMAR.replace(rule, "argument_chain: value _more+")
    assert wrong != GRAMMAR
    with pytest.raises(GrammarError, match="conflict"):
        tables.build(wrong, strict=True)


def test_no_conflicts_and_a_reproducible_build(built: dict[str, Any]) -> None:
    code = (
        "from archlang import tables\nimport json\n"
        "print(json.dumps(tables.build(tables.GRAMMAR.read_text(encoding='utf-8'))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert json.loads(other.stdout) == json.loads(json.dumps(built))


def test_every_rule_has_its_action(built: dict[str, Any]) -> None:
    from archlang.definition_builder import Builder

    for rule in built["rules"]:
        action = rule[2]
        assert action in ("", "*") or callable(getattr(Builder, action))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_the_lexer_is_larks(path: Path, built: dict[str, Any]) -> None:
    from lark import Lark

    text = path.read_text(encoding="utf-8")
    basic = Lark(GRAMMAR, parser=None, lexer="basic", start=list(tables.START_SYMBOLS))
    context = {"INDEX": "LSQB", "REPEAT": "STAR"}
    found, _ = lex(text, tables.load())
    expected = [(t.type, str(t), t.start_pos) for t in basic.lex(text)]
    assert [(context.get(t.type, t.type), t.text, t.start) for t in found] == expected


def test_without_saved_tables_the_cache_keeps_them(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fresh()
    [saved] = alone.iterdir()
    monkeypatch.setattr(tables, "build", None)
    assert fresh() == first
    assert saved.suffix == ".json"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"format": 1}', "\0\xff"])
def test_a_damaged_cache_is_written_anew(alone: Path, content: str) -> None:
    expected = fresh()
    [saved] = alone.iterdir()
    saved.write_text(content, encoding="latin-1")
    assert fresh() == expected
    assert json.loads(saved.read_text(encoding="utf-8"))["grammar"] == GRAMMAR


def test_tables_of_another_grammar_are_not_taken(
    alone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other.bin"
    data = tables.build(GRAMMAR.replace('YES: "yes"', 'YES: "ja"'))
    assert tables.save(data, other)
    monkeypatch.setattr(tables, "SAVED", other)
    assert fresh().keywords["yes"] == "YES"
    assert alone.exists()


def test_a_cache_that_cannot_be_written_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    monkeypatch.setattr(tables, "SAVED", tmp_path / "missing.bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert fresh().starts
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", _no_home)
    assert fresh().starts


def _no_home() -> Path:
    raise RuntimeError("no home")


def test_two_processes_at_once(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom archlang import tables\n"
        f"tables.SAVED = Path({str(tmp_path / 'missing.bin')!r})\n"
        "print(len(tables.load().states))\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    results = {process.communicate(timeout=60)[0] for process in running}
    assert len(results) == 1 and int(results.pop()) > 100
    assert [path.suffix for path in (tmp_path / "archc").iterdir()] == [".json"]


def test_reading_a_file_needs_no_lark(tmp_path: Path) -> None:
    assert Source.of("x", "").text == ""
    code = (
        "import sys\nfrom archlang.parser import parse\nfrom archlang.source import Source\n"
        "file, found = parse(Source.of('x.arch', 'net A = CONV(64) -> BN'))\n"
        "assert not found and file.definitions\n"
        "print(sorted({'lark', 'networkx', 'rich', 'torch'} & set(sys.modules)))\n"
    )
    warm = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=warm
        )
    assert run.stdout.strip() == "[]"
