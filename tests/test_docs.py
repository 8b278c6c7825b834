"""Every code block of README.md and of docs/*.md is executed.

The blocks of a page run in their order, in one folder that starts empty:

- ```arch is a program that must check without an error; behind `<!-- file: NAME -->` it is also
  written to that file. ```arch fragment must parse. ```arch error=CODE must give that diagnostic.
- ```python is executed; all blocks of a page are one module.
- ```console has commands behind `$ ` and exactly what they print (`--update-golden` writes it).
- ```sh has commands only.
- ```yaml needs a file name.
- Other blocks say that they are prose (```text).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archc.hook import ArchLoader
from archlang.record import Record

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROSE = {"text", "lark", "diff", "latex", "html"}
FENCE = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n+)?^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
INSTALL = re.compile(r"^ {4}(python3 -m venv \.venv .*)$", re.MULTILINE)


class Block(Record):
    """One fenced block: the words behind the fence, the text, the file name that goes with it."""

    page: str
    line: int
    info: tuple[str, ...]
    text: str
    file: str | None

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    assert text.count("```") % 2 == 0
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("info")) + 1
        info = tuple(found["info"].split())
        yield Block(page.name, line, info, found["text"], found["file"])


@pytest.fixture(autouse=True)
def only_for_this_page() -> Iterator[None]:
    """Modules that a page imports are forgotten behind it."""
    yield
    specs = {name: getattr(module, "__spec__", None) for name, module in sys.modules.items()}
    made = [name for name, spec in specs.items() if spec and isinstance(spec.loader, ArchLoader)]
    packages = {name.split(".")[0] for name in made}
    for name in [name for name in sys.modules if name.split(".")[0] in packages]:
        del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    update = request.config.getoption("--update-golden")
    module: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        assert block.info, f"{block.where}: a code block says its language"
        if block.file is not None:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, encoding="utf-8")
        if block.info == ("console",) and update:
            text = page.read_text(encoding="utf-8")
            page.write_text(text.replace(block.text, printed(block.text)), encoding="utf-8")
        else:
            run(block, module)


def run(block: Block, module: dict[str, Any]) -> None:
    match block.info:
        case ("arch", *words):
            run_arch(block, words)
        case ("python",):
            exec(compile("\n" * block.line + block.text, block.page, "exec"), module)
        case ("console",):
            assert printed(block.text) == block.text, block.where
        case ("sh",):
            for line in block.text.splitlines():
                status, output = shell(line)
                assert status == 0, f"{block.where}: {line}\n{output}"
        case ("yaml",):
            assert block.file is not None, f"{block.where}: a YAML block needs a file name"
        case (language,):
            assert language in PROSE, f"{block.where}: what is a block of {language}?"


def run_arch(block: Block, words: list[str]) -> None:
    from archc.pipeline import check_source
    from archlang.parser import parse
    from archlang.rendering import render_plain
    from archlang.source import Source

    source = Source.of(block.where, block.text)
    fragment = words == ["fragment"]
    diagnostics = parse(source)[1] if fragment else check_source(source).diagnostics
    # What a sketch leaves open is given on the command line.
    errors = [d for d in diagnostics if d.severity == "error" and d.code != "open-parameters"]
    expected = [word.removeprefix("error=") for word in words if word.startswith("error=")]
    assert sorted({d.code for d in errors}) == expected, render_plain(tuple(errors))


def printed(text: str) -> str:
    """The commands of a console block, each with what it prints now."""
    commands = re.findall(r"^\$ (.*)$", text, flags=re.MULTILINE)
    assert commands, "a console block has commands behind `$ `"
    parts = []
    for command in commands:
        status, output = shell(command)
        failed = re.search(r"error\[|^Error: ", output, flags=re.MULTILINE) is not None
        assert (status != 0) == failed, f"{command}: status {status}\n{output}"
        lines = [line.rstrip() for line in output.splitlines()]
        parts.append("\n".join([f"$ {command}", *lines]).rstrip() + "\n")
    return "\n".join(parts)


def shell(line: str) -> tuple[int, str]:
    """Run one command line as a reader would, with this environment's programs first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "80"}
    done = subprocess.run(
        line,
        shell=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_two_commands_of_the_readme() -> None:
    """Their parts exist; `.ci/run` executes the second one, and test_cli_tour the tour."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tour, tests = INSTALL.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    for line in (tour, tests):
        assert (ROOT / re.search(r"-c (\S+)", line)[1]).is_file()  # type: ignore[index]
        assert re.search(r"'\.\[(\w+)\]'", line)[1] in project["optional-dependencies"]  # type: ignore[index]
    assert tour.endswith("&& .venv/bin/archc tour")
    assert ".venv/bin/pytest" in tests
    assert project["scripts"]["archc"] == "archc.cli:main"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
