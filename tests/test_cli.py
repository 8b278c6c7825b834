"""The commands, as users call them."""

from __future__ import annotations

import json
import os
import py_compile
from pathlib import Path

import pytest

from cli_harness import run

RESNET50 = {"params": 25_557_032, "macs": 4_089_184_256}
GOOD = "net small = INPUT(2, 7, 11) -> CONV(5) -> RELU -> GAP -> FC(3)\n"
PARAMS = 5 * 2 * 9 + 5 + 3 * 5 + 3
FAMILY = "net Fam(n=2, c=5) = INPUT(2, 7, 11) -> [CONV(c)]*n -> GAP\nnet one = Fam(n=1)\n"
WRONG = "net wrong = INPUT(2, 7, 11) -> { CONV(5) + ID }\n"
BARE = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str | bytes) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def figures(*arguments: str, stdin: str = "") -> dict[str, object]:
    done = run("stats", *arguments, "--format", "json", stdin=stdin)
    assert (done.status, done.err) == (0, "")
    data = json.loads(done.out)
    assert isinstance(data, dict)
    return data


# --- naming a net ---------------------------------------------------------------------------------


def test_a_net_of_the_library() -> None:
    data = figures("resnet50")
    assert {key: data[key] for key in RESNET50} == RESNET50


def test_a_file_and_a_name_in_it() -> None:
    write("fam.arch", FAMILY)
    assert figures("fam.arch:one")["params"] == 5 * 2 * 9 + 5
    assert figures("fam.arch:Fam")["params"] == 5 * 2 * 9 + 5 + 5 * 5 * 9 + 5


def test_the_file_alone_names_the_net_that_is_called_like_it() -> None:
    write("one.arch", FAMILY)
    assert figures("one.arch")["name"] == "one"


def test_a_file_with_several_nets_lists_what_there_is() -> None:
    write("fam.arch", FAMILY)
    done = run("stats", "fam.arch")
    assert (done.status, done.out) == (2, "")
    assert "Fam" in done.err
    assert "one" in done.err


def test_standard_input() -> None:
    assert figures("-", stdin=GOOD)["params"] == PARAMS


def test_a_file_comes_before_the_library() -> None:
    Path("lenet5").mkdir()
    assert figures("lenet5")["params"] == 61_706
    Path("lenet5").rmdir()
    write("lenet5", GOOD)
    assert figures("lenet5")["params"] == PARAMS


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ("resnet5O", "resnet50"),
        ("missing.arch", "missing.arch"),
        ("folder", "folder"),
        ("fam.arch:nope", "nope"),
    ],
)
@pytest.mark.parametrize("command", [["stats"], ["compile"], ["check"], ["render", "-o", "x.svg"]])
def test_a_net_that_is_not_there(command: list[str], net: str, message: str) -> None:
    write("fam.arch", FAMILY)
    Path("folder").mkdir()
    done = run(*command, net)
    assert done.status in (1, 2)
    assert done.out == ""
    assert message in done.err
    assert not Path("x.svg").exists()


def test_unreadable_files_are_messages(folder: Path) -> None:
    write("secret.arch", GOOD)
    Path("secret.arch").chmod(0)
    if os.access("secret.arch", os.R_OK):
        pytest.skip("the superuser reads everything")
    done = run("stats", "secret.arch")
    assert (done.status, done.out) == (2, "")
    assert "secret.arch" in done.err


def test_a_link_that_leads_to_itself_is_a_message() -> None:
    Path("loop.arch").symlink_to("loop.arch")
    for command in ("check", "stats", "fmt"):
        done = run(command, "loop.arch")
        assert (done.status, done.out) == (2, "")
        assert "loop.arch" in done.err


def test_a_file_that_is_not_utf8_is_located() -> None:
    write("latin.arch", "# caf\xe9\n".encode("latin-1") + GOOD.encode())
    for command in (["check"], ["stats"], ["compile", "-o", "x.py"], ["fmt"]):
        done = run(*command, "latin.arch")
        assert (done.status, done.out) == (1, "")
        assert "latin.arch:1:6" in done.err
    assert not Path("x.py").exists()


# --- hyperparameters and inputs -------------------------------------------------------------------


