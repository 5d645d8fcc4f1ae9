"""Plots as SVG without a library: bars in groups, stacked bars, lines over days, with their values written at them.

Colours are variables of the page, so that one drawing serves light and dark; one that stands alone brings its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from cp_whisperx.images.report.measured import said
from cp_whisperx.images.report.table import Unit

WIDTH = 860
_LABEL = 190
_RIGHT = 96
_BAR = 15
_GAP = 12
_LOG_FROM = 30.0
"""A range wider than this is drawn with a logarithmic axis: the small bars would be gone."""

SERIES = ("var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)", "var(--c7)", "var(--c8)")
COLOURS = {
    "light": {"--c1": "#2563eb", "--c2": "#d97706", "--c3": "#b91c1c", "--c4": "#0d9488", "--c5": "#7c3aed",
              "--c6": "#4d7c0f", "--c7": "#be185d", "--c8": "#64748b", "--ink": "#1f2430", "--dim": "#5c6573",
              "--rule": "#d9dee6", "--paper": "#ffffff"},
    "dark": {"--c1": "#6ea1ff", "--c2": "#f0b357", "--c3": "#ff8a80", "--c4": "#4fd1c5", "--c5": "#b69cff",
             "--c6": "#a3cf5f", "--c7": "#ff8ac0", "--c8": "#94a3b8", "--ink": "#e6e9ef", "--dim": "#a3adbd",
             "--rule": "#333b48", "--paper": "#14171c"},
}
STYLE = ("svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg text.dim{fill:var(--dim)}"
         "svg text.in{fill:var(--paper);font-size:11px}svg .rule{stroke:var(--rule)}"
         "svg .limit{stroke:var(--ink);stroke-dasharray:4 3}")


def variables(scheme: str) -> str:
    return "".join(f"{name}:{value};" for name, value in COLOURS[scheme].items())


@dataclass(frozen=True, slots=True)
class Drawing:
    title: str
    height: int
    body: str

    def inline(self) -> str:
        """For a page that has STYLE and the colours."""
        return self._svg("")

    def alone(self) -> str:
        """A file of its own, light or dark as its reader's screen is."""
        return self._svg(f"<style>svg{{{variables('light')}background:var(--paper)}}@media(prefers-color-scheme:dark)"
                         f"{{svg{{{variables('dark')}}}}}{STYLE}</style>") + "\n"

    def _svg(self, style: str) -> str:
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" '
                f'height="{self.height}" role="img" aria-label="{escape(self.title)}">{style}{self.body}</svg>')


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to the width of the plot; `ticks` are where the lines stand."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        width = WIDTH - _LABEL - _RIGHT
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return _LABEL + max(0.0, min(1.0, share)) * width


def axis(values: Sequence[float], *, may_be_log: bool = True) -> Axis:
    """From zero, or from the power of ten below the least value where they differ too much."""
    high = max([*values, 0.0]) or 1.0
    least = min((value for value in values if value > 0), default=high)
    if may_be_log and high / least >= _LOG_FROM:
        low, top = math.floor(math.log10(least)), math.ceil(math.log10(high))
        return Axis(10.0 ** low, 10.0 ** top, True, tuple(10.0 ** power for power in range(low, top + 1)))
    step = _step(high / 5)
    count = math.ceil(high / step - 1e-9)
    return Axis(0.0, count * step, False, tuple(step * number for number in range(count + 1)))


def bars(title: str, unit: Unit, groups: Mapping[str, Mapping[str, float]]) -> Drawing:
    """One group of bars for each name, one colour for whose they are, the value at the end of each."""
    series = tuple(dict.fromkeys(name for group in groups.values() for name in group))
    scale = axis([value for group in groups.values() for value in group.values()])
    shapes, y = [_legend(series)] if len(series) > 1 else [], 30 if len(series) > 1 else 8
    top = y
    for name, group in groups.items():
        tall = max(1, len(group)) * (_BAR + 3)
        shapes.append(_text(_LABEL - 10, y + tall / 2 + 3, name, anchor="end"))
        if not group:
            shapes.append(_text(_LABEL + 6, y + tall / 2 + 3, "not measured", kind="dim"))
        for whose, value in group.items():
            end = scale.at(value)
            shapes.append(f'<rect x="{_LABEL}" y="{y}" width="{max(1.5, end - _LABEL):.1f}" height="{_BAR}" rx="2" '
                          f'fill="{SERIES[series.index(whose) % len(SERIES)]}"><title>{escape(f"{name}, {whose}")}: '
                          f'{said(value, unit)}</title></rect>')
            shapes.append(_text(max(end, _LABEL + 1.5) + 6, y + 12, said(value, unit)))
            y += _BAR + 3
        y += _GAP if group else _GAP + _BAR + 3
    return Drawing(title, y + 26, _grid(scale, unit, top, y) + "".join(shapes))


