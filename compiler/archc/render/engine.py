"""The engines that lay a picture out: the system's `dot`, or the one inside pygraphviz's wheels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from archc.render.errors import RenderError
from archc.render.fontconfig import with_fonts

__all__ = ["lay_out"]

_SECONDS = 120
_DOTS_PER_INCH = 192  # sharp on slides: twice the density of a screen
_MISSING = """\
no engine that draws pictures is installed: `pip install "pygraphviz>=2.0.4"` brings one (for Linux
with glibc, macOS and Windows), `apt install graphviz` or `brew install graphviz` another; a .dot
file can be written without""".replace("\n", " ")
_TOO_SLOW = f"the drawing engine took more than {_SECONDS} seconds: open fewer blocks with --depth"


def lay_out(text: str, format: str) -> bytes:
    """Lay a picture out.

    Args:
        text: the picture in DOT.
        format: "svg", "png" or "pdf".

    Raises:
        RenderError: when there is no engine, or it fails.
    """
    engine = _engine()
    if format == "png":
        text = text.replace("{\n", f"{{\n  graph [dpi={_DOTS_PER_INCH}]\n", 1)
    try:
        return _drawn(text, format, engine)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RenderError(f"the drawing engine could not be run: {reason}") from error


def _drawn(text: str, format: str, engine: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="archc-") as name:
        folder = Path(name)
        source, target = folder / "picture.dot", folder / f"picture.{format}"
        source.write_text(text, encoding="utf-8")
        words = _run([engine, format, str(source), str(target)], with_fonts(folder))
        if not target.is_file() or not target.stat().st_size:
            raise RenderError(f"the drawing engine failed{words}")
        return target.read_bytes()


def _engine() -> str:
    if which("dot"):
        return "graphviz"
    if find_spec("pygraphviz") is not None:
        return "pygraphviz"
    raise RenderError(_MISSING)


def _run(arguments: list[str], environment: dict[str, str]) -> str:
    """Draw in a process of its own, since some pictures end the process; give its complaint."""
    script = Path(__file__).with_name("drawing_process.py")
    # -P: the modules beside the script must not stand in for others.
    process = subprocess.Popen(
        [sys.executable, "-P", str(script), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, complaints = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        _stop(process)
        raise RenderError(_TOO_SLOW) from None
    except BaseException:
        _stop(process)
        raise
    return _words(complaints.decode("utf-8", "replace"))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process, and the `dot` that it may have started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _words(complaints: str) -> str:
    lines = [line.strip() for line in complaints.splitlines() if "Fontconfig" not in line]
    last = [line for line in lines if line][-1:]
    return f": {last[0]}" if last else ""
