"""What `archc export` writes runs without the source, and says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archc
from archc.torch import ExportError
from cli_harness import run

IMAGES = "net Small(classes=7) = INPUT(3, 13, 17) -> CONV(5) -> BN -> RELU -> GAP -> FC(classes)\n"
SEQUENCES = "dim T\nnet Words = INPUT(5, T) -> CONV(7, 3) -> RELU -> CONV(3, 1)\n"


def _net(folder: Path, text: str) -> archc.Net:
    path = folder / "given.arch"
    path.write_text(text)
    return archc.load(path)


def test_an_exported_program_takes_any_batch(tmp_path: Path) -> None:
    net = _net(tmp_path, IMAGES)
    model = net.to_torch()
    net.export(tmp_path / "small.pt2", module=model)
    assert model.training
    images = torch.randn(5, 3, 13, 17)
    made = torch.export.load(tmp_path / "small.pt2").module()(images)
    torch.testing.assert_close(made, model.eval()(images))


def test_an_open_dimension_stays_open(tmp_path: Path) -> None:
    net = _net(tmp_path, SEQUENCES)
    model = net.to_torch().eval()
    net.export(tmp_path / "words.pt2", module=model)
    loaded = torch.export.load(tmp_path / "words.pt2").module()
    for length in (11, 29):
        sequence = torch.randn(3, 5, length)
        torch.testing.assert_close(loaded(sequence), model(sequence))


@pytest.mark.parametrize(
    ("text", "shapes"),
    [(IMAGES, [(5, 3, 13, 17), (1, 3, 13, 17)]), (SEQUENCES, [(3, 5, 11), (1, 5, 29)])],
)
def test_onnxruntime_says_the_same(
    tmp_path: Path, text: str, shapes: list[tuple[int, ...]]
) -> None:
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    net = _net(tmp_path, text)
    model = net.to_torch().eval()
    net.export(tmp_path / "net.onnx", module=model)
    session = onnxruntime.InferenceSession(
        tmp_path / "net.onnx", providers=["CPUExecutionProvider"]
    )
    assert [one.name for one in session.get_inputs()] == list(net.inputs)
    assert [one.name for one in session.get_outputs()] == list(net.outputs)
    for shape in shapes:
        given = torch.randn(shape)
        (made,) = session.run(None, {session.get_inputs()[0].name: given.numpy()})
        torch.testing.assert_close(torch.from_numpy(made), model(given), rtol=1e-4, atol=1e-5)


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    (tmp_path / "given.arch").write_text(IMAGES)
    path = tmp_path / "small.pt2"
    done = run("export", str(tmp_path / "given.arch"), "-o", str(path))
    assert (done.status, done.err) == (0, f"wrote {path}\n")
    assert path.stat().st_size > 0


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    net = _net(tmp_path, IMAGES)
    path = tmp_path / "small.h5"
    message = f"{path}: the suffix must be .onnx or .pt2"
    done = run("export", str(tmp_path / "given.arch"), "-o", str(path))
    assert (done.status, done.err) == (2, f"Error: {message}\n")
    with pytest.raises(ExportError, match="suffix"):
        net.export(path)
    assert not path.exists()


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", found)
    (tmp_path / "given.arch").write_text(IMAGES)
    done = run("export", str(tmp_path / "given.arch"), "-o", str(tmp_path / "small.onnx"))
    assert done.status == 2
    expected = "ONNX needs onnx and onnxscript: pip install 'arch-lang[onnx]'"
    assert done.err == f"Error: {expected}\n"


@pytest.mark.parametrize(
    ("chain", "called"),
    [("LSTM(7)", "LSTM"), ("GRU(7, bidirectional=yes) -> LAST", "GRU"), ("Elman(7)", "a cell")],
)
def test_a_loop_over_an_open_number_of_steps_is_refused(
    tmp_path: Path, chain: str, called: str
) -> None:
    cell = "cell Elman(n) {\n  h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> TANH\n}\n"
    net = _net(tmp_path, f"dim T\n{cell}net Over = SEQUENCE(T, 5) -> {chain}\n")
    done = run("export", str(tmp_path / "given.arch"), "-o", str(tmp_path / "over.pt2"))
    assert done.status == 2
    line = 2 if called == "a cell" else 5
    assert f"{called} on line {line} runs for T steps" in done.err
    assert "-p T=64" in done.err
    assert not (tmp_path / "over.pt2").exists()
    bound = archc.load(tmp_path / "given.arch", T=11)
    bound.export(tmp_path / "over.pt2")
    made = torch.export.load(tmp_path / "over.pt2").module()
    assert net.inputs and made(torch.randn(3, 11, 5)) is not None
