"""`import archc.hook`: .arch files import like modules."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import archc
import archc.hook
from archc.hook import ArchImportError

FILE = """## Two small nets.
block Layer(c) = CONV(c) -> RELU

## The first of them.
net TinyNet(width=5, classes=3) = INPUT(2, 7, 11) -> Layer(width) -> GAP -> FC(classes)

net tinynet13 = TinyNet(width=13)
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package without an `__init__.py`, with one file in it."""
    folder = tmp_path / "hooked"
    folder.mkdir()
    (folder / "tiny.arch").write_text(FILE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] in ("hooked", "alone")]:
        del sys.modules[name]
    archc.hook.install()


def test_a_file_in_a_package_imports(nets: Path) -> None:
    from hooked.tiny import TinyNet, tinynet13  # type: ignore[import-not-found]

    model = TinyNet(classes=17)
    assert isinstance(model, torch.nn.Module)
    assert model(torch.randn(2, 2, 7, 11)).shape == (2, 17)
    assert tinynet13.load().params == 13 * 2 * 9 + 13 + 3 * 13 + 3
    assert TinyNet.__doc__ == "The first of them."
    assert repr(TinyNet) == "<net hooked.tiny.TinyNet>"


def test_the_name_of_the_generated_class_works_too(nets: Path) -> None:
    tiny = importlib.import_module("hooked.tiny")
    assert tiny.TinyNet13 is tiny.tinynet13
    assert sorted(tiny.__all__) == ["TinyNet", "TinyNet13", "tinynet13"]


def test_a_file_on_the_path_imports(nets: Path) -> None:
    (nets.parent / "alone.arch").write_text("INPUT(7) -> FC(5) -> RELU\n")
    module = importlib.import_module("alone")
    assert module.alone.load().params == 40
    assert module.Alone is module.alone


def test_the_module_knows_its_file(nets: Path) -> None:
    module = importlib.import_module("hooked.tiny")
    assert module.__file__ == str(nets / "tiny.arch")
    assert module.__spec__ is not None
    assert inspect.getsource(module) == FILE


def test_reload_reads_the_file_again(nets: Path) -> None:
    module = importlib.import_module("hooked.tiny")
    (nets / "tiny.arch").write_text("net other = INPUT(7) -> FC(11)\n")
    module = importlib.reload(module)
    assert module.other.load().params == 88


def test_a_python_module_comes_first(nets: Path) -> None:
    (nets / "tiny.py").write_text("answer = 42\n")
    importlib.invalidate_caches()
    assert importlib.import_module("hooked.tiny").answer == 42


def test_a_wrong_file_is_an_import_error_with_diagnostics(nets: Path) -> None:
    (nets / "wrong.arch").write_text("net wrong = INPUT(7) -> FCC(5)\n")
    with pytest.raises(ImportError) as caught:
        importlib.import_module("hooked.wrong")
    error = caught.value
    assert isinstance(error, ArchImportError)
    assert isinstance(error, archc.ArchError)
    assert error.path == str(nets / "wrong.arch")
    assert error.name == "hooked.wrong"
    assert "FCC" in str(error)
    assert "hooked.wrong" not in sys.modules


def test_a_wrong_hyperparameter_is_an_arch_error(nets: Path) -> None:
    tiny = importlib.import_module("hooked.tiny")
    with pytest.raises(archc.ArchError, match="clases"):
        tiny.TinyNet(clases=10)


def test_a_module_that_is_not_there_stays_so(nets: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("hooked.missing")


def test_the_hook_can_be_taken_out(nets: Path) -> None:
    archc.hook.uninstall()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("hooked.tiny")
    archc.hook.install()
    archc.hook.install()
    assert sum(type(finder).__module__ == "archc.hook" for finder in sys.meta_path) == 1
    assert importlib.import_module("hooked.tiny").TinyNet
