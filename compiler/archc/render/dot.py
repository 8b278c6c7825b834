"""A scene in Graphviz's language. Everything that comes from a file is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterator

from archc.render import palette
from archc.render.bends import Bend, bend_of
from archc.render.labels import printable
from archc.render.scene import Box, Cell, Cluster, Edge, End, Fork, Item, Join, Scene, boxes

__all__ = ["FONT", "to_text"]

# Known to every system, and metrically the same as the Liberation Sans that the package ships.
FONT = "Arial"
_LEGEND_COLUMNS = 5
_LOOP = f'<FONT POINT-SIZE="9" COLOR="{palette.QUIET}">to the next copy</FONT>'
_WIDEST_TITLE = 36  # letters beside which room is left
_LETTER_WIDTH = 5  # points, about

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
    lines += [line for item in scene.items for line in _item(item, 0, scene.looping)]
    forks = {item.id for item in boxes(scene.items) if isinstance(item, Fork)}
    bend = bend_of(scene)
    lines += [_edge(edge, edge.target in forks, _rises(edge, bend)) for edge in scene.edges]
    lines += _bent(bend)
    return "\n".join([*lines, "}", ""])


def _item(item: Item, nesting: int, looping: frozenset[str]) -> Iterator[str]:
    indent = "  " * (nesting + 1)
    match item:
        case Cluster():
            yield from _cluster(item, nesting, looping)
        case Box():
            yield f"{indent}{_quoted(item.id)} [{_box(item)}]"
        case Join():
            yield f"{indent}{_quoted(item.id)} [{_join(item)}]"
        case End():
            yield f"{indent}{_quoted(item.id)} [{_end(item)}]"
        case Fork():
            yield f"{indent}{_quoted(item.id)} [{_FORK}]"
    if item.id in looping:
        yield f'{indent}{_quoted(item.id + " next")} [label=<{_LOOP}>, class="end"]'
        yield f"{indent}{_quoted(item.id)} -> {_quoted(item.id + ' next')}"


def _cluster(cluster: Cluster, nesting: int, looping: frozenset[str]) -> Iterator[str]:
    indent = "  " * (nesting + 1)
    fills = palette.GROUP_FILLS
    style = "rounded,filled,dashed" if cluster.training else "rounded,filled"
    fill = "#ffffff" if cluster.apart else fills[min(nesting, len(fills) - 1)]
    yield f"{indent}subgraph {_quoted('cluster ' + cluster.id)} {{"
    yield f"{indent}  label={_cluster_title(cluster)}; labeljust=l; margin=9"
    yield f'{indent}  style="{style}"; fillcolor="{fill}"; color="{palette.GROUP_LINE}"'
    for item in cluster.items:
        yield from _item(item, nesting + 1, looping)
    yield f"{indent}}}"


def _cluster_title(cluster: Cluster) -> str:
    name, bracket, arguments = cluster.title.partition("(")
    words = [f"<B>{_html(name)}</B>{_html(bracket + arguments)}" if name else ""]
    words.append(f"<B>{_html(cluster.count)}</B>" if cluster.count else "")
    first = "  ".join(word for word in words if word)
    small = [f'<FONT POINT-SIZE="9">{_html(remark)}</FONT>' for remark in cluster.remarks]
    lines = [line for line in (first, *small) if line]
    if not lines:
        return '""'
    length = max(map(len, (f"{cluster.title}  {cluster.count}", *cluster.remarks)))
    # The stream enters in the middle: room to the right of the words keeps it off them.
    room = 0 if cluster.apart else min(length, _WIDEST_TITLE) * _LETTER_WIDTH
    text = '<BR ALIGN="LEFT"/>'.join([*lines, ""])
    cells = f'<TD>{text}</TD><TD WIDTH="{room}"></TD>'
    return f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{cells}</TR></TABLE>>'


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
            f'<FONT POINT-SIZE="9">{_html(box.caption)}</FONT></TD></TR>'
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
        words += f'<BR/><FONT POINT-SIZE="9">{_html(box.caption)}</FONT>'
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


def _bent(bend: Bend | None) -> list[str]:
    if bend is None:
        return []
    level = [f"  {{ rank=same; {_quoted(a)}; {_quoted(b)} }}" for a, b in bend.level]
    return ["  newrank=true", *level]


def _rises(edge: Edge, bend: Bend | None) -> bool:
    """Whether a stream flows from the bottom to the top."""
    if bend is None or (edge.source, edge.target) in bend.level:
        return False
    return edge.target in bend.up


def _edge(edge: Edge, parts: bool, rises: bool) -> str:
    facts = ["dir=none"] if parts else ["dir=back"] if rises else []
    if edge.label:
        facts.append(f"label=<&nbsp;{_html(edge.label)}>, weight=8")
    if edge.training:
        facts.append("style=dashed")
    if edge.delay:
        facts.append(f'style=dashed, constraint=false, label="t-{edge.delay}"')
    attributes = f" [{', '.join(facts)}]" if facts else ""
    # Graphviz lays out from the first to the second: a stream that rises is written backwards.
    first, second = (edge.target, edge.source) if rises else (edge.source, edge.target)
    return f"  {_quoted(first)} -> {_quoted(second)}{attributes}"


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
    legend: list[str] = []
    for start in range(0, len(kinds), columns):
        swatches = [_swatch(kind) for kind in kinds[start : start + columns]]
        missing = ["<TD></TD><TD></TD>"] * (columns - len(swatches))
        legend.append(f"<TR>{''.join(swatches + missing)}</TR>")
    if legend:
        table = '<TABLE BORDER="0" CELLSPACING="2" CELLPADDING="1">'
        rows.append(f"<TR><TD>{table}{''.join(legend)}</TABLE></TD></TR>")
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def _swatch(kind: palette.Kind) -> str:
    word = f'<FONT POINT-SIZE="9">{_html(kind.word)} </FONT>'
    return (
        f'<TD BORDER="1" COLOR="{palette.LINE}" BGCOLOR="{kind.fill}" WIDTH="14" HEIGHT="10" '
        f'FIXEDSIZE="TRUE"></TD><TD ALIGN="LEFT">{word}</TD>'
    )


def _tooltip(hint: str) -> str:
    return f", tooltip={_quoted(hint)}" if hint else ""


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _html(text: str) -> str:
    return html.escape(printable(text), quote=True)
