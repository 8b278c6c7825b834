"""Which claims are about which net, and what they compare."""

from __future__ import annotations

from pathlib import Path

import pytest

import archc
from cli_harness import run
from language import codes, diagnostics, only

TWO = """
net Two {
  in a = INPUT(3), b = INPUT(5, 7)
  out a -> FC(2), b
}
"""


def test_shapes_of_several_outputs() -> None:
    assert codes(TWO + "expect output = ((2), (5, 7))") == []
    assert codes(TWO + "expect output[0] = (2)  expect output[1] = (5, 7)") == []
    found = only(TWO + "expect output = ((3), (5, 7))")
    assert found.message == "output is ((2), (5, 7)), claimed (3, (5, 7))"
    assert only(TWO + "expect output = 2").code == "claim-failed"


def test_a_claim_in_a_body_holds_for_every_net_that_applies_it() -> None:
    text = """
    net Sized(n, m=n) {
      in a = INPUT(3)
      expect output = (n)
      expect params = 4 * m
      out a -> FC(n)
    }
    net five = Sized(5)
    net six = Sized(6, 7)
    """
    found = only(text)
    assert (found.code, found.message) == ("claim-failed", "params is 24, claimed 28")


def test_a_claim_that_is_about_no_net() -> None:
    net = "net A = INPUT(3) -> FC(2)\n"
    claim = "expect params = 8\n"
    assert codes(net + claim + claim) == []
    assert codes(claim + net) == ["stray-claim"]
    assert codes(net + "n = 5\n" + claim) == ["stray-claim"]
    assert codes(net + "block B = FC(2)\nrequire params < 9\n") == ["stray-claim"]


def test_a_figure_that_there_is_not() -> None:
    found = only("net A = INPUT(3) -> FC(2)  expect size = 8")
    assert found.code == "unknown-name"
    assert found.help is not None
    assert found.help.startswith("figures are params, buffers, macs, flops, output, input")


def test_sizes_of_what_enters_braces_in_a_chain() -> None:
    text = "block B = FC(x.c * 2)  net A = INPUT(3) -> B -> { FC(ID.c + 1) :: (7) }"
    assert diagnostics(text) == ()
    assert diagnostics("net A = INPUT(3) -> [FC(ID.c * 2)]*2 :: (12)") == ()


FALSE = "net A(n=5) = INPUT(3) -> FC(n)\nexpect params = 21\nrequire macs <= 99\n"


@pytest.mark.parametrize("command", ["stats", "compile", "render"])
def test_no_command_works_on_a_net_that_breaks_its_claims(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.arch").write_text(FALSE)
    suffix = {"compile": ["-o", "a.py"], "render": ["-o", "a.dot"]}.get(command, [])
    done = run(command, "a.arch", *suffix)
    assert (done.status, done.out) == (1, "")
    assert "params is 20, claimed 21" in done.err
    assert [path.name for path in Path().iterdir()] == ["a.arch"]
    with pytest.raises(archc.ArchError, match="params is 20, claimed 21"):
        archc.load("a.arch")


def test_claims_speak_of_the_net_as_the_file_gives_it_and_bounds_of_every_member() -> None:
    assert archc.load(source=FALSE, n=7).params == 28
    with pytest.raises(archc.ArchError, match="macs is 120, not macs <= 99"):
        archc.load(source=FALSE, n=40)


def test_claims_are_verified_when_what_the_net_leaves_open_is_given() -> None:
    text = "dim T\nnet A(n) = SEQUENCE(T, 3) -> FC(n)\nexpect macs = 3*T*n + n // 7\n"
    assert archc.load(source=text, n=5, T=11).macs == 165
    with pytest.raises(archc.ArchError, match="macs is 231, claimed 232"):
        archc.load(source=text, n=7, T=11)


def test_quotients_of_formulas_are_exact() -> None:
    text = """
    dim C
    net Two = INPUT(C, 5, 7) -> [CONV(C, 3, bias=no)]*2
    net One = INPUT(C, 5, 7) -> CONV(C, 5, bias=no)
    """
    assert codes(text + "expect Two.params / One.params = 18/25") == []
    assert codes(text + "expect Two.params / One.params <= 0.72") == []
    found = only(text + "expect Two.params / One.params = 18/26")
    assert found.message == "Two.params / One.params is 18/25, claimed 0.692308"


FAILS = "the requirement does not hold: "
KINDS = 'kind = "deep"\ndeep = yes\nnet A = INPUT(3) -> FC(2)\n'


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ('expect kind = "deep"', None),
        ('expect kind = "flat"', 'kind is "deep", claimed "flat"'),
        ("expect deep = yes", None),
        ("expect deep = no", "deep is yes, claimed no"),
        ("expect (4, 5) = (4, 5)", None),
        ("expect (4, 5) = 4", "(4, 5) is (4, 5), claimed (4)"),
        ("expect output = 2", None),
        ("expect output = 3", "output is (2), claimed (3)"),
        ("expect deep = (7, 1)", "deep is yes, claimed (7, 1)"),
        ("expect params = (7, 1)", "params is 8, claimed (7, 1)"),
        ("expect [1, 2] = 3", "[1, 2] is [1, 2], claimed 3"),
        ("expect [1, 2] = [1, 2]", None),
        ("require params < 8 and deep", f"{FAILS}params is 8, not params < 8 and deep"),
        ("require params == 9 or no", f"{FAILS}params is 8, not params == 9 and no"),
    ],
)
def test_texts_truth_values_and_shapes_compare(claim: str, message: str | None) -> None:
    found = diagnostics(KINDS + claim + "\n")
    assert [one.message for one in found] == ([] if message is None else [message])
