"""Receptive fields, strides, depths, accepted sizes, bars and estimates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import archc
from archc.devices import DeviceError, device, devices
from archc.geometry import Geometry, entering
from archc.sight import Sight
from cli_harness import run


def seen(net: archc.Net) -> Sight:
    """What the output of a net sees."""
    region = net.program.region
    return Geometry().leaving(region, entering(region.inputs))[0]


def row(name: str, path: str) -> dict[str, Any]:
    layers = archc.load(name).stats(style="geometry").to_dict()["layers"]
    return next(layer for layer in layers if layer["path"] == path)


# Araujo, Norris, Sim 2019, Computing receptive fields of convolutional neural networks, table 1,
# for the networks whose strides and paddings are the same here.
@pytest.mark.parametrize(
    ("name", "field", "stride"),
    [
        ("alexnet", 195, 32),
        ("vgg16", 212, 32),
        ("mobilenet_v1", 315, 32),
        ("inception_v3", 1311, 32),
    ],
)
def test_published_receptive_fields(name: str, field: int, stride: int) -> None:
    layers = archc.load(name).stats(style="geometry").to_dict()["layers"]
    last = [layer for layer in layers if layer.get("effective_stride")][-1]
    before = [layer for layer in layers if layer["receptive_field"]["h"][1] != "all"]
    assert max(layer["receptive_field"]["h"][1] for layer in before) == field
    assert last["effective_stride"]["h"] == stride


step = st.one_of(
    st.builds("CONV(1, {}, {}, pad={}, dilation={}, bias=no)".format, *[st.integers(1, 3)] * 2,
              st.integers(0, 2), st.integers(1, 2)),
    st.builds("AVGPOOL({}, {}, pad=0)".format, st.integers(1, 3), st.integers(1, 2)),
    st.builds("DECONV(1, {}, {}, pad=0, bias=no)".format, st.integers(1, 3), st.integers(1, 2)),
    st.just("UPSAMPLE(2)"),
    st.builds("[CONV(1, 3, dilation={}, bias=no)]*{}".format, st.integers(1, 2), st.integers(1, 5)),
    st.just("{ CONV(1, 3, bias=no) + CONV(1, 5, dilation=2, bias=no) }"),
    st.just("{ CONV(1, (5,), pad=((4, 0),), bias=no) + ID }"),
)  # fmt: skip


@given(st.lists(step, min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_gradients_reach_what_a_position_sees(steps: list[str]) -> None:
    net = archc.load(source=f"net N = INPUT(1, 1511) -> {' -> '.join(steps)}")
    model = net.to_torch().double()
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 1.0)
    signal = torch.ones(1, 1, 1511, dtype=torch.double, requires_grad=True)
    out = model(signal)
    middle = out.shape[-1] // 2
    assume(middle > 4 and seen(net).fields["l"].largest < 700)  # it lies inside the signal
    reached = 0
    for position in range(middle - 4, middle + 5):  # where maps grow, positions see differently
        (gradient,) = torch.autograd.grad(out[0, 0, position], signal, retain_graph=True)
        (touched,) = gradient[0, 0].nonzero(as_tuple=True)
        if len(touched):
            reached = max(reached, int(touched[-1] - touched[0]) + 1)
    found = seen(net).fields["l"]
    grows = any(word in " ".join(steps) for word in ("DECONV", "UPSAMPLE"))
    holes = any("AVGPOOL(1, 2" in s or "CONV" in s for s in steps) and grows
    assert found.known
    assert reached <= found.largest
    assert grows or holes or reached == found.largest
    assert found.smallest <= found.largest


def test_axes_branches_and_copies() -> None:
    text = "net N = INPUT(3, 50, 70) -> CONV(4, (1, 7), (1, 2)) -> { CONV(4, 3) + ID }"
    field = seen(archc.load(source=text)).fields
    assert (field["h"].smallest, field["h"].largest, field["h"].jump) == (1, 3, 1)
    assert (field["w"].smallest, field["w"].largest, field["w"].jump) == (7, 11, 2)
    many = archc.load(source="net N = INPUT(1, 50, 50) -> [[CONV(1)]*1000]*1000")
    assert seen(many).fields["h"].largest == 2_000_001
    assert seen(many).deep == 1_000_000


def test_what_sees_everything() -> None:
    for tail in ("GAP", "FLATTEN -> FC(3)", "IN", "GMP -> FC(2)"):
        net = archc.load(source=f"net N = INPUT(3, 9, 11) -> CONV(4) -> {tail}")
        assert seen(net).fields["w"].largest == float("inf")
    mixed = archc.load(source="net N = INPUT(3, 9, 11) -> CONV(4) -> { ID * [GAP -> FC(4)] }")
    assert (seen(mixed).fields["h"].smallest, seen(mixed).fields["h"].largest) == (3, float("inf"))


def test_intensity_is_operations_for_each_byte() -> None:
    layer = archc.load(source="net N = INPUT(5) -> FC(7, bias=no)").stats(style="geometry")
    (only,) = layer.to_dict()["layers"]
    assert only["bytes_moved"] == 4 * (5 + 7 + 35)
    assert only["intensity"] == 70 / (4 * 47)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("INPUT(1, 40, 40) -> CONV(1, 33, pad=0) -> GAP", "H >= 33"),
        ("INPUT(1, 64, 64) -> { MAXPOOL(8) -> UPSAMPLE(8) | ID }", "H % 8 == 0"),
        ("INPUT(1, 12, 12) -> MAXPOOL(4) -> FLATTEN -> FC(3)", "12 <= H <= 15"),
        ("INPUT(1, 12, 12) -> FLATTEN -> FC(3)", "H == 12"),
    ],
)
def test_the_rule_of_accepted_sizes_is_that_of_the_module(text: str, rule: str) -> None:
    net = archc.load(source=f"net N = {text}")
    height = net.accepts()[0]
    assert height.rule == rule
    size = net.inputs["x"][2]
    model = net.to_torch().eval()
    for tried in range(max(height.low - 2, 1), height.least + 10):
        try:
            model(torch.zeros(1, 1, tried, int(str(size))))
            works = True
        except (RuntimeError, ValueError):
            works = False
        assert works == height.fits(tried), tried


def test_a_command_for_each() -> None:
    shown = run("stats", "lenet5", "--accepts")
    assert shown.status == 0 and "32 <= H <= 35" in shown.out
    bars = run("stats", "vgg16", "--style", "bars").out
    assert "74.3" in bars and "█" in bars
    assert max(map(len, bars.split("\n"))) <= 80
    table = run("stats", "resnet50", "--style", "geometry", "--depth", "1").out
    assert "11..427" in table and max(map(len, table.split("\n"))) <= 80
    found = json.loads(run("stats", "alexnet", "--device", "a100-80", "--format", "json").out)
    assert found["milliseconds"] == pytest.approx(sum(la["milliseconds"] for la in found["layers"]))
    assert (
        "receptive_field" in run("stats", "alexnet", "--style", "geometry", "--format", "csv").out
    )
    assert run("stats", "--device", "list").out.count("GB/s") == len(devices())


def test_an_estimate_is_the_longer_of_two_times() -> None:
    a100 = device("a100-80")
    table = archc.load(source="net N = INPUT(5) -> FC(7, bias=no)").stats(device="a100-80")
    moved, flops = 4 * 47, 70
    expected = max(moved / (a100.bandwidth * 1e9), flops / a100.rate("float32"))
    assert table.to_dict()["milliseconds"] == pytest.approx(expected * 1e3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {bandwidth: 1, rates: {}}\na: {}", ":2: a is given twice"),
        ("a: {bandwidth: fast, rates: {}}", ":1: the bandwidth of a should be a number above 0"),
        ("a: {rates: {float32: 1}}", "a does not say its bandwidth"),
        ("a:\n  bandwidth: 1\n  rates: {fp99: 1}", ":3: fp99 is no dtype"),
        ("a:\n  bandwith: 1", ":2: a has no bandwith"),
        ("- a", ":1: devices should be a mapping"),
        ("a: [", "this is not YAML"),
    ],
)
def test_a_wrong_file_of_devices(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(text)
    with pytest.raises(DeviceError, match=message):
        devices(path)
    wrong = run("stats", "lenet5", "--device", "a", "--devices", str(path))
    assert wrong.status == 2 and message in wrong.err


def test_devices_of_a_user(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text("mine:\n  bandwidth: 10\n  rates: {float32: 2}\n")
    assert run("stats", "lenet5", "--device", "mine", "--devices", str(path)).status == 0
    wrong = run("stats", "lenet5", "--device", "v10")
    assert wrong.status == 2 and "did you mean v100?" in wrong.err
    assert (
        "no rate of t4 is known for float64"
        in run("stats", "lenet5", "--device", "t4", "--dtype", "float64").err
    )
