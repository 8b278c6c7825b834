"""`archc compile FOLDER -o PACKAGE`: many nets, and what they have in common once."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import torch

import archc
from cli_harness import run

BLOCKS = """
block Residual(c) = [{ CONV(c) -> BN -> RELU -> CONV(c) -> BN + ID } -> RELU]*2
block Head(classes) = GAP -> FC(classes)
"""
ONE = f"""{BLOCKS}
net Small(classes=7) = INPUT(3, 13, 17) -> CONV(5) -> Residual(5) -> Head(classes)
net small = Small()
net small11 = Small(11)
"""
TWO = f"""{BLOCKS}
block Own(c) = CONV(c, 1) -> RELU
net other = INPUT(3, 13, 17) -> Own(11) -> Residual(11) -> DROPPATH(0.25) -> Head(2)
"""
# A block of the same name that is another one, for two nets, and one net alone.
THREE = """
block Residual(c) = { CONV(c, 1) -> RELU | ID } -> CONV(c, 1)
block Own(c) = CONV(c, 1) -> TANH
net third = INPUT(3, 13, 17) -> Residual(5) -> Own(3)
net fourth = INPUT(3, 13, 17) -> Residual(5)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in {"one": ONE, "two": TWO, "sub/three": THREE}.items():
        path = tmp_path / "nets" / f"{name}.arch"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def _package(name: str, *options: str) -> ModuleType:
    done = run("compile", "nets", "-o", name, *options)
    assert done.status == 0, done.err
    importlib.invalidate_caches()
    return importlib.import_module(name)


def test_a_package_exports_every_net(folder: Path) -> None:
    made = _package("first")
    assert made.__all__ == ["Fourth", "Other", "Small", "Small11", "Third"]
    names = ("small", "small11", "other", "shared", "third", "fourth")
    written = {path.name for path in Path("first").iterdir()} - {"__pycache__"}
    assert written == {"__init__.py", *[f"{name}.py" for name in names]}


@pytest.mark.parametrize(
    ("file", "name", "made"),
    [("one", "small11", "Small11"), ("two", "other", "Other"), ("sub/three", "third", "Third")],
)
def test_its_nets_are_those_of_a_file_alone(folder: Path, file: str, name: str, made: str) -> None:
    package = _package("second_" + name)
    alone = archc.load(f"nets/{file}.arch:{name}").to_torch().eval()
    together = getattr(package, made)().eval()
    together.load_state_dict(alone.state_dict(), strict=True)
    images = torch.randn(2, 3, 13, 17)
    assert torch.equal(together(images), alone(images))


def test_what_several_nets_have_is_written_once(folder: Path) -> None:
    _package("third_one")
    texts = {path.stem: path.read_text() for path in Path("third_one").glob("*.py")}
    assert texts["shared"].count("class Residual") == 2
    assert "class Own(" not in texts["shared"]
    assert sorted([name for name in texts if "class Own(" in texts[name]]) == ["other", "third"]
    assert "class Residual" not in texts["small"] + texts["third"]
    assert "class DropPath" in texts["other"]


def test_comments_are_left_out_on_demand(folder: Path) -> None:
    _package("quiet", "--no-comments")
    for path in Path("quiet").glob("*.py"):
        assert "  # (" not in path.read_text()
    plain, quiet = [run("compile", "lenet5", *more).out for more in ([], ["--no-comments"])]
    assert "  # (B, 10)" in run("compile", "cnn").out or "  # (B, " in plain
    assert quiet.splitlines() == [line.partition("  # (")[0] for line in plain.splitlines()]


def test_a_package_is_replaced_whole_and_nothing_else_is(folder: Path) -> None:
    _package("again")
    Path("nets/two.arch").unlink()
    assert run("compile", "nets", "-o", "again").status == 0
    assert not Path("again/other.py").exists()
    Path("again/notes.txt").write_text("mine")
    done = run("compile", "nets", "-o", "again")
    message = "cannot write again: notes.txt in it was not made by archc; name a new folder"
    assert (done.status, done.err) == (2, f"Error: {message}\n")
    assert Path("again/small.py").exists()


def test_nothing_is_written_where_a_file_is_wrong(folder: Path) -> None:
    Path("nets/wrong.arch").write_text("net wrong = INPUT(3) -> FC(5) :: (7)\n")
    done = run("compile", "nets", "-o", "never")
    assert done.status == 1
    assert "wrong.arch:1" in done.err
    assert [path.name for path in Path().iterdir()] == ["nets"]


def test_what_is_about_one_net_is_refused(folder: Path) -> None:
    for options in (["-p", "classes=3"], ["--class-name", "Net"], ["--input", "3x5x7"]):
        done = run("compile", "nets", "-o", "never", *options)
        assert done.status == 2
        assert f"{options[0]} is about one net, and nets is a folder" in done.err
    assert "name the package to write, such as -o nets" in run("compile", "nets").err


def test_a_net_that_needs_a_number_is_left_out(folder: Path) -> None:
    Path("nets/rule.arch").write_text("dim C\nnet rule = INPUT(C, 5, 7) -> CONV(C, 3)\n")
    done = run("compile", "nets", "-o", "without")
    assert done.status == 0
    assert "note: rule is left out: its module needs C as a number" in done.err
