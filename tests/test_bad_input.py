"""What is wrong is said at its place, whatever it is: never a traceback, a hang or half a file."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archc.output import OutputError  # noqa: F401  (the command's modules are loaded before timing)
from cli_harness import run

NET = "net n = INPUT(3, 8, 8) -> "
SECONDS = 10


def chain(names: str, count: int) -> str:
    """`f0` is made of `f1`, that of `f2`, and so on."""
    return "".join([names.replace("@", str(i)).replace("#", str(i + 1)) for i in range(count)])


SYNTAX = {
    "nothing": "",
    "a comment": "# nothing here\n",
    "an open bracket": NET + "[CONV(3)",
    "a stray bracket": NET + "CONV(3)]",
    "two arrows": NET + "-> RELU",
    "an arrow at the end": NET + "RELU ->",
    "no arrow": NET + "CONV(3) RELU",
    "an unknown character": NET + "CONV(3) $",
    "a control character": NET + "CONV(3)\x00",
    "a string without end": NET + 'RESHAPE("c h w',
    "a keyword as a name": "net net = INPUT(3) -> FC(3)",
    "a number that is none": NET + "CONV(3x3)",
    "half an if": NET + "CONV(3) if",
    "a count without a group": NET + "a*3",
    "a condition in arithmetic": NET + "{ RELU if yes else BN -> RELU + ID }",
    "a chain beside definitions": "a = 3\nINPUT(3) -> FC(a)\n",
    "a statement that is none": "net n {\n  in x = INPUT(3)\n  3\n}\n",
    "a net that is a number": "net n = 3",
}
NAMES = {
    "an operator": NET + "KONV(3)",
    "an operator in small letters": NET + "conv(3)",
    "a block": "net n = Foo(3)",
    "a parameter": "block B(c) = CONV(c)\n" + NET + "B(k=3)",
    "a dimension": "net n = INPUT(Q) -> FC(3)",
    "an argument": NET + "CONV(3, kernle=3)",
    "an axis": NET + "SOFTMAX(axis=q)",
    "an attribute": NET + "CONV(x.q)",
    "a name of a library's file": 'from "resnet.arch" import Nope\n' + NET + "Nope",
    "a name given twice": "a = 1\na = 2\n" + NET + "CONV(a)",
    "a name given twice by as": NET + "RELU as a -> RELU as a",
    "an output named twice": "net n {\n  in a = INPUT(3)\n  out p = a, p = a\n}\n",
}
ARGUMENTS = {
    "a string": NET + 'CONV("a")',
    "none": NET + "CONV",
    "one twice": NET + "CONV(3, filters=4)",
    "one twice by name": NET + "CONV(3, kernel=4, kernel=4)",
    "too many": NET + "CONV(" + ", ".join(["1"] * 5000) + ")",
    "half a filter": NET + "CONV(2.5)",
    "no filter": NET + "CONV(0)",
    "a stride of 0": NET + "CONV(3, 3, 0)",
    "a pool's stride of 0": NET + "MAXPOOL(2, 0)",
    "groups of 0": NET + "CONV(3, groups=0)",
    "a stream": "net n {\n  in a = INPUT(3, 8, 8)\n  out a -> CONV(a)\n}\n",
    "a domain that holds nothing": "net n(N in 3..1) = INPUT(3) -> [FC(3)]*N",
    "a default outside of its domain": "net n(N in 1..3 = 7) = INPUT(3) -> [FC(3)]*N",
}
SHAPES = {
    "a sum": NET + "{ CONV(3) + CONV(4) }",
    "a concatenation": NET + "{ CONV(3) | CONV(4, 3, 2) }",
    "a matrix product": "net n {\n  in a = INPUT(3, 5, 7), b = INPUT(3, 5, 7)\n  out a @ b\n}\n",
    "an FC on an image": NET + "FC(3)",
    "an FC on an image in a block": "block B = FC(3)\n" + NET + "B",
    "a kernel": NET + "CONV(3, 11, pad=0)",
    "a pool's kernel": NET + "MAXPOOL(9)",
    "groups": NET + "CONV(4, groups=2)",
    "a bundle": NET + "{ RELU, RELU } -> CONV(3)",
    "a repeat that loses a stream": NET + "{ ID, ID } -> [ADD]*2",
    "a pattern": NET + 'RESHAPE("c h -> h c")',
    "a reshape": NET + "RESHAPE(10**18, 10**18)",
    "a selection": "net n = INPUT(5) -> SELECT(0..10**18)",
    "a claim": NET + "RELU :: (3, 8, 9)",
    "a size that doubles 200 times": NET + "[UPSAMPLE(2)]*200",
}
CIRCLES = {
    "a block": "block A = CONV(3) -> A\n" + NET + "A",
    "blocks": "block A = B\nblock B = A\n" + NET + "A",
    "a function": "let f(v) = f(v - 1) if v > 0 else 0\n" + NET + "CONV(f(3))",
    "functions": "let f(v) = g(v)\nlet g(v) = f(v)\n" + NET + "CONV(f(3))",
    "constants": "a = b\nb = a\n" + NET + "CONV(a)",
    "nets": "net a = b\nnet b = a",
    "a file that imports itself": 'from "net.arch" import A\n' + NET + "A",
    "a block given itself": "block f(g) = g(g)\n" + NET + "f(f)",
    "a function given itself": "let f(g) = g(g)\n" + NET + "CONV(f(f))",
    "statements": "net n {\n  in a = INPUT(3)\n  b = c -> FC(3)\n  c = b -> FC(3)\n  out c\n}\n",
}
FILES = {
    "one that is missing": 'from "nope.arch" import A\n' + NET + "A",
    "one above": 'from "../net.arch" import A\n' + NET + "A",
    "an absolute path": 'from "/etc/passwd" import A\n' + NET + "A",
    "a folder": 'from "." import A\n' + NET + "A",
    "nothing": 'from "" import A\n' + NET + "A",
    "a long name": f'from "{"a" * 5000}.arch" import A\n' + NET + "A",
}
NUMBERS = {
    "a repeat of 10**12": NET + "[RELU]*1000000000000",
    "a range": "a = range(10**12)\n" + NET + "CONV(len(a))",
    "a power": "a = 10**10**10\n" + NET + "CONV(a)",
    "a real power": "a = 10.0**400\n" + NET + "CONV(int(a))",
    "a literal": NET + "CONV(" + "9" * 100_000 + ")",
    "a real": NET + "DROPOUT(1e999)",
    "a division by zero": "a = 1 / 0\n" + NET + "CONV(a)",
    "a root": NET + "CONV(int(sqrt(0 - 1)))",
    "a logarithm": NET + "CONV(int(log2(0)))",
    "a symbolic power": "dim A\nnet n = INPUT(A) -> FC(A**(10**9))",
    "a size that is nothing": "dim H\nnet n = INPUT(3, H // (H - H)) -> RELU",
    "parts of a bundle": "net n = INPUT(1000000000) -> SPLIT(1000000000)",
    "names of copies": NET + "[CONV(3) as a]*1000000000 -> { ID + a[0] }",
}
DEPTHS = {
    opening: NET + "CONV(" * (opening == "(") + opening * 10_000 + "3" + closing * 10_000
    for opening, closing in [
        ("[", "]"),
        ("{", "}"),
        ("(", ")"),
        ("-", ""),
        ("1 +", ""),
        ("2**", ""),
    ]
} | {
    "postfix " + after: NET + "RELU" + after * 10_000
    for after in ("'", "?", "[0]", ".c", " as a", " :: (3, 8, 8)", "]")
}
WORK = {
    "comprehensions in comprehensions": NET
    + "[[[CONV(i + j + k) for i in range(1, 1000)] for j in range(1000)] for k in range(1000)]",
    "lists in lists": "a = [[[i for i in range(1000)] for j in range(1000)] for k in range(1000)]\n"
    + NET + "CONV(len(a))",
    "functions that double": chain("let f@(v) = f#(v) + f#(v)\n", 40)
    + "let f40(v) = v\n" + NET + "CONV(f0(3))",
    "blocks that double": chain("block B@(k) = B#(k * 2) -> B#(k * 2 + 1)\n", 40)
    + "block B40(k) = FC(3)\nnet n = INPUT(3) -> B0(1)",
    "lists that double": "a0 = [1]\n" + chain("a# = a@ + a@\n", 40) + NET + "CONV(len(a40))",
    "lists that share": "a0 = 1\n" + chain("a# = [a@, a@]\n", 40) + NET + "CONV(a40)",
    "zips that share": "a0 = [1]\n" + chain("a# = zip(a@, a@)\n", 40) + NET + "CONV(a40)",
    "sums of one long list": "a = range(1000000)\nb = [sum(a) for i in range(100000)]\n"
    + NET + "CONV(len(b))",
    "a bundle": "net n = INPUT(3) -> { FC(i) for i in range(1, 100000) } -> CONCAT",
    "a long chain of blocks": chain("block B@ = B#\n", 5000)
    + "block B5000 = FC(3)\nnet n = INPUT(3) -> B0",
    "a long chain of functions": chain("let f@(v) = f#(v)\n", 5000)
    + "let f5000(v) = v\n" + NET + "CONV(f0(3))",
    "a symbolic sum to the ninth": "dim A, B, C, D, E, F\n"
    "net n = INPUT(A + B + C + D + E + F) -> [FC((A + B + C + D + E + F)**9)]*2",
    "unknown names": "".join([f"net n{i} = INPUT(3) -> KONV{i}(3)\n" for i in range(3000)]),
    "doubled nets": (NET + "RELU\n") * 3000,
    "junk": "$" * 200_000,
    "brackets": NET + "]" * 200_000,
    "arrows": "->" * 100_000,
    "quotes": '"' * 200_000,
}  # fmt: skip

WRONG = {
    f"{topic}: {name}": text
    for topic, texts in {
        "syntax": SYNTAX, "unknown": NAMES, "argument": ARGUMENTS, "shape": SHAPES,
        "circle": CIRCLES, "import": FILES, "number": NUMBERS, "depth": DEPTHS,
    }.items()
    for name, text in texts.items()
}  # fmt: skip


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_at_its_place(name: str) -> None:
    Path("net.arch").write_text(WRONG[name])
    start = time.process_time()
    done = run("check", "net.arch")
    assert time.process_time() - start < SECONDS
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error[")
    assert "--> net.arch:" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["compile", "render"])
def test_nothing_is_written(command: str) -> None:
    for text in WRONG.values():
        Path("net.arch").write_text(text)
        output = Path("out.py" if command == "compile" else "out.svg")
        done = run(command, "net.arch", "-o", str(output))
        assert done.status in (1, 2), text  # 2 where two nets are wrong and neither is named
        assert done.out == ""
        assert "error[" in done.err
        assert not output.exists()


@pytest.mark.parametrize("name", WORK)
def test_what_explodes_stays_small_and_short(name: str) -> None:
    Path("net.arch").write_text(WORK[name])

    def bounds() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    command = [sys.executable, "-m", "archc", "check", "net.arch"]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=bounds)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr[-500:]
    assert done.stderr.startswith("error[")
    assert "--> net.arch:" in done.stderr
    assert "Traceback" not in done.stderr


def test_bytes_that_are_no_text() -> None:
    Path("net.arch").write_bytes(b"net n = \xff\xfe INPUT(3)")
    done = run("check", "net.arch")
    assert (done.status, done.out) == (1, "")
    assert "error[not-utf8]" in done.err
    assert "--> net.arch:1:9" in done.err


def test_files_that_import_each_other_or_lead_out() -> None:
    Path("net.arch").write_text('from "b.arch" import B\nnet n = B\n')
    Path("b.arch").write_text('from "net.arch" import n\nnet B = n\n')
    done = run("check", "net.arch")
    assert done.status == 1
    assert "these files import each other: net.arch -> b.arch -> net.arch" in done.err
    Path("out.arch").symlink_to("/etc/passwd")
    Path("net.arch").write_text('from "out.arch" import root\nnet n = root\n')
    done = run("check", "net.arch")
    assert done.status == 1
    assert "error[import-outside]" in done.err
    assert "root:" not in done.err


def test_a_claim_that_does_not_hold_shows_both_figures() -> None:
    Path("net.arch").write_text(NET + "CONV(3)\nexpect params = 85\nexpect macs = 4M within 1%\n")
    done = run("check", "net.arch")
    assert (done.status, done.out) == (1, "")
    assert "params is 84, claimed 85" in done.err
    assert "macs is 5184, claimed 4_000_000 within 1%" in done.err


def test_all_mistakes_of_a_file_are_told() -> None:
    nets = ["KONV(3)", "CONV(kernle=3)", "{ CONV(3) + CONV(4) }", "FC(3)", "CONV(3, 3, 0)"]
    text = "".join([f"net n{i} = INPUT(3, 8, 8) -> {body}\n" for i, body in enumerate(nets)])
    Path("net.arch").write_text(text)
    done = run("check", "net.arch")
    assert done.status == 1
    assert [f"net.arch:{line}:" in done.err for line in range(1, 6)] == [True] * 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (NET + " -> ".join(["RELU"] * 14_000), "all is well"),
        ("".join([f"net n{i} = INPUT(3) -> FC(3)\n" for i in range(3000)]), "3000 nets"),
        (NET + "[[[[CONV(3)]*1000]*1000]*1000]*1000", "all is well"),
        (chain("block B@ = B# -> B#\n", 40) + "block B40 = FC(3)\nnet n = INPUT(3) -> B0", "well"),
        ("dim H\nnet n = INPUT(3, H, H) -> [CONV(3, 3, 2)]*60", "all is well"),
        (NET + "[{ ID | CONV(3) }]*1000", "all is well"),
        ("#" * 250_000 + "\nnet n = INPUT(3) -> FC(3)\n", "all is well"),
    ],
    ids=["chain", "nets", "repeats", "doubling blocks", "symbols", "growth", "comment"],
)
def test_what_is_large_and_right_is_quick(text: str, shown: str) -> None:
    Path("net.arch").write_text(text)
    start = time.process_time()
    done = run("check", "net.arch")
    assert time.process_time() - start < SECONDS
    assert done.status == 0
    assert shown in done.out


LINES = [
    [], ["frob"], ["check"], ["check", "net.arch", "--frob"], ["check", "nope.arch"],
    ["check", "net.arch:nope"], ["check", "/dev/zero"], ["check", "a" * 6000], ["check", "\0"],
    ["stats", "net.arch", "--format", "xml"], ["stats", "net.arch", "--batch", "0"],
    ["stats", "net.arch", "--depth", "-1"], ["stats", "net.arch", "--train", "--dtype", "int8"],
    ["stats", "net.arch", "--input", "3x"], ["stats", "net.arch", "--input", "a=3.5"],
    ["stats", "net.arch", "--input", "9" * 5000], ["stats", "net.arch", "--input", "q=3"],
    ["stats", "net.arch", "--params", "nope.yaml"], ["stats", "net.arch", "--params", "."],
    ["render", "net.arch"], ["render", "net.arch", "-o", "x.bmp"],
    ["render", "net.arch", "-o", "nowhere/x.svg"], ["render", "net.arch", "-o", "x.html"],
    ["compile", "net.arch", "-o", "nowhere/x.py"], ["compile", "net.arch", "--class-name", "3x"],
    ["compile", "net.arch", "--class-name", "A; import os"], ["explain", "../x"], ["ops", "NOPE"],
    ["fmt", "nope.arch"], ["list", "--max-params", "x"],
    *[
        ["stats", "net.arch", "-p", given]
        for given in (
            "k", "=3", "k=", "k=abc", "k=[", "k=]", "k=1e999", "k=3 4", "k=range(10**7)", "zz=3",
            "T=0", "T=-5", "T=2.5", "T=yes", "T=T", "N=7", "N=0", "CONV.kernel=0", "CONV.foo=3",
            "k=" + "9" * 10_000, "k=" + "(" * 20_000, "__class__=3", "k=\0", "\ud800=3",
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=lambda line: ascii(" ".join(line))[1:60])
def test_wrong_command_lines_have_status_2(line: list[str]) -> None:
    Path("net.arch").write_text(
        "dim T\nnet n(k=3, N in 1..3) = INPUT(3, T, 8) -> [CONV(k)]*N -> GAP\n"
    )
    done = run(*line)
    assert (done.status, done.out) == (2, "")
    assert done.err.strip()
    assert "Traceback" not in done.err
    assert [path.name for path in Path().iterdir()] == ["net.arch"]
