"""What docs/security.md promises about files from strangers."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli_harness import run
from hostile import CORPUS, NET

MEMORY, SECONDS = 1 << 30, 10
PAGE = Path(__file__).parents[1] / "docs" / "security.md"

# A program for each row of the page's table of bounds, by the code that the row names.
BEYOND = {
    "file-too-large": "#" * (1 << 18) + "\n",
    "nested-too-deeply": NET + "{" * 200 + "RELU" + "}" * 200,
    "number-too-large": NET + f"CONV({2**63})",
    "list-too-long": f"a = range(1000001)\n{NET}CONV(len(a))",
    "too-much-work": "a = [[[i for i in range(999)] for j in range(999)] for k in range(999)]\n"
    + NET + "CONV(len(a))",
    "repeat-too-large": NET + "[RELU]*1000000001",
    "too-many-regions": "block B(i) = FC(i)\nnet n = INPUT(1) -> [B(i) for i in range(1, 5002)]",
    "too-many-nodes": "net n = INPUT(3)" + " -> RELU" * 15_001,
    "bundle-too-large": NET + "{ RELU for i in range(4097) } -> ADD",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def bounded(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where it may take 1 GB and 10 seconds of the processor."""

    def bounds() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    command = [sys.executable, "-m", "archc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=bounds)


@pytest.mark.parametrize("code", re.findall(r"\| `([a-z-]+)` \|$", PAGE.read_text(), re.MULTILINE))
def test_every_bound_has_its_message(code: str) -> None:
    Path("net.arch").write_text(BEYOND[code])
    done = bounded("check", "net.arch")
    assert (done.returncode, done.stdout) == (2 if code == "file-too-large" else 1, "")
    assert f"error[{code}]" in done.stderr


@pytest.mark.parametrize("name", CORPUS)
def test_hostile_files_stay_within_bounds(name: str) -> None:
    for file, content in CORPUS[name].items():
        Path(file).write_bytes(content if isinstance(content, bytes) else content.encode())
    for arguments in (["check", "net.arch"], ["compile", "net.arch", "-o", "out.py"]):
        done = bounded(*arguments)
        assert done.returncode in (0, 1, 2), (done.returncode, done.stderr[-300:])
        assert "Traceback" not in done.stderr
        assert len(done.stderr) < 200_000
        assert done.returncode == 0 or done.stderr.startswith("error[")
        assert Path("out.py").exists() == (done.returncode == 0 and "-o" in arguments)


def test_commands_that_read_write_nothing() -> None:
    Path("net.arch").write_text(NET + "CONV(5) -> RELU\n")
    Path("cache").mkdir()
    environment = {**os.environ, "XDG_CACHE_HOME": str(Path("cache").resolve())}
    before = _state()
    for line in (
        "check net.arch", "stats net.arch", "stats net.arch --format json", "list", "ops CONV",
        "explain shape-mismatch", "compile net.arch", "fmt --check net.arch", "fmt --diff net.arch",
    ):  # fmt: skip
        command = [sys.executable, "-B", "-m", "archc", *line.split()]
        subprocess.run(command, capture_output=True, env=environment)
    assert _state() == before


def _state() -> dict[str, bytes | None]:
    files = sorted(path for path in Path().rglob("*") if path.parts[0] != "cache")
    return {str(path): path.read_bytes() if path.is_file() else None for path in files}


@pytest.mark.parametrize("command", [["compile"], ["render"]])
def test_a_full_disk_leaves_what_was_there(command: list[str]) -> None:
    suffix = {"compile": ".py", "render": ".dot"}[command[0]]
    place = Path(f"out{suffix}")
    place.write_text("before\n")

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    line = [sys.executable, "-B", "-m", "archc", *command, "resnet50", "-o", str(place)]
    done = subprocess.run(line, capture_output=True, text=True, preexec_fn=no_room)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: cannot write {place}: file too large")
    assert place.read_text() == "before\n"
    assert [path.name for path in Path().iterdir()] == [place.name]


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from archc.output import write_text
for number in range(1_000_000):
    write_text(Path("out.txt"), f"{number:07}" * 50_000)
"""


def test_a_killed_process_leaves_a_whole_file() -> None:
    for wait in (0.05, 0.11, 0.23):
        process = subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER])
        _wait_for(Path("out.txt"))
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        text = Path("out.txt").read_text()
        assert text == text[:7] * 50_000


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['touch pwned']",
        "a: &x [1]\nb: *x",
        "a: 1\na: 2",
        "a: {b: 1}",
        "[1, 2]",
        "a: " + "[" * 5_000,
        "a: 1\n" + "#" * (1 << 18),
    ],
)
def test_files_of_hyperparameters_are_data(text: str) -> None:
    Path("p.yaml").write_text(text)
    done = run("stats", "lenet5", "--params", "p.yaml")
    assert (done.status, done.out) == (2, "")
    assert "p.yaml" in done.err
    assert "Traceback" not in done.err
    assert not Path("pwned").exists()


def test_standard_input_has_a_bound_too() -> None:
    for command in (["check"], ["stats"], ["fmt"]):
        done = run(*command, "-", stdin="#" * ((1 << 18) + 1))
        assert (done.status, done.out) == (2, "")
        assert "error[file-too-large]" in done.err
