"""What the report says, in blocks that are neither Markdown nor HTML yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cp_whisperx.images.report import svg
from cp_whisperx.images.report.measured import Reading, at, said
from cp_whisperx.images.report.status import Done, Row, Status, again, share


@dataclass(frozen=True, slots=True)
class Cell:
    """`kind`: code (paths, with commas between), command, dim, strong, figure, first (our own figure), or a state that
    has a colour (ok, bad, open).
    """

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Tiles:
    """Figures that are seen first: the figure, what it counts, a state."""

    tiles: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """`name` is that of its file."""

    name: str
    drawing: svg.Drawing


Block = Heading | Text | Tiles | Rows | Plot

TITLE = "Status of the images and of what they do"
_STATES = {"met": "ok", "not met": "bad", "not measured": "open", "proven": "ok", "broken": "bad",
           "proof incomplete": "open", "ok": "ok", "missing": "open"}


def document(status: Status) -> tuple[Block, ...]:
    return tuple(_blocks(status))


def _blocks(status: Status) -> Iterator[Block]:
    yield Heading(TITLE, 1)
    yield Text("Written by `cp-whisperx images report` from the dated results in `bench/results` and from this clone; "
               "no figure in it was typed. `python bench/all.py` measures all of them again.")
    yield _summary(status)
    yield from _plots(status)
    yield Heading("Targets")
    for group in dict.fromkeys(row.target.group for row in status.rows):
        yield Heading(group, 3)
        yield _targets([row for row in status.rows if row.target.group == group])
    yield from _open(status)
    yield Heading("What was done, and what shows it")
    yield Text("An item is proven when all that is listed beside it holds: its checks, the mutations that its checks "
               "find, its targets. “in this clone” was looked at while this was written.")
    for phase, done in status.phases:
        proven = sum(one.complete for one in done)
        yield Heading(f"{phase.title}: {proven} of {len(done)} proven, {share(proven, len(done))}", 3)
        yield Rows(("item", "proof", "figure", "date", "again with"),
                   tuple(row for one in done for row in _item(one)))
    yield Heading("Where the figures come from")
    yield _sources(status)


def _summary(status: Status) -> Tiles:
    founding = [one for one in status.items if one.item.optimisation]
    verdicts = status.verdicts
    proven, complete = (sum(one.complete for one in rows) for rows in (founding, status.items))
    measured = verdicts["met"] + verdicts["not met"]
    return Tiles((
        (share(complete, len(status.items)), f"complete: {complete} of {len(status.items)} items proven",
         "ok" if complete == len(status.items) else "open"),
        (f"{proven} of {len(founding)}", "optimisations of the founding document proven",
         "ok" if proven == len(founding) else "open"),
        (f"{verdicts['met']} of {measured}", "measured targets met", "open" if verdicts["not met"] else "ok"),
        (str(verdicts["not met"]), "targets not met", "bad" if verdicts["not met"] else "ok"),
        (str(verdicts["not measured"]), "targets not measured yet", "open" if verdicts["not measured"] else "ok"),
    ))


def _plots(status: Status) -> Iterator[Block]:
    table, results = status.table, status.results
    yield Heading("At a glance")
    newest = results.newest(table.layers.result)
    images = at(newest.data, table.layers.path) if newest else []
    if images:
        rows = {name: {one["layer"].replace(f"sbom-{name}", "bill"): one[table.layers.size] for one in layers}
                for name, layers in images[0].items()}
        yield Plot("layers", svg.stacks(table.layers.title, rows))
    for name, plot in table.plots.items():
        groups = {group.name: {whose: found.value for whose, figure in group.bars.items()
                               if (found := results.reading(table.figures[figure]))} for group in plot.groups}
        if any(groups.values()):
            yield Plot(name, svg.bars(plot.title, plot.unit, groups))
    past = {line.name: [(one.result.date, one.value, str(one)) for one in results.history(table.figures[line.figure])]
            for line in table.history}
    if any(past.values()):
        yield Plot("history", svg.lines("The same figures over the dated results",
                                        {name: row for name, row in past.items() if row}))


def _targets(rows: Sequence[Row]) -> Rows:
    names = tuple(dict.fromkeys(one.name for row in rows for one in row.beside))
    return Rows(("", "target", "wanted", "ours", *names, "", "date"), tuple((
        Cell(row.target.id, "strong"), Cell(row.target.what), Cell(row.wanted, "figure"),
        Cell(str(row.ours or "–"), "first"), *(Cell(_beside(row, name), "figure") for name in names),
        Cell(row.verdict, _STATES[row.verdict]),
        Cell(row.ours.result.date if row.ours else "", "dim")) for row in rows))


def _beside(row: Row, name: str) -> str:
    """Theirs, and how many times better ours is."""
    found = next((one for one in row.beside if one.name == name), None)
    if not found:
        return ""
    if not found.figure:
        return "–"
    if found.times is None:
        return str(found.figure)
    return f"{found.figure} ({found.times:,.{0 if found.times >= 10 else 1}f}×)"


def _open(status: Status) -> Iterator[Block]:
    if broken := [row for row in status.rows if row.verdict == "not met"]:
        yield Heading("What is not met, and why")
        yield Rows(("", "wanted", "ours", "why", "largest remaining cost"), tuple((
            Cell(row.target.id, "strong"), Cell(row.wanted, "figure"), Cell(str(row.ours), "first"),
            Cell(row.why or "not explained yet", "" if row.why else "bad"),
            Cell(row.cost or largest(row, status) or "–")) for row in broken))
    if missing := [row for row in status.rows if row.verdict == "not measured"]:
        yield Heading("What is not measured yet")
        yield Rows(("", "target", "wanted", "measured by"), tuple((
            Cell(row.target.id, "strong"), Cell(row.target.what), Cell(row.wanted, "figure"),
            Cell(row.command, "command") if row.command else Cell(row.why)) for row in missing))


def largest(row: Row, status: Status) -> str:
    """What the result itself names as the largest part of the figure, if it says what the figure is made of."""
    figure = status.table.figures[row.target.figure]
    newest = status.results.newest(figure.result)
    detail = at(newest.data, (*figure.path[:-1], "detail", "*")) if newest else []
    others = re.compile("(plain|whisperx): ")
    own = next((line.removeprefix("ours: ") for line in map(str, detail) if not others.match(line)), "")
    return re.sub(r"(\d{4,}) bytes", lambda found: said(int(found[1]), "bytes"), own)


def _item(done: Done) -> Iterator[tuple[Cell, ...]]:
    number = f"{done.item.optimisation} " if done.item.optimisation else ""
    yield (Cell(f"{number}{done.item.name}", "strong"), Cell(", ".join(done.item.files), "code"),
           Cell(done.state, _STATES[done.state]), Cell(""), Cell(""))
    for one in done.evidence:
        yield (Cell(""), Cell(one.what), Cell(one.figure or "not measured", _STATES[one.state]), Cell(one.date, "dim"),
               Cell(one.command, "command"))


def _sources(status: Status) -> Rows:
    rows = []
    for name, bench in status.table.benches.items():
        for stem in bench.results or (name,):
            newest = status.results.newest(stem)
            rows.append((Cell(f"{stem}-{newest.date}.json" if newest else f"{stem}: not measured yet",
                              "code" if newest else "open"),
                         Cell(str(newest.data.get("machine", "")) if newest else ""),
                         Cell(str(newest.data.get("commit", "")) if newest else "", "dim"),
                         Cell(again(name, bench), "command"), Cell(", ".join(bench.needs)),
                         Cell(f"{bench.minutes} min")))
    return Rows(("result", "machine", "commit", "again with", "needs", "takes about"), tuple(rows))


def readings(status: Status) -> dict[str, Reading | None]:
    """Every figure of the table by its name."""
    return {name: status.results.reading(figure) for name, figure in status.table.figures.items()}
