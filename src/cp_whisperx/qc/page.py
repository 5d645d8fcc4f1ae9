"""The page: tables and figures as plain HTML, the timeline drawn by the script of page.html."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any

from cp_whisperx.qc.data import QcData, RuleOutcome

_SHOWN_CUES = 24
_RESULTS = {"passed": "ok", "failed": "bad", "not checked": "dim", "off": "dim"}
_BIN = 2.0
_LAST_BIN = 34.0


def page(data: QcData, plain: dict[str, Any]) -> str:
    """`plain` is the data that the script draws. All text of the film is escaped."""
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    # In the order of the template.
    parts = {
        "TITLE": escape(data.film), "HEADING": escape(data.film), "TILES": _tiles(data),
        "WARNINGS": _warnings(data.warnings), "LANG": escape(data.language if data.language.isalpha() else "und"),
        "RULES": _rules(data.rules), "HISTOGRAM": _histogram(data), "DROPPED": _dropped(data), "NAMES": _names(data),
        "UNHEARD": _unheard(data), "DATA": _embedded(plain),
    }
    made = ""
    for name, text in parts.items():
        # Only what is left of the template is searched: text that looks like a marker stays text.
        before, marker, template = template.partition(f"<!--{name}-->")
        assert marker, name
        made += before + text
    return made + template


def _embedded(plain: dict[str, Any]) -> str:
    """JSON that no `</script>` in a cue can end."""
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").replace(
        "\u2028", "\\u2028").replace("\u2029", "\\u2029")


def clock(seconds: float) -> str:
    """H:MM:SS.t"""
    tenths = round(max(0.0, seconds) * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def _tiles(data: QcData) -> str:
    rate = data.pass_rate
    unheard_s = sum(span.duration for span in data.unheard)
    tiles: list[tuple[str, str, str]] = [
        (f"{len(data.cues):,}", "cues", ""),
        (_percent(rate), f"break no rule of {data.profile}", "ok" if rate == 1 else "bad"),
        (f"{statistics.median(data.speeds):.1f}" if data.speeds else "–", "characters a second, median", ""),
        (f"{unheard_s:.0f} s", "of speech without a cue", "" if unheard_s < 5 else "bad"),
        (f"{len(data.dropped)}", "passages not believed", ""),
        (f"{sum(not change.vetoed for change in data.changes)}", "names repaired", ""),
        ("–" if data.cuts is None else f"{len(data.cuts):,}", "shot changes", ""),
    ]
    return "".join(f'<div class="tile {kind}"><b>{escape(value)}</b><span>{escape(text)}</span></div>'
                   for value, text, kind in tiles)


def _percent(share: float) -> str:
    """100 % only where it is."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def _warnings(warnings: Sequence[str]) -> str:
    return f'<ul class="warn">{"".join(f"<li>{escape(text)}</li>" for text in warnings)}</ul>' if warnings else ""


def _rules(rules: Sequence[RuleOutcome]) -> str:
    ordered = sorted((rule for rule in rules if rule.result != "off"),
                     key=lambda rule: ("failed", "passed", "not checked").index(rule.result))
    rows = []
    for rule in ordered:
        # A fault that is no cue's is known by what it came to.
        seen: dict[int | str, str] = {}
        for finding in rule.findings:
            seen.setdefault(finding.cue or finding.value, finding.value)
        chips = "".join(f'<a href="#cue-{cue}" data-cue="{cue}" title="{escape(value)}">{cue}</a>'
                        if isinstance(cue, int) else f"<i>{escape(value)}</i>"
                        for cue, value in list(seen.items())[:_SHOWN_CUES])
        if len(seen) > _SHOWN_CUES:
            chips += f"<i>and {len(seen) - _SHOWN_CUES} more</i>"
        rows.append((f'<span class="mark {_RESULTS[rule.result]}">{escape(rule.result)}</span>', escape(rule.about),
                     escape(rule.limit), f"{len(seen)}" if rule.result != "not checked" else "–",
                     f'<div class="chips">{chips}</div>' if chips else escape(rule.reason)))
    return _table(("", "rule", "limit", "cues", "which"), rows, "no rule was checked")


def _histogram(data: QcData) -> str:
    """Cues by reading speed, in steps of two characters a second; SVG."""
    if not data.speeds:
        return '<p class="none">no cues</p>'
    bins = [0] * (int(_LAST_BIN / _BIN) + 1)
    for speed in data.speeds:
        bins[min(int(speed / _BIN), len(bins) - 1)] += 1
    width, height, step = 680, 190, 680 / len(bins)
    most = max(bins)
    shapes = []
    for number, count in enumerate(bins):
        tall = round(count / most * 140, 1)
        over = data.speed_limit is not None and number * _BIN >= data.speed_limit
        label = f"{number * _BIN:.0f}–{(number + 1) * _BIN:.0f}" if number + 1 < len(bins) else f"over {_LAST_BIN:.0f}"
        if count:
            shapes.append(f'<rect class="{"over" if over else "bar"}" x="{number * step + 2:.1f}" y="{160 - tall:.1f}" '
                          f'width="{step - 4:.1f}" height="{tall}" rx="2"><title>{label} characters a second: '
                          f'{count} cues</title></rect><text x="{(number + .5) * step:.1f}" y="{154 - tall:.1f}">'
                          f'{count}</text>')
        if number % 2 == 0:
            shapes.append(f'<text class="axis" x="{number * step:.1f}" y="178">{number * _BIN:.0f}</text>')
    if data.speed_limit is not None:
        x = min(data.speed_limit / _BIN * step, width)
        shapes.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="6" y2="164"/>'
                      f'<text class="limit" x="{x + 5:.1f}" y="14">limit {data.speed_limit:g}</text>')
    return (f'<svg class="histogram" viewBox="-8 0 {width + 16} {height}" role="img" '
            f'aria-label="Cues by reading speed">{"".join(shapes)}</svg>')


def _dropped(data: QcData) -> str:
    rows = [(_at(drop.start), escape(drop.text), escape(drop.guard), escape(drop.reason),
             "first" if drop.hearing == 1 else "second") for drop in data.dropped]
    return _table(("at", "text", "guard", "reason", "hearing"), rows, "everything that was recognised was believed")


def _names(data: QcData) -> str:
    rows = [(_at(change.start), escape(change.before), f"<s>{escape(change.after)}</s>" if change.vetoed
             else escape(change.after), f"{change.score:.2f}", escape(change.reason)) for change in data.changes]
    return _table(("at", "heard", "written", "score", "why"), rows, "no name was changed")


def _unheard(data: QcData) -> str:
    rows = [(_at(span.start), f"{span.duration:.1f} s") for span in data.unheard]
    return _table(("at", "length"), rows, "all speech has its cue")


def _at(seconds: float) -> str:
    return f'<a href="#at" data-at="{seconds:.3f}">{clock(seconds)}</a>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], none: str) -> str:
    """Cells are HTML already."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return f'<p class="none">{escape(none)}</p>'
    return (f'<div class="wide"><table><thead><tr>{"".join(f"<th>{escape(cell)}</th>" for cell in head)}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")
