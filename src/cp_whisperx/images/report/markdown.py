"""The report as Markdown, as a code host shows it: tables, and the plots as pictures beside it."""

from __future__ import annotations

from collections.abc import Iterable

from cp_whisperx.images.report.document import Block, Cell, Heading, Plot, Rows, Text, Tiles

_MARKS = {"ok": "✓ ", "bad": "✗ ", "open": "○ "}


def markdown(blocks: Iterable[Block], pictures: str) -> str:
    """`pictures` is what stands before the name of a plot's file."""
    return "\n\n".join(_block(one, pictures) for one in blocks) + "\n"


def _block(block: Block, pictures: str) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Tiles):
        return "\n".join(f"- {_MARKS.get(kind, '')}**{value}** {text}" for value, text, kind in block.tiles)
    if isinstance(block, Plot):
        return f"**{block.drawing.title}**\n\n![{block.drawing.title}]({pictures}{block.name}.svg)"
    return _table(block)


def _table(rows: Rows) -> str:
    lines = [rows.head, tuple("---" for _ in rows.head)]
    lines += [tuple(_cell(cell) for cell in row) for row in rows.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: Cell) -> str:
    text = cell.text.replace("|", "\\|").replace("\n", " ")
    if not text:
        return ""
    if cell.kind == "code":
        return ", ".join(f"`{part}`" for part in text.split(", "))
    if cell.kind == "command":
        return f"`{text}`"
    text = text.replace("<", "&lt;")
    if cell.kind in ("strong", "first"):
        return f"**{text}**"
    return _MARKS.get(cell.kind, "") + text
