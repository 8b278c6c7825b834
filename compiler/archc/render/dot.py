"""A scene in Graphviz's language. Everything that comes from a file is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterator

from archc.render import palette
from archc.render.labels import printable
from archc.render.scene import Box, Cell, Cluster, Edge, End, Fork, Item, Join, Scene, boxes

__all__ = ["FONT", "to_text"]

# Known to every system, and metrically the same as the Liberation Sans that the package ships.
FONT = "Arial"
_LEGEND_COLUMNS = 5

_FORK = f'shape=point, width=0.05, color="{palette.EDGE}", class="fork"'

_HEAD = f"""\
  graph [fontname="{FONT}", fontsize=11, rankdir=TB, nodesep=0.28, ranksep=0.26, pad=0.2,
         labelloc=t, compound=true, fontcolor="{palette.INK}"]
  node [fontname="{FONT}", fontsize=11, shape=plain, fontcolor="{palette.INK}",
        color="{palette.LINE}"]
  edge [fontname="{FONT}", fontsize=9, arrowsize=0.55, color="{palette.EDGE}",
        fontcolor="{palette.QUIET}"]"""


def to_text(scene: Scene, title: str, subtitle: str) -> str:
    """The whole picture as DOT.

    Args:
        scene: what to draw.
        title: the name of the net.
        subtitle: its figures.
    """
    lines = [f"digraph {_quoted(title)} {{", _HEAD]
    lines.append(f"  label=<{_title(title, subtitle, _kinds(scene))}>")
    lines += [line for item in scene.items for line in _item(item, 0)]
    forks = {item.id for item in boxes(scene.items) if isinstance(item, Fork)}
    lines += [_edge(edge, edge.target in forks) for edge in scene.edges]
    return "\n".join([*lines, "}", ""])


def _item(item: Item, nesting: int) -> Iterator[str]:
    indent = "  " * (nesting + 1)
    match item:
        case Cluster():
            yield from _cluster(item, nesting)
        case Box():
            yield f"{indent}{_quoted(item.id)} [{_box(item)}]"
        case Join():
            yield f"{indent}{_quoted(item.id)} [{_join(item)}]"
        case End():
            yield f"{indent}{_quoted(item.id)} [{_end(item)}]"
        case Fork():
            yield f"{indent}{_quoted(item.id)} [{_FORK}]"


def _cluster(cluster: Cluster, nesting: int) -> Iterator[str]:
    indent = "  " * (nesting + 1)
    fills = palette.GROUP_FILLS
    style = "rounded,filled,dashed" if cluster.training else "rounded,filled"
    fill = "#ffffff" if cluster.apart else fills[min(nesting, len(fills) - 1)]
    yield f"{indent}subgraph {_quoted('cluster ' + cluster.id)} {{"
    yield f"{indent}  label={_cluster_title(cluster)}; labeljust=l; margin=9"
    yield f'{indent}  style="{style}"; fillcolor="{fill}"; color="{palette.GROUP_LINE}"'
    for item in cluster.items:
        yield from _item(item, nesting + 1)
    yield f"{indent}}}"


def _cluster_title(cluster: Cluster) -> str:
    name, bracket, arguments = cluster.title.partition("(")
    parts = [f"<B>{_html(name)}</B>" if name else "", _html(bracket + arguments)]
    count = f"<B>{_html(cluster.count)}</B>" if cluster.count else ""
    caption = f"<I>{_html(cluster.caption)}</I>" if cluster.caption else ""
    words = ["".join(parts), count, caption]
    text = "  ".join(word for word in words if word)
    return f"<{text}>" if text else '""'


def _box(box: Box) -> str:
    if len(box.cells) == 1 and box.cells[0].family == "block":
        return _closed_block(box, box.cells[0])
    count = f'<TD BORDER="0"><B>{_html(box.count)}</B></TD>' if box.count else ""
    style = ' STYLE="DASHED"' if box.training else ""
    cells = "".join(
        f'<TD BGCOLOR="{palette.kind_of(cell.family).fill}"{style}>{_words(cell)}</TD>'
        for cell in box.cells
    )
    caption = ""
    if box.caption:
        caption = (
            f'<TR><TD BORDER="0" COLSPAN="{len(box.cells)}">'
            f'<FONT POINT-SIZE="9"><I>{_html(box.caption)}</I></FONT></TD></TR>'
        )
    table = (
        '<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="4" '
        f'COLOR="{palette.LINE}"><TR>{cells}{count}</TR>{caption}</TABLE>'
    )
    return f'label=<{table}>, class="{box.cells[0].family}"{_tooltip(box.hint)}'


def _closed_block(box: Box, cell: Cell) -> str:
    arguments = f" ({_html(cell.text)})" if cell.text else ""
    count = f"  <B>{_html(box.count)}</B>" if box.count else ""
    words = f"<B>{_html(cell.name)}</B>{arguments}{count}"
    if box.caption:
        words += f'<BR/><FONT POINT-SIZE="9"><I>{_html(box.caption)}</I></FONT>'
    style = "rounded,filled,dashed" if box.training else "rounded,filled"
    fill = palette.kind_of("block").fill
    return (
        f'label=<{words}>, shape=box, style="{style}", fillcolor="{fill}", '
        f'height=0.36, margin="0.14,0.05", class="block"{_tooltip(box.hint)}'
    )


def _join(join: Join) -> str:
    style = "filled,dashed" if join.training else "filled"
    return (
        f"label=<<B>{_html(join.sign)}</B>>, shape=circle, fixedsize=true, width=0.27, "
        f'style="{style}", fillcolor="{palette.kind_of("join").fill}", class="join", '
        f"tooltip={_quoted(join.name)}"
    )


def _end(end: End) -> str:
    style = "rounded,filled,dashed" if end.training else "rounded,filled"
    words = f"<B>{_html(end.name)}</B> {_html(end.text)}"
    return (
        f'label=<{words}>, shape=box, style="{style}", fillcolor="#ffffff", penwidth=1.5, '
        'height=0.34, margin="0.16,0.05", class="end"'
    )


def _words(cell: Cell) -> str:
    return f"<B>{_html(cell.name)}</B>" + (f" {_html(cell.text)}" if cell.text else "")


def _edge(edge: Edge, parts: bool) -> str:
    facts = ["dir=none"] if parts else []
    if edge.label:
        facts.append(f"label=<&nbsp;{_html(edge.label)}>, weight=8")
    if edge.training:
        facts.append("style=dashed")
    if edge.delay:
        facts.append(f'style=dashed, constraint=false, label="t-{edge.delay}"')
    attributes = f" [{', '.join(facts)}]" if facts else ""
    return f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{attributes}"


def _kinds(scene: Scene) -> tuple[palette.Kind, ...]:
    """The kinds of operators that occur, in the order of the palette."""
    families: set[str] = set()
    for box in boxes(scene.items):
        if isinstance(box, Join):
            families.add("join")
        if isinstance(box, Box):
            families.update(cell.family for cell in box.cells)
    present = {palette.kind_of(family) for family in families}
    return tuple(dict.fromkeys(kind for kind in palette.KINDS.values() if kind in present))


def _title(title: str, subtitle: str, kinds: tuple[palette.Kind, ...]) -> str:
    rows = [f'<TR><TD><FONT POINT-SIZE="18"><B>{_html(title)}</B></FONT></TD></TR>']
    rows.append(f'<TR><TD><FONT COLOR="{palette.QUIET}">{_html(subtitle)}</FONT></TD></TR>')
    columns = -(-len(kinds) // -(-len(kinds) // _LEGEND_COLUMNS)) if kinds else 1
    for start in range(0, len(kinds), columns):
        swatches = "".join(_swatch(kind) for kind in kinds[start : start + columns])
        rows.append(
            '<TR><TD><TABLE BORDER="0" CELLSPACING="2" CELLPADDING="1">'
            f"<TR>{swatches}</TR></TABLE></TD></TR>"
        )
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def _swatch(kind: palette.Kind) -> str:
    return (
        f'<TD BORDER="1" COLOR="{palette.LINE}" BGCOLOR="{kind.fill}" WIDTH="14" HEIGHT="10" '
        f'FIXEDSIZE="TRUE"></TD><TD><FONT POINT-SIZE="9">{_html(kind.word)} </FONT></TD>'
    )


def _tooltip(hint: str) -> str:
    return f", tooltip={_quoted(hint)}" if hint else ""


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _html(text: str) -> str:
    return html.escape(printable(text), quote=True)