def stacks(title: str, rows: Mapping[str, Mapping[str, float]]) -> Drawing:
    """Bytes: one bar for each name, made of its parts; parts of one name have one colour, the total at the end."""
    parts = _largest_first(rows)
    scale = axis([sum(row.values()) for row in rows.values()], may_be_log=False)
    legend = parts[:len(SERIES) - 1]
    shapes, y = [_legend((*legend, *(("other",) if parts[len(legend):] else ())))], 30
    top = y
    for name, row in rows.items():
        shapes.append(_text(_LABEL - 10, y + 13, name, anchor="end"))
        x, total = float(_LABEL), sum(row.values())
        for part in sorted(row, key=parts.index):
            wide = scale.at(row[part]) - _LABEL
            colour = SERIES[legend.index(part) if part in legend else len(SERIES) - 1]
            shapes.append(f'<rect x="{x:.1f}" y="{y}" width="{max(0.0, wide - 0.7):.1f}" height="{_BAR + 3}" '
                          f'fill="{colour}"><title>{escape(f"{name}, {part}")}: {said(row[part], "bytes")}</title>'
                          "</rect>")
            if wide > 7 * len(part) + 8:
                shapes.append(_text(x + wide / 2, y + 13, part, anchor="middle", kind="in"))
            x += wide
        shapes.append(_text(x + 6, y + 13, said(total, "bytes")))
        y += _BAR + 3 + 8
    return Drawing(title, y + 26, _grid(scale, "bytes", top, y) + "".join(shapes))


def lines(title: str, rows: Mapping[str, Sequence[tuple[str, float, str]]]) -> Drawing:
    """One small plot for each name, its own scale from zero: (day, value, value as said), oldest first."""
    shapes, y, tall = [], 6, 46
    days = sorted({day for row in rows.values() for day, _, _ in row})
    for name, row in rows.items():
        shapes.append(_text(_LABEL - 10, y + tall / 2 + 4, name, anchor="end"))
        shapes.append(f'<line class="rule" x1="{_LABEL}" x2="{WIDTH - _RIGHT}" y1="{y + tall}" y2="{y + tall}"/>')
        high = max((value for _, value, _ in row), default=0.0) or 1.0
        points = [(_day(day, days), y + tall - value / high * (tall - 8)) for day, value, _ in row]
        if points[1:]:
            path = " ".join(f"{x:.1f},{at:.1f}" for x, at in points)
            shapes.append(f'<polyline points="{path}" fill="none" stroke="var(--c1)" stroke-width="2"/>')
        for (x, at), (day, _, text) in zip(points, row, strict=True):
            shapes.append(f'<circle cx="{x:.1f}" cy="{at:.1f}" r="3.5" fill="var(--c1)"><title>{day}: {escape(text)}'
                          f'</title></circle>')
        if points:
            shapes.append(_text(points[-1][0] + 8, points[-1][1] + 4, row[-1][2]))
        else:
            shapes.append(_text(_LABEL + 6, y + tall / 2 + 4, "not measured", kind="dim"))
        y += tall + 12
    shapes += [_text(_day(day, days), y + 8, day, anchor="middle", kind="dim") for day in {*days[:1], *days[-1:]}
               ] if days else []
    return Drawing(title, y + 20, "".join(shapes))


def _day(day: str, days: Sequence[str]) -> float:
    """Days that were measured stand at equal distances: how long it was between them says nothing."""
    width = WIDTH - _LABEL - _RIGHT - 90
    return _LABEL + 45 + (width * days.index(day) / (len(days) - 1) if len(days) > 1 else 0)


def _grid(scale: Axis, unit: Unit, top: float, bottom: float) -> str:
    shapes = []
    for tick in scale.ticks:
        x = scale.at(tick)
        shapes.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{bottom}"/>')
        shapes.append(_text(x, bottom + 16, "0" if tick == 0 else said(tick, unit), anchor="middle", kind="dim"))
    if scale.log:
        shapes.append(_text(WIDTH - 4, 12, "each line ten times the one before", anchor="end", kind="dim"))
    return "".join(shapes)


def _legend(series: Sequence[str]) -> str:
    x, shapes = float(_LABEL), []
    for number, name in enumerate(series):
        shapes.append(f'<rect x="{x:.1f}" y="2" width="11" height="11" rx="2" fill="{SERIES[number % len(SERIES)]}"/>')
        shapes.append(_text(x + 16, 12, name))
        x += 34 + 7 * len(name)
    return "".join(shapes)


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{shown}>{escape(text)}</text>'


def _largest_first(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Names of parts in the order in which they first stand, so that stacks are read from the bottom layer up."""
    return list(dict.fromkeys(part for row in sorted(rows.values(), key=len, reverse=True) for part in row))


def _step(rough: float) -> float:
    """The round number next above: 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough - 1e-9)
