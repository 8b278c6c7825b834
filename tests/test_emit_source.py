"""The text of generated files: golden files, formatters, linters, names and texts from a file."""

from __future__ import annotations

import ast
import cProfile
import difflib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archc
from archc import __version__
from archc.emit import emit
from archc.graph import Program
from archc.pipeline import Request, load_program
from conftest import Golden
from emit_nets import NAMES, ROOT, load

GOLDEN = ROOT / "tests" / "golden" / "emit"
RUFF = shutil.which("ruff") or str(Path(sys.executable).parent / "ruff")
SHOWN = (
    "residual_small", "dense", "Inception", "Mobile", "UNet", "WaveNet", "Lent", "Patches", "Video",
    "Kinds", "Cells", "Rows", "Staged", "Thirds", "Crossed",
)  # fmt: skip

TEMPORAL = (
    "bert_base", "crnn", "gpt2", "gru_v1", "jordan", "llama_7b", "mgu", "peephole_lstm",
    "sentiment_padded", "seq2seq_additive", "seq2seq_dot", "swin_t", "tagger", "transformer_base",
    "vit_b_16",
)  # fmt: skip


def probe_of(name: str, text: str) -> Any:
    """Lowers a net again with one hyperparameter changed."""

    def probe(parameter: str, value: Any) -> Program | None:
        return load_program(Request(name, ((parameter, value),), text=text)).program

    return probe


def with_parameters(name: str, text: str) -> str:
    """The source with the hyperparameters that can be proved."""
    return emit(load(name, text), probe=probe_of(name, text))


def clean(folder: Path, sources: dict[str, str]) -> None:
    """Every source is as ruff would write it, and ruff finds nothing in it."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run(
            [RUFF, *command, "--isolated", "--no-cache", "-q", str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SHOWN)
def test_golden_files(name: str, golden: Golden) -> None:
    text = emit(load(name)).replace(f"archc {__version__}", "archc VERSION")
    golden(text, GOLDEN / f"{name}.py.txt")


def test_ruff_would_change_nothing(tmp_path: Path) -> None:
    clean(tmp_path, {name: emit(load(name)) for name in (*NAMES, "Many")})


def test_ruff_would_change_nothing_in_what_runs_over_time(tmp_path: Path) -> None:
    clean(tmp_path, {name: archc.load(name).source() for name in TEMPORAL})


def test_mypy_finds_nothing_but_what_torch_leaves_untyped(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # Nested lists of modules have no types in torch.
    cache = request.config.cache.mkdir("mypy") if request.config.cache else tmp_path / "cache"
    for name in set(NAMES) - {"WaveNet"}:
        (tmp_path / f"net_{NAMES.index(name)}.py").write_text(emit(load(name)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_deeper_net_differs_in_its_counts_only() -> None:
    small, large = (emit(load(name)).split("\n") for name in ("residual_small", "residual_large"))
    changed = [
        line[1:].strip()
        for line in difflib.ndiff(small, large)
        if line.startswith("+") and "parameters" not in line and "Residual" not in line
    ]
    assert changed == ["(8, 16, 7, 2),", "(16, 24, 4, 2),"]


def test_nothing_of_the_compiler_is_imported() -> None:
    for name in NAMES:
        tree = ast.parse(emit(load(name)))
        imported = [
            node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        modules = {
            node.names[0].name if isinstance(node, ast.Import) else node.module for node in imported
        }
        assert modules <= {
            "__future__",
            "collections.abc",
            "math",
            "torch",
            "torch.nn.functional",
            "typing",
        }


def test_classes_are_called_as_the_net_is() -> None:
    text = """
    net ResNet(n) = INPUT(3) -> FC(n)
    net resnet50 = ResNet(5)
    net char_rnn = INPUT(3) -> FC(4)
    net linear = INPUT(3) -> FC(4)
    """
    wanted = {"resnet50": "ResNet50", "char_rnn": "CharRnn", "linear": "Linear"}
    for name, class_name in wanted.items():
        assert f"class {class_name}(nn.Module):" in emit(load(name, text))
    assert "class Mine(nn.Module):" in emit(load("linear", text), class_name="Mine")
    for wrong in ("a b", "class", "", "x; import os"):
        with pytest.raises(ValueError, match="no name for a class"):
            emit(load("linear", text), class_name=wrong)


# --- hyperparameters -----------------------------------------------------------------------------

FAMILY = """
net Mlp(d=64, layers=3, heads=4, p=0.125, classes=10) =
  INPUT(784) -> FC(d*heads) -> RELU -> [FC(d) -> RELU -> DROPOUT(p)]*layers -> FC(classes)