def test_p_binds_hyperparameters_dimensions_and_defaults() -> None:
    write("fam.arch", FAMILY)
    data = figures("fam.arch:Fam", "-p", "n=1", "-p", "c=3 + 4")
    assert data["params"] == 7 * 2 * 9 + 7
    assert data["hyperparameters"] == {"n": 1, "c": 7}
    assert figures("fam.arch:one", "-p", "CONV.kernel=1")["params"] == 5 * 2 + 5


def test_a_sketch_asks_for_what_is_open_and_takes_it() -> None:
    write("sketch.arch", BARE)
    done = run("stats", "sketch.arch")
    assert (done.status, done.out) == (1, "")
    for name in ("N", "M", "K", "CONV.filters", "FC.units", "--input"):
        assert name in done.err
    arguments = ["--input", "3x32x32", "-p", "N=2", "-p", "M=3", "-p", "K=1"]
    data = run(
        "stats", "sketch.arch", *arguments, "-p", "CONV.filters=64", "-p", "FC.units=10",
        "--format", "json",
    )  # fmt: skip
    assert data.status == 0
    assert json.loads(data.out)["inputs"] == {"x": [3, 32, 32]}
    assert "FLATTEN" in data.err


def test_an_unknown_key_is_an_error() -> None:
    done = run("stats", "lenet5", "-p", "clases=10")
    assert done.status in (1, 2)
    assert "clases" in done.err
    assert "classes" in done.err


def test_params_are_the_same_keys_in_a_file() -> None:
    write("fam.arch", FAMILY)
    write("p.yaml", "n: 1\nc: 7\n")
    assert figures("fam.arch:Fam", "--params", "p.yaml")["hyperparameters"] == {"n": 1, "c": 7}
    mixed = figures("fam.arch:Fam", "--params", "p.yaml", "-p", "c=3")
    assert mixed["hyperparameters"] == {"n": 1, "c": 3}
    write("empty.yaml", "# nothing\n")
    assert figures("fam.arch:Fam", "--params", "empty.yaml")["hyperparameters"] == {"n": 2, "c": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n: 1\nn: 2\n", "p.yaml:2: n is given twice"),
        ("- 1\n", "p.yaml should be a mapping"),
        ("n: {a: 1}\n", "p.yaml:1: n should be a number"),
        ("n:\n", "p.yaml:1: n has no value"),
        ("n: [1\n", "p.yaml is not YAML: line 2"),
        ("n: &a [1]\nm: *a\n", "alias"),
        ("[a]: 1\n", "a key should be a name"),
        ("n: !!python/object/apply:os.getcwd []\n", "p.yaml:1: n"),
        (b"n: \xe9\n", "p.yaml is not UTF-8"),
    ],
)
def test_a_wrong_file_of_params_is_a_message(text: str | bytes, message: str) -> None:
    write("p.yaml", text)
    done = run("stats", "lenet5", "--params", "p.yaml")
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_yaml_words_mean_what_they_mean_on_the_command_line() -> None:
    from archc.parameters import read_parameters

    write("p.yaml", 'a: 16k\nb: yes\nc: "max"\nd: [1, [2, no]]\ne: 1e-3\nCONV.pad: same\n')
    found = {name: value.text for name, value in read_parameters(Path("p.yaml"))}
    assert found == {
        "a": "16k", "b": "yes", "c": '"max"', "d": "[1, [2, no]]", "e": "1e-3", "CONV.pad": "same",
    }  # fmt: skip


# --- check ----------------------------------------------------------------------------------------


def test_check_says_how_much_was_checked() -> None:
    write("a/good.arch", GOOD)
    write("a/b/fam.arch", FAMILY)
    write("a/.hidden/wrong.arch", WRONG)
    done = run("check", "a")
    assert (done.status, done.err) == (0, "")
    assert done.out == "3 nets in 2 files: all is well\n"


def test_check_reports_the_errors_of_all_files() -> None:
    write("a/wrong.arch", WRONG)
    write("a/broken.arch", "net = INPUT(3\n")
    write("a/good.arch", GOOD)
    done = run("check", "a")
    assert (done.status, done.out) == (1, "")
    assert "a/wrong.arch:1:" in done.err
    assert "a/broken.arch:1:" in done.err
    assert done.err.rstrip().splitlines()[-1].endswith("errors")


