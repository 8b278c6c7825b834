"""The demonstration that the README's first command runs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from cli_harness import run

FILES = [f"{net}.{suffix}" for net in ("lenet5", "resnet50") for suffix in ("py", "svg", "txt")]


def test_the_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("tour")
    assert (done.status, done.err) == (0, "")
    assert sorted(path.name for path in Path("tour").iterdir()) == FILES
    for figure in ("61,706", "416,520", "25,557,032", "4,089,184,256"):
        assert figure in done.out
    assert "(2, 3, 224, 224) in, (2, 1000) out" in done.out
    assert re.search(r"2 networks in \d+ seconds; the files lie in tour\n", done.out)
    for name in FILES:
        assert name in done.out


def test_the_tour_without_torch_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    done = run("tour", "-o", "there")
    assert (done.status, done.out) == (2, "")
    assert "pip install 'arch-lang[torch]'" in done.err
    assert not Path("there").exists()
