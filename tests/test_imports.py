"""What is imported follows from what is asked for; start-up time depends on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "networkx", "rich", "graphviz", "pygraphviz", "yaml", "numpy", "sympy")

# Runs a command as the script does and prints, behind its output, which heavy modules came in.
PROBE = """
import json, sys
from archc.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    status = end.code
print("\\n" + json.dumps([status, sorted(set(sys.modules) & set({heavy}))]))
"""

ALLOWED = {
    ("--version",): set(),
    ("--help",): set(),
    ("check", "resnet50"): set(),
    ("stats", "resnet50", "--format", "json"): set(),
    ("stats", "resnet50", "--format", "csv"): set(),
    ("stats", "resnet50"): {"rich"},
    ("stats", "resnet50", "--params", "p.yaml"): {"rich", "yaml"},
    ("compile", "resnet50"): set(),
    ("render", "lenet5", "-o", "lenet5.dot"): set(),
    ("render", "lenet5", "-o", "lenet5.svg"): {"graphviz"},
    ("fmt", "net.arch"): set(),
    ("list", "--json"): set(),
    ("list",): {"rich"},
    ("ops",): {"rich"},
    ("ops", "CONV"): {"rich"},
    ("explain", "shape-mismatch"): set(),
}


def imported(code: str, *arguments: str, folder: Path) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        check=True,
    )
    status, names = json.loads(done.stdout.splitlines()[-1])
    return status, set(names)


@pytest.mark.parametrize("arguments", ALLOWED, ids=" ".join)
def test_no_command_imports_more_than_it_needs(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text("net tiny = INPUT(7) -> FC(5)\n")
    (tmp_path / "p.yaml").write_text("classes: 10\n")
    status, names = imported(PROBE.replace("{heavy}", repr(HEAVY)), *arguments, folder=tmp_path)
    assert status == 0
    assert names <= ALLOWED[arguments]


FACE = """
import json, sys
import archc
net = archc.load("lenet5")
figures = net.params, net.macs, net.inputs, net.outputs
table = net.stats().to_dict()
text = net.source()
before = sorted(set(sys.modules) & set({heavy}))
{then}
after = sorted(set(sys.modules) & set({heavy}))
print(json.dumps([0, sorted(set(after) - set(before))]) if before == [] else before)
"""


@pytest.mark.parametrize(
    ("then", "more"),
    [
        ("", set()),
        ("net.graph()", {"networkx"}),
        ("net.to_torch()", {"torch"}),
        ("archc.compile('lenet5')", {"torch"}),
        ("import archc.hook", set()),
    ],
)
def test_the_face_imports_what_it_is_asked_for(then: str, more: set[str], tmp_path: Path) -> None:
    code = FACE.replace("{heavy}", repr(HEAVY)).replace("{then}", then)
    _, names = imported(code, folder=tmp_path)
    # What torch and networkx import themselves is their business.
    assert more <= names
    assert "torch" not in names or "torch" in more
    assert "networkx" not in names or more


def test_import_archc_alone_imports_next_to_nothing(tmp_path: Path) -> None:
    code = "import json, sys, archc; print(json.dumps([0, sorted(sys.modules)]))"
    _, names = imported(code, folder=tmp_path)
    assert {name for name in names if name.startswith("arch")} == {"archc"}
    assert "click" not in names


def test_what_torch_imports_stands_in_one_folder() -> None:
    root = Path(__file__).parents[1]
    for path in [*(root / "dsl").rglob("*.py"), *(root / "compiler").rglob("*.py")]:
        inside = path.relative_to(root).parts
        if "torch" in inside or path.name in ("tour.py", "net.py", "face.py", "hook.py"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        guilty = [line for line in lines if line.strip().startswith(("import torch", "from torch"))]
        assert guilty == [], path