def test_check_json() -> None:
    write("wrong.arch", WRONG)
    done = run("check", "--json", "wrong.arch")
    assert (done.status, done.err) == (1, "")
    (found,) = json.loads(done.out)
    assert found["code"] == "shape-mismatch"
    assert found["severity"] == "error"
    assert found["file"] == "wrong.arch"
    write("good.arch", GOOD)
    assert run("check", "--json", "good.arch").out == "[]\n"


def test_check_a_folder_without_files() -> None:
    Path("empty").mkdir()
    for command in ("check", "fmt"):
        done = run(command, "empty")
        assert (done.status, done.out) == (2, "")
        assert "no .arch file in empty" in done.err


def test_check_verifies_claims() -> None:
    write("claim.arch", GOOD + "expect params = 4\n")
    done = run("check", "claim.arch")
    assert (done.status, done.out) == (1, "")
    assert str(PARAMS) in done.err


def test_quiet_leaves_the_errors() -> None:
    write("sketch.arch", BARE)
    write("wrong.arch", WRONG)
    write("good.arch", GOOD)
    assert run("-q", "fmt", "good.arch").err == ""
    assert "error[" in run("check", "-q", "wrong.arch").err


# --- stats ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex", "html", "json"])
def test_every_format_has_the_figures(form: str) -> None:
    done = run("stats", "lenet5", "--format", form)
    assert (done.status, done.err) == (0, "")
    assert "48120" in done.out.replace(",", "").replace("\u202f", "").replace("\\", "")


def test_the_table_fits_80_columns_and_ends_with_totals() -> None:
    done = run("stats", "resnet50")
    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "25,557,032" in done.out
    assert "\x1b[" not in done.out


def test_the_table_of_the_lecture() -> None:
    out = run("stats", "alexnet", "--style", "lecture").out
    for figure in ("784", "182", "547", "127", "254", "169", "37,753", "16,781", "4,097", "224"):
        assert figure in out


def test_count_batch_dtype_and_depth() -> None:
    one, two = figures("lenet5"), figures("lenet5", "--batch", "2", "--dtype", "float64")
    assert two["activation_bytes"] == 4 * int(str(one["activation_bytes"]))
    assert "48120" in run("stats", "lenet5", "--count", "flops").out.replace(",", "")
    shallow, deep = [run("stats", "resnet18", "--depth", d).out for d in ("1", "9")]
    assert len(shallow.splitlines()) < len(deep.splitlines())


def test_symbolic_figures_are_formulas() -> None:
    write("rule.arch", "dim C, H, W\nnet Rule = INPUT(C, H, W) -> CONV(C, 3, bias=no)\n")
    data = figures("rule.arch")
    assert (data["params"], data["macs"]) == ("9*C**2", "9*C**2*H*W")
    assert "9*C**2" in run("stats", "rule.arch").out
    assert figures("rule.arch", "-p", "C=5")["params"] == 225


# --- render and compile ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph")]
)
def test_render_writes_every_format(suffix: str, start: bytes) -> None:
    done = run("render", "lenet5", "-o", f"net.{suffix}")
    assert (done.status, done.out, done.err) == (0, "", f"wrote net.{suffix}\n")
    assert Path(f"net.{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net.html", "later"),
        ("net.gif", ".svg"),
        ("net", "suffix"),
        ("missing/net.svg", "missing/net.svg"),
    ],
)
def test_what_cannot_be_rendered_is_said(name: str, message: str) -> None:
    done = run("render", "lenet5", "-o", name)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert not Path(name).exists()


def test_compile_to_a_file_and_to_standard_output() -> None:
    done = run("compile", "lenet5", "-o", "lenet5.py")
    assert (done.status, done.out, done.err) == (0, "", "wrote lenet5.py\n")
    text = Path("lenet5.py").read_text()
    assert run("compile", "lenet5").out == text
    assert "import archc" not in text
    py_compile.compile("lenet5.py", doraise=True)
    assert "class Mine(nn.Module)" in run("compile", "lenet5", "--class-name", "Mine").out


def test_nothing_is_written_for_a_wrong_program() -> None:
    write("wrong.arch", WRONG)
    for command in (["compile"], ["render"]):
        done = run(*command, "wrong.arch", "-o", "out.svg")
        assert (done.status, done.out) == (1, "")
    assert not Path("out.svg").exists()


