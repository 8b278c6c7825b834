"""`archc compare` and `archc.compare`: nets side by side."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import archc
from cli_harness import run
from conftest import Golden

GOLDEN = Path(__file__).parent / "golden" / "compare"
PAIR = """\
net 작은망 = INPUT(3, 10, 14) -> CONV(5) -> RELU -> POOL -> GAP -> FC(7)
published top1 = 51%, year = 1999

net Large(c) = INPUT(3, 10, 14) -> CONV(c) -> RELU -> POOL -> CONV(2*c) -> GAP -> FC(7)
published year = 2001

net large = Large(11)
published top1 = 62.5%

net cifar = Large(13)
published top1 = 90%, data = "CIFAR-10"

dim T
net open = SEQUENCE(T, 5) -> FC(7)
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with nets to compare, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pair.arch"
    path.write_text(PAIR, encoding="utf-8")
    return path


def compared(*arguments: str) -> dict[str, Any]:
    """What the command prints as JSON."""
    done = run("compare", *arguments, "--format", "json")
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


# --- the table, the bars, the data ----------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("alexnet_vgg16", ("alexnet", "vgg16")),
        ("four", ("alexnet", "vgg16", "googlenet", "resnet50", "--chart", "totals")),
        ("smallest", ("lenet5", "xor", "cnn", "--relative", "smallest", "--chart", "none")),
        ("flops", ("lenet5", "--count", "flops", "--batch", "7", "--dtype", "float16")),
    ],
)
def test_what_people_read(name: str, arguments: tuple[str, ...], golden: Golden) -> None:
    done = run("compare", *arguments)
    assert (done.status, done.err) == (0, "")
    assert max(len(line) for line in done.out.splitlines()) <= 80
    golden(done.out, GOLDEN / f"{name}.txt")


def test_the_lectures_three_charts() -> None:
    found = compared("alexnet", "vgg16")
    names = [place["stage"] for place in found["stages"]]
    assert names == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
    macs = [[net["macs"] for net in place["nets"]] for place in found["stages"]]
    assert [pair[0] for pair in macs[:2]] == [72_855_552, 223_948_800]  # the rows of the lecture
    assert macs[2][1] == macs[3][1] == 4_624_220_160


@pytest.mark.parametrize(
    "name", ["resnet50", "googlenet", "densenet121", "mobilenet_v1", "nasnet_mobile", "unet", "xor",
             "mixer_s16", "siamese", "ssd300", "googlenet_aux"],
)  # fmt: skip
def test_stages_add_up_to_the_net(name: str) -> None:
    found = compared(name)
    for figure in ("params", "macs", "activation_bytes"):
        stages = [place["nets"][0][figure] for place in found["stages"]]
        assert sum(stages) == found["nets"][0][figure], figure
    assert 1 <= len(found["stages"]) <= 16


def test_nets_of_different_depth_end_together() -> None:
    found = compared("alexnet", "resnet50")
    last = found["stages"][-1]["nets"]
    assert [net["to"] for net in last] == ["fc8", "fc"]
    assert found["stages"][-2]["nets"][1] is None


def test_options_are_those_of_stats() -> None:
    one, many = compared("lenet5"), compared("lenet5", "--batch", "7", "--dtype", "float16")
    assert many["nets"][0]["macs"] == 7 * one["nets"][0]["macs"]
    assert 2 * many["nets"][0]["activation_bytes"] == 7 * one["nets"][0]["activation_bytes"]
    assert many["nets"][0]["params"] == one["nets"][0]["params"]
    flops = compared("lenet5", "--count", "flops")["nets"][0]
    assert flops["flops"] == archc.load("lenet5").flops


def test_ratios() -> None:
    found = compared("vgg16", "alexnet")
    assert found["nets"][0]["ratios"] == {"activation_bytes": 1.0, "params": 1.0, "macs": 1.0}
    assert found["nets"][1]["ratios"]["params"] == 0.4416
    smallest = compared("vgg16", "alexnet", "--relative", "smallest")
    assert smallest["nets"][0]["ratios"]["params"] == 2.2644