let near8(v) = max(8, (v + 4) // 8 * 8)
net Rounded(width=32, n=4, wide=no) = INPUT(3, 32, 32) -> CONV(near8(width)) -> [MAXPOOL(2)]*n
  -> FLATTEN -> FC(10 if wide else 20)
"""


def test_proved_hyperparameters_are_parameters(tmp_path: Path) -> None:
    source = with_parameters("Mlp", FAMILY)
    clean(tmp_path, {"mlp": source})
    found: dict[str, Any] = {}
    exec(compile(source, "mlp", "exec"), found)
    model = found["Mlp"](d=16, layers=5, heads=3, p=0.5, classes=7)
    other = load("Mlp", FAMILY, d=16, layers=5, heads=3, p=0.5, classes=7)
    expected: dict[str, Any] = {}
    exec(compile(emit(other), "other", "exec"), expected)
    state = {key: tensor.shape for key, tensor in model.state_dict().items()}
    assert state == {k: t.shape for k, t in expected["Mlp"]().state_dict().items()}
    assert model.stage[4].dropout.p == 0.5


def test_what_cannot_be_proved_stays_a_number() -> None:
    source = with_parameters("Rounded", FAMILY)
    assert source == emit(load("Rounded", FAMILY))
    assert "def __init__(self) -> None:" in source


def test_parameters_reach_into_blocks() -> None:
    text = """
    block Head(n) = FC(8) -> RELU -> FC(n)
    net Two(classes=5, width=6) { in v = INPUT(3)
      h = v -> FC(width)
      out a = h -> Head(classes), b = h -> Head(classes) }
    """
    source = with_parameters("Two", text)
    assert "def __init__(self, classes: int = 5, width: int = 6) -> None:" in source
    assert "self.head1 = Head(width, classes)" in source


# --- texts of a file -----------------------------------------------------------------------------

NASTY = [
    '"""\nimport os\n"""', "\\", "\\N{DASH}", "a\u202eb", "tab\there", '"', "'''", "{x}", "%s",
    "\x85 next",
    'ends with "', "\u2028line", "한글 설명",
]  # fmt: skip


@pytest.mark.parametrize("nasty", NASTY)
def test_documentation_stays_documentation(nasty: str, tmp_path: Path) -> None:
    said = nasty.replace("\n", "\n## ")
    text = f"## {said}\nblock A = FC(3) -> RELU\n## {said}\nnet N = INPUT(4) -> A -> A\n"
    loaded = load_program(Request("N", text=text))
    if loaded.program is None:
        return  # the parser refuses such a character
    source = emit(loaded.program)
    tree = ast.parse(source)
    kinds = {type(node) for node in tree.body}
    assert kinds == {ast.Import, ast.ImportFrom, ast.ClassDef, ast.If}
    imported = [node.names[0].name for node in tree.body if isinstance(node, ast.Import)]
    assert imported == ["torch", "torch.nn.functional"]
    assert all(ch.isprintable() or ch == "\n" for ch in source)
    clean(tmp_path, {"nasty": source})


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=40))
def test_any_documentation_compiles(said: str) -> None:
    program = load("N", "net N = INPUT(4) -> FC(3)").replace(documentation=said, file=said)
    tree = ast.parse(emit(program))
    kinds = [ast.ImportFrom, ast.Import, ast.ImportFrom, ast.ClassDef, ast.If]
    assert [type(node) for node in tree.body] == kinds


def test_names_never_shadow_what_the_code_needs() -> None:
    text = """
    block Noise(Layer, k=3) = CONV(Layer, k) -> RELU -> NOISE
    block F(nn, self) = FC(nn) -> RELU as torch -> FC(self)
    net N(range=2) { in x0 = INPUT(3, 8, 8)
      zip = x0 -> [Noise(F2, len) for F2, len in [(4, 3), (7, 1), (9, 5)]] -> GAP
      Tensor = zip -> F(4, 5) -> F(6, 5)
      out Tensor + zip -> FC(5) as l }
    """
    import torch

    from archc.torch.module import to_torch

    model = to_torch(load("N", text))
    assert model(torch.randn(2, 3, 8, 8)).shape == (2, 5)


# --- speed ---------------------------------------------------------------------------------------


def test_emission_costs_what_differs_and_not_what_repeats() -> None:
    def calls(program: Program) -> int:
        profile = cProfile.Profile()
        profile.runcall(emit, program)
        return sum(entry.callcount for entry in profile.getstats())

    few = load("N", "net N = INPUT(3, 8, 9) -> [CONV(3) -> RELU]*10 -> GAP")
    many = load("N", "net N = INPUT(3, 8, 9) -> [CONV(3) -> RELU]*100000 -> GAP")
    assert calls(many) < 1.1 * calls(few)
    shallow, deep = (load_program(Request(name)).program for name in ("resnet50", "resnet152"))
    assert shallow is not None and deep is not None
    assert calls(deep) < 1.1 * calls(shallow)