def test_an_output_that_cannot_be_written_is_a_message() -> None:
    done = run("compile", "lenet5", "-o", "missing/lenet5.py")
    assert (done.status, done.out) == (2, "")
    assert "cannot write missing/lenet5.py: no such file or directory" in done.err


# --- fmt ------------------------------------------------------------------------------------------

UGLY = "net  small=INPUT( 2,7,11 )->CONV( 5 )→RELU   # a comment\n"


def test_fmt_changes_a_file_once() -> None:
    write("net.arch", UGLY)
    first = run("fmt", "net.arch")
    assert (first.status, first.err) == (0, "1 file: 1 changed\n")
    text = Path("net.arch").read_text()
    assert "INPUT(2, 7, 11) -> CONV(5) -> RELU" in text
    assert "# a comment" in text
    assert run("fmt", "net.arch").err == "1 file: 0 changed\n"
    assert Path("net.arch").read_text() == text


def test_fmt_check_and_diff_only_report() -> None:
    write("net.arch", UGLY)
    assert run("fmt", "--check", "net.arch").status == 1
    diff = run("fmt", "--diff", "net.arch")
    assert diff.status == 1
    assert "-net  small" in diff.out
    assert "+net small" in diff.out
    assert Path("net.arch").read_text() == UGLY
    run("fmt", "net.arch")
    assert run("fmt", "--check", "net.arch").status == 0
    assert run("fmt", "--diff", "net.arch").out == ""


def test_fmt_of_a_folder_and_of_standard_input() -> None:
    write("a/one.arch", UGLY)
    write("a/b/two.arch", UGLY)
    assert run("fmt", "a").err == "2 files: 2 changed\n"
    assert run("fmt", "-", stdin=UGLY).out == Path("a/one.arch").read_text()


def test_fmt_leaves_what_it_cannot_read() -> None:
    write("bad.arch", "net = -> (\n")
    write("net.arch", UGLY)
    done = run("fmt", "bad.arch", "net.arch")
    assert done.status == 1
    assert Path("bad.arch").read_text() == "net = -> (\n"
    assert Path("net.arch").read_text() != UGLY
    assert run("fmt", "missing.arch").status == 2


def test_fmt_makes_line_ends_canonical() -> None:
    write("net.arch", UGLY)
    run("fmt", "net.arch")
    text = Path("net.arch").read_bytes()
    write("net.arch", b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert run("fmt", "net.arch").err == "1 file: 1 changed\n"
    assert Path("net.arch").read_bytes() == text


# --- list, ops, explain ---------------------------------------------------------------------------


def test_list_shows_the_library() -> None:
    done = run("list")
    assert (done.status, done.err) == (0, "")
    assert "25,557,032" in done.out
    nets = {net["name"]: net for net in json.loads(run("list", "--json").out)}
    assert {key: nets["resnet50"][key] for key in RESNET50} == RESNET50
    assert "lenet5" in nets


def test_list_filters() -> None:
    nets = json.loads(run("list", "--family", "resnet", "--max-params", "25M", "--json").out)
    assert {"resnet18", "resnet34"} <= {net["name"] for net in nets}
    assert "resnet50" not in {net["name"] for net in nets}
    assert {net["family"] for net in nets} == {"resnet"}
    wrong = run("list", "--family", "resnt")
    assert (wrong.status, wrong.out) == (2, "")
    assert "did you mean resnet?" in wrong.err
    assert run("list", "--max-params", "few").status == 2


def test_ops_lists_operators_and_shows_one() -> None:
    assert "CONV" in run("ops").out
    page = run("ops", "CONV")
    assert (page.status, page.err) == (0, "")
    assert page.out.startswith("CONV(filters, kernel=3")


@pytest.mark.parametrize(("name", "meant"), [("Conv2d", "CONV"), ("Dense", "FC"), ("conv", "CONV")])
def test_ops_knows_what_is_meant(name: str, meant: str) -> None:
    done = run("ops", name)
    assert (done.status, done.out) == (2, "")
    assert f"did you mean {meant}?" in done.err


def test_explain() -> None:
    done = run("explain", "shape-mismatch")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("shape-mismatch")
    assert "shape-mismatch" in run("explain").out.splitlines()
    wrong = run("explain", "shape-missmatch")
    assert (wrong.status, wrong.out) == (2, "")
    assert "did you mean shape-mismatch?" in wrong.err
    assert run("explain", "../codes").status == 2
