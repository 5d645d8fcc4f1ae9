"""The report as one HTML file without anything from elsewhere: it opens from a disk, prints, and needs no script."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from cp_whisperx.images.report import svg
from cp_whisperx.images.report.document import TITLE, Block, Cell, Heading, Plot, Rows, Text, Tiles

_STYLE = """
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:28px 24px 64px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:26px;margin:0 0 6px}h2{font-size:20px;margin:40px 0 10px;padding-top:14px;border-top:1px solid var(--rule)}
h3{font-size:15px;margin:24px 0 6px}p{max-width:80ch;color:var(--dim)}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:18px 0}
.tile{flex:1 1 170px;border:1px solid var(--rule);border-left:4px solid var(--dim);border-radius:6px;padding:10px 14px}
.tile b{display:block;font-size:24px;line-height:1.2}.tile span{color:var(--dim);font-size:13px}
.tile.ok{border-left-color:var(--ok)}.tile.bad{border-left-color:var(--bad)}.tile.open{border-left-color:var(--open)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13.5px}
th{text-align:left;color:var(--dim);font-weight:500}th,td{padding:5px 10px 5px 0;vertical-align:top}
td{border-top:1px solid var(--rule)}tr.more td{border-top:0;padding-top:1px}
td.ok{color:var(--ok)}td.bad{color:var(--bad);font-weight:600}td.open,td.dim{color:var(--dim)}
td.ok,td.bad,td.open,td.dim,td.figure,td.first,td.command{white-space:nowrap}
td.figure,td.first{font-variant-numeric:tabular-nums}
code{font:12px ui-monospace,monospace;overflow-wrap:anywhere}
figure{margin:22px 0;overflow-x:auto}figcaption{font-weight:600;margin-bottom:8px}
figure svg{display:block;width:100%;height:auto}
@media print{body{max-width:none}}
"""
_STATES = {"light": "--ok:#15803d;--bad:#b91c1c;--open:#b45309;", "dark": "--ok:#6ee7a0;--bad:#ff8a80;--open:#f0b357;"}
_MARKS = {"ok": "✓", "bad": "✗", "open": "○"}


def page(blocks: Iterable[Block]) -> str:
    light, dark = (svg.variables(scheme) + _STATES[scheme] for scheme in ("light", "dark"))
    colours = f":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    body = "\n".join(_block(one) for one in blocks)
    return ('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
            f"<title>{escape(TITLE)}</title>\n<style>{colours}{svg.STYLE}{_STYLE}</style>\n</head>\n<body>\n{body}\n"
            "</body>\n</html>\n")


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Text):
        return f"<p>{_inline(block.text)}</p>"
    if isinstance(block, Tiles):
        return '<div class="tiles">' + "".join(
            f'<div class="tile {kind}"><b>{escape(value)}</b><span>{escape(text)}</span></div>'
            for value, text, kind in block.tiles) + "</div>"
    if isinstance(block, Plot):
        return (f"<figure><figcaption>{escape(block.drawing.title)}</figcaption>{block.drawing.inline()}</figure>")
    return _table(block)


def _table(rows: Rows) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in rows.head)
    body = "\n".join(f"<tr{_more(row)}>{''.join(map(_cell, row))}</tr>" for row in rows.rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _more(row: tuple[Cell, ...]) -> str:
    """A row without a name goes on with the one above it."""
    return "" if row[0].text else ' class="more"'


def _cell(cell: Cell) -> str:
    text = escape(cell.text).replace(" %", "\u00a0%")
    if cell.kind == "code" and text:
        text = ", ".join(f"<code>{part}</code>" for part in text.split(", "))
    elif cell.kind == "command" and text:
        text = f"<code>{text}</code>"
    elif cell.kind in ("strong", "first"):
        text = f"<b>{text}</b>"
    elif cell.kind in _MARKS and text:
        text = f"{_MARKS[cell.kind]} {text}"
    shown = f' class="{cell.kind}"' if cell.kind in (*_MARKS, "dim", "figure", "first", "command") else ""
    return f"<td{shown}>{text}</td>"


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
