"""Pictures as files: formats, fonts, engines, and what happens when something fails."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archc.graph import Program
from archc.output import OutputError
from archc.render import RenderError, engine, render, to_dot, to_svg
from archc.render.metrics import Metrics
from archc.shapes import feature_map
from render_nets import CONV, HOSTILE, Builder, hostile_program, residual_net

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def net() -> Program:
    return residual_net("Small", [(5, 1)], copies=2)


@pytest.fixture
def korean() -> Program:
    built = Builder("잔차망", "net", {"입력": feature_map(3, 5, 7)})
    stream = built.op(CONV(5), built.input(), name="합성곱")
    return built.out(stream, "출력").program()


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "which", lambda name: None)


def fake_dot(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program called `dot` on the PATH."""
    script = folder / "dot"
    script.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph")],
)
def test_formats(suffix: str, start: bytes, net: Program, tmp_path: Path) -> None:
    target = tmp_path / f"net{suffix}"
    render(net, target)
    assert target.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [target]


def test_the_suffix_may_be_upper_case(net: Program, tmp_path: Path) -> None:
    render(net, tmp_path / "NET.PNG")
    assert (tmp_path / "NET.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["net.html", "net.jpeg", "net", "net.svgz"])
def test_other_formats_are_refused(name: str, net: Program, tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"\.svg"):
        render(net, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_svg_stands_alone_and_is_described(net: Program) -> None:
    text = to_svg(net)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and title.text == "Small"
    assert description is not None and "parameters" in (description.text or "")
    assert "DOCTYPE" not in text and "file:" not in text
    assert not root.findall(f".//{SVG}image")
    assert text == to_svg(net)


def test_texts_keep_the_width_of_their_boxes_in_any_font(korean: Program) -> None:
    root = ElementTree.fromstring(to_svg(korean))
    texts = {element.text: element.get("textLength") for element in root.iter(f"{SVG}text")}
    assert None not in texts.values()
    # The widths of the letters in the font files, as fonttools reads them.
    metrics = Metrics()
    assert metrics.width("CONV 64, 7×7", 11, bold=False) == pytest.approx(71.84375)
    assert metrics.width(" a", 11, bold=True) == pytest.approx(9.173828)
    assert metrics.width("합성곱", 11, bold=True) == pytest.approx(31.02)
    assert metrics.width("漢", 11, bold=False) is None


def test_korean_names_are_drawn_in_every_format(korean: Program, tmp_path: Path) -> None:
    for suffix in (".svg", ".png", ".pdf", ".dot"):
        render(korean, tmp_path / f"net{suffix}")
    assert "잔차망" in (tmp_path / "net.svg").read_text("utf-8")
    assert "입력" in (tmp_path / "net.dot").read_text("utf-8")
    # Liberation Sans regular and bold, and a third font: a letter that no font has is in none.
    fonts = re.findall(rb"/BaseFont /([\w+-]+)", (tmp_path / "net.pdf").read_bytes())
    assert len(set(fonts)) == 3


@pytest.mark.usefixtures("no_dot")
def test_names_cannot_break_out(tmp_path: Path) -> None:
    import pygraphviz

    program = hostile_program()
    graph = pygraphviz.AGraph(string=to_dot(program))
    assert all(str(node).startswith(HOSTILE[:3]) for node in graph.nodes())
    root = ElementTree.fromstring(to_svg(program))
    found = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert found <= {"svg", "g", "title", "desc", "polygon", "path", "text", "a", "ellipse"}
    assert not [v for element in root.iter() for k, v in element.items() if k.endswith("href")]
    render(program, tmp_path / "net.png")


def test_without_an_engine_only_dot_is_written(
    net: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "which", lambda name: None)
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(RenderError, match=r"pip install .pygraphviz.*apt install graphviz"):
        render(net, tmp_path / "net.svg")
    render(net, tmp_path / "net.dot")
    assert [path.name for path in tmp_path.iterdir()] == ["net.dot"]


@pytest.mark.skipif(os.name != "posix", reason="a script as a program")
def test_the_dot_of_the_system_is_preferred(
    net: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dot(tmp_path, "sys.stdin.read(); print('%PDF of', *sys.argv[1:])", monkeypatch)
    target = tmp_path / "net.pdf"
    render(net, target)
    assert target.read_text() == "%PDF of -Kdot -Tpdf\n"


@pytest.mark.skipif(os.name != "posix", reason="a script as a program")
def test_a_failure_is_told_and_leaves_what_was_there(
    net: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dot(tmp_path, "sys.exit('the layout is lost')", monkeypatch)
    target = tmp_path / "net.png"
    target.write_text("before")
    with pytest.raises(RenderError, match="the drawing engine failed"):
        render(net, target)
    assert target.read_text() == "before"


@pytest.mark.skipif(os.name != "posix", reason="a script as a program")
def test_the_time_is_limited(net: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "mark"
    body = f"time.sleep(1.5); open({str(mark)!r}, 'w').close()"
    fake_dot(tmp_path, body, monkeypatch)
    monkeypatch.setattr(engine, "_SECONDS", 0.5)
    with pytest.raises(RenderError, match="took more than"):
        render(net, tmp_path / "net.png")
    time.sleep(1.3)
    assert not mark.exists()


def test_a_folder_that_is_missing_is_told(net: Program, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        render(net, tmp_path / "missing" / "net.svg")


def test_the_fonts_and_their_licences_are_in_the_package() -> None:
    folder = Path(engine.__file__).with_name("fonts")
    names = {path.name for path in folder.iterdir()}
    assert {"ArchHangul-Regular.ttf", "LiberationSans-Regular.ttf"} <= names
    for licence in folder.glob("LICENSE-*.txt"):
        assert "SIL OPEN FONT LICENSE" in licence.read_text("utf-8")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000


def test_drawing_imports_neither_torch_nor_networkx() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); import render_nets as nets\n"
        "from archc.render import to_dot; to_dot(nets.residual_net('Net', [(5, 1)], 2))\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'networkx', 'pygraphviz')))"
    )
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
