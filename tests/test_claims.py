"""Which claims are about which net, and what they compare."""

from __future__ import annotations

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
