"""Tables in texts that people write: each cell is read from a result."""

from __future__ import annotations

from collections.abc import Iterator

from cp_whisperx.images.report.document import Cell, Rows
from cp_whisperx.images.report.marks import NOT_MEASURED
from cp_whisperx.images.report.measured import Result, Results, number
from cp_whisperx.images.report.table import Column, Entry, Listing


def rows(listing: Listing, results: Results) -> Rows:
    """The table; a cell says so where the newest result does not have its numbers.

    Raises ArtifactInvalid if a path leads to several values.
    """
    newest = results.newest(listing.result)
    return Rows(("", *(column.name for column in listing.columns)),
                tuple((Cell(entry.name), *_cells(entry, listing.columns, newest)) for entry in listing.rows))


def _cells(entry: Entry, columns: tuple[Column, ...], newest: Result | None) -> Iterator[Cell]:
    if entry.why:
        yield from (Cell("-") for _ in columns[1:])
        yield Cell(entry.why)
        return
    for column in columns:
        found = [number(newest.data, (*entry.path, *path)) if newest else None for path in column.paths]
        known = [one * column.times for one in found if one is not None]
        yield Cell(column.text.format(*known) if len(known) == len(found) else NOT_MEASURED)