def test_csv_and_markdown(pair: Path) -> None:
    text = run("compare", "pair.arch:large", "pair.arch:작은망", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == ["large", "작은망"]
    assert (rows[0]["input"], rows[0]["year"], rows[0]["top1"]) == ("3x10x14", "2001", "62.5")
    assert "| 작은망 |" in run("compare", "pair.arch:작은망", "--format", "markdown").out
    assert "<td" in run("compare", "pair.arch:작은망", "--format", "html").out


def test_an_open_size_is_a_formula(pair: Path) -> None:
    done = run("compare", "pair.arch:open", "pair.arch:작은망", "--chart", "none")
    assert done.status == 0
    assert "35*T" in done.out
    refused = run("compare", "pair.arch:open", "-o", "open.svg")
    assert refused.status == 2
    assert "bind it with -p" in refused.err
    assert run("compare", "pair.arch:open", "-p", "T=11", "-o", "open.svg").status == 0


# --- files ----------------------------------------


@pytest.mark.parametrize(
    ("suffix", "start"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("html", b"<!DOCTYPE html>")],
)
def test_charts_are_the_same_each_time(pair: Path, suffix: str, start: bytes) -> None:
    for number in (1, 2):
        path = f"{number}.{suffix}"
        done = run("compare", "pair.arch:작은망", "pair.arch:large", "-o", path)
        assert (done.status, done.err) == (0, f"wrote {path}\n")
    data = Path(f"1.{suffix}").read_bytes()
    assert data == Path(f"2.{suffix}").read_bytes()
    assert data.startswith(start)


def test_a_page_needs_nothing_else(pair: Path) -> None:
    run("compare", "pair.arch:작은망", "pair.arch:large", "-o", "page.html")
    text = Path("page.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 1
    assert "<td" in text
    assert not re.search(r'(?:src|href)="(?!#)', re.sub(r"xlink:href", "href", text))


def test_three_panels_of_bars(pair: Path) -> None:
    made = archc.compare("alexnet", "vgg16").figure()
    panels = made.axes
    assert [panel.get_title() for panel in panels] == [
        "memory (KB)", "parameters (M)", "multiply-adds (M)",
    ]  # fmt: skip
    assert [len(panel.patches) for panel in panels] == [16, 16, 16]
    heights = [bar.get_height() for bar in panels[2].patches]
    assert heights[0] == pytest.approx(72.855552)


def test_bubbles(pair: Path) -> None:
    names = [f"pair.arch:{name}" for name in ("작은망", "large", "cifar", "Large")]
    done = run("compare", *names[:3], "alexnet_96", "--chart", "bubble", "-o", "bubble.svg")
    assert done.status == 0
    assert re.findall(r"note: (\w+) is left out", done.err) == ["cifar", "alexnet_96"]
    made = archc.compare("resnet50", "vgg16", "mobilenet_v1").figure("bubble")
    assert sorted(text.get_text() for text in made.axes[0].texts) == [
        "mobilenet_v1", "resnet50", "vgg16",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lenet5", "-o", "x.bmp"), "the format of a chart is .svg, .png, .pdf, .html, not '.bmp'"),
        (("lenet5", "-o", "chart"), "this path has no suffix"),
        (("lenet5", "-o", "no/such/folder/x.svg"), "cannot write no/such/folder/x.svg"),
        (("lenet5", "--chart", "bubble"), "--chart bubble is drawn to a file"),
        (("lenet5", "--chart", "none", "-o", "x.svg"), "--chart none is no chart"),
        (("xor", "--chart", "bubble", "-o", "x.svg"), "states a published accuracy"),
        (("xor", "xor", "xor", "xor", "xor", "--chart", "stages", "-o", "x.svg"), "at most 4"),
        ((), "Missing argument"),
        ((" ",), "NET is empty"),
    ],
)
def test_what_cannot_be_had(pair: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run("compare", *arguments)
    assert done.status == 2
    assert message in done.err
    assert list(Path().iterdir()) == [Path("pair.arch")]


def test_a_wrong_net_is_said_with_its_place(pair: Path) -> None:
    Path("wrong.arch").write_text("net a = INPUT(3) -> FC(0)\n")
    done = run("compare", "lenet5", "wrong.arch")
    assert done.status == 1
    assert "wrong.arch:1:" in done.err
    assert run("compare", "lenet5", "lenet55").status == 2


def test_without_matplotlib(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run("compare", "lenet5", "-o", "x.png")
    assert done.status == 2
    assert "pip install 'arch-lang[plots]'" in done.err
    assert run("compare", "lenet5").status == 0


def test_the_table_needs_neither_torch_nor_matplotlib() -> None:
    script = (
        "import sys, archc\n"
        "archc.compare('lenet5', 'xor').render(chart='stages')\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"torch", "matplotlib", "numpy", "networkx"} & set(done.stdout.split())


# --- Python ----------------------------------------


def test_from_python(pair: Path) -> None:
    found = archc.compare(archc.load("lenet5"), "pair.arch:large")
    assert str(found) == found.render()
    assert found._repr_html_() == found.to_html()
    assert found.to_dict() == json.loads(found.to_json())
    found.save("x.svg", "totals")
    assert Path("x.svg").read_bytes().startswith(b"<?xml")
    for wrong in ({"dtype": "float7"}, {"count": "x"}, {"relative": "x"}, {"batch": 0}):
        with pytest.raises(ValueError):
            archc.compare("lenet5", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        archc.compare()


# --- what is published ----------------------------------------


def test_only_the_year_is_that_of_the_net_behind(pair: Path) -> None:
    facts = {name: dict(archc.load(f"pair.arch:{name}").program.published)
             for name in ("작은망", "large", "cifar")}  # fmt: skip
    assert facts["작은망"] == {"top1": 51, "year": 1999}
    assert facts["large"] == {"year": 2001, "top1": 62.5}
    pair.write_text(PAIR + "net other = large\nnet body {\n  in v = INPUT(3)\n"
                    "  published year = 2003\n  out v -> FC(5)\n}\n", encoding="utf-8")  # fmt: skip
    assert dict(archc.load("pair.arch:other").program.published) == {"year": 2001}
    assert dict(archc.load("pair.arch:body").program.published) == {"year": 2003}


def test_a_changed_net_is_another_one() -> None:
    assert dict(archc.load("resnet50").program.published)["top1"] == 76.13
    assert dict(archc.load("resnet50", classes=10).program.published) == {"year": 2015}
    assert dict(archc.load("resnet50", input=(3, 64, 64)).program.published) == {"year": 2015}


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("year = 15", "year is the year of the paper"),
        ("year = 2015.0", "year is the year of the paper"),
        ("year = 2015%", "year is the year of the paper"),
        ('year = "2015"', "year is the year of the paper"),
        ("top1 = 0.76", "top1 is the share of images"),
        ("top5 = 101%", "top5 is the share of images"),
        ("top1 = 1%, top1 = 2%", "top1 is said twice"),
        ("source = 5", "source is who printed the shares"),
        ('data = " "', "data is what the shares were measured on"),
        ("topp1 = 5%", "did you mean top1?"),
        ('init = "kaiming"', "how weights start, such as"),
    ],
)
def test_wrong_facts(facts: str, message: str) -> None:
    done = run("check", "-", stdin=f"net a = INPUT(3) -> FC(5)\npublished {facts}\n")
    assert done.status == 1
    assert "error[published-fact]" in done.err
    assert message in done.err


def test_facts_below_no_net() -> None:
    done = run("check", "-", stdin="a = 5\npublished year = 2015\nnet b = INPUT(3) -> FC(a)\n")
    assert "error[stray-claim]: this stands below no net" in done.err


def test_networks_of_papers_say_their_year() -> None:
    nets = json.loads(run("list", "--json").out)
    years = {net["name"]: net["year"] for net in nets}
    for name, year in {"lenet5": 1998, "vgg16": 2014, "resnet50": 2015, "se_resnet50": 2017,
                       "wide_resnet50": 2016, "efficientnet_b7": 2019}.items():  # fmt: skip
        assert years[name] == year, name
    stated = [year for year in years.values() if year is not None]
    assert len(stated) >= 120
    assert all(1950 < year < 2030 for year in stated)
