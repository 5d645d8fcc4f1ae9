"""The files of the report, and of the texts whose figures it fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx import publish
from cp_whisperx.images.report import document, listing, marks, measured, table
from cp_whisperx.images.report.document import Plot
from cp_whisperx.images.report.markdown import markdown
from cp_whisperx.images.report.page import page
from cp_whisperx.images.report.status import Status, gather

MARKDOWN, PAGE = "docs/status.md", "docs/status.html"
PICTURES = "pictures/status-"
"""Below docs/."""


@dataclass(frozen=True)
class Report:
    """The state, and every file as it should be, by its path in the clone."""

    status: Status
    files: Mapping[str, str]

    def changed(self, clone: Path) -> tuple[str, ...]:
        """Paths of the files that are not so, and of plots that no longer belong to it."""
        return (*(name for name, text in self.files.items() if _now(clone / name) != text), *self.left_over(clone))

    def left_over(self, clone: Path) -> tuple[str, ...]:
        plots = (path.relative_to(clone).as_posix() for path in sorted((clone / "docs").glob(f"{PICTURES}*.svg")))
        return tuple(name for name in plots if name not in self.files)


def report(clone: Path) -> Report:
    """Raises ConfigError, ArtifactInvalid for a table, result or mark that cannot be read."""
    known = table.read(clone)
    results = measured.open_results(clone)
    status = gather(clone, known, results)
    blocks = document.document(status)
    readings = document.readings(status)
    tables = {name: markdown((listing.rows(one, results),), "").rstrip() for name, one in known.tables.items()}
    files = {MARKDOWN: markdown(blocks, PICTURES), PAGE: page(blocks),
             **{f"docs/{PICTURES}{one.name}.svg": one.drawing.alone() for one in blocks if isinstance(one, Plot)},
             **{name: marks.fill(text, readings, name, tables) for name, text in texts(clone).items()}}
    return Report(status, files)


def texts(clone: Path) -> dict[str, str]:
    """What people write, and show to others: the README and the documents."""
    paths = (clone / "README.md", *sorted((clone / "docs").glob("*.md")))
    return {path.relative_to(clone).as_posix(): path.read_text(encoding="utf-8") for path in paths
            if path != clone / MARKDOWN and path.is_file()}


def write(report: Report, clone: Path) -> tuple[str, ...]:
    """Writes what has changed; returns the paths."""
    changed = report.changed(clone)
    for name in changed:
        if name in report.files:
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            publish.publish_file(clone / name, report.files[name].encode())
        else:
            (clone / name).unlink()
    return changed


def _now(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
