"""The frame of the command line: help, typos, quiet pipes, files that cannot be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import archc
from archc.output import OutputError, staged, write_text
from cli_harness import run

COMMANDS = [
    "check",
    "stats",
    "compare",
    "render",
    "compile",
    "export",
    "weights",
    "fmt",
    "list",
    "ops",
    "explain",
    "tour",
]


def test_help_lists_the_commands_in_reading_order() -> None:
    done = run("--help")
    assert done.status == 0
    lines = done.out.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines][: len(COMMANDS)] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage: archc {command}")
    assert "--quiet" in done.out


def test_version() -> None:
    assert run("--version").out == f"archc {archc.__version__}\n"


def test_python_m_archc_is_the_same() -> None:
    command = [sys.executable, "-m", "archc", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"archc {archc.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["statz", "lenet5"], "there is no command 'statz'; did you mean stats?"),
        (["xyzzy"], "there is no command 'xyzzy'; see archc --help"),
        (["__init__"], "there is no command '__init__'"),
        (["os.path"], "there is no command 'os.path'"),
        (["stats"], "Missing argument 'NET'"),
        (["stats", "lenet5", "--formt", "json"], "No such option"),
        (["stats", "lenet5", "--format", "xml"], "'xml' is not one of"),
        (["stats", "lenet5", "-p", "classes"], "'classes' should be NAME=VALUE"),
        (["stats", "lenet5", "-p", "=3"], "'=3' should be NAME=VALUE"),
        (["stats", "lenet5", "-p", "a=1", "-p", "a=2"], "a is given twice"),
        (["stats", "lenet5", "--input", "3x0x7"], "'3x0x7' should be a shape such as 3x227x227"),
        (["stats", "lenet5", "--input", "x=3xx7"], "'x=3xx7' should be a shape"),
        (["stats", "lenet5", "--input", "3x7", "--input", "3x5"], "several inputs need names"),
        (["stats", "lenet5", "--batch", "0"], "0 is not in the range"),
        (["stats", "lenet5", "--style", "lecture", "--format", "csv"], "not for csv"),
        (["stats", "lenet5", "--params", "missing.yaml"], "cannot read missing.yaml"),
        (["compile", "lenet5", "--class-name", "a; import os"], "cannot be the name of a class"),
        (["compile", "lenet5", "--class-name", "class"], "cannot be the name of a class"),
        (["render", "lenet5"], "Missing option '-o'"),
    ],
)
def test_wrong_command_lines_give_status_2_and_a_usage_line(
    arguments: list[str], message: str
) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("Usage: archc")
    assert message in done.err


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m archc ops | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_message() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "archc", "ops"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "Error: standard output: No space left on device\n"


def test_ctrl_c_is_quiet() -> None:
    command = [sys.executable, "-m", "archc", "fmt", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        # It waits for its input; a moment later it certainly does.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")


def test_shell_completion_knows_commands_and_nets() -> None:
    def completed(words: str) -> str:
        environment = {
            **os.environ,
            "_ARCHC_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        command = [sys.executable, "-c", "from archc.cli import main; main()"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        return done.stdout

    assert "plain,stats" in completed("archc st")
    assert "plain,resnet50\n" in completed("archc stats resnet5")


def test_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("before")
    path.chmod(0o640)
    with pytest.raises(ZeroDivisionError), staged(path) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "before"
    write_text(path, "after\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after\n", 0o640)
    assert [p.name for p in tmp_path.iterdir()] == ["table.txt"]


def test_writing_follows_links_and_spares_devices(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("before")
    link.symlink_to(target)
    write_text(link, "after")
    assert link.is_symlink()
    assert target.read_text() == "after"
    write_text(Path(os.devnull), "gone")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("name", [".", "missing/out.txt", "file.txt/out.txt"])
def test_what_cannot_be_written_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file.txt").write_text("a file, not a folder")
    with pytest.raises(OutputError, match=f"cannot write {name}: "):
        write_text(Path(name), "text")
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
