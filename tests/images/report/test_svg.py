from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from cp_whisperx.images.report import svg


@pytest.mark.parametrize(("values", "low", "high", "log", "ticks"), [
    ([3, 1], 0, 3, False, 4), ([352e6, 90e6], 0, 400e6, False, 5), ([1, 100], 1, 100, True, 3),
    ([0, 0], 0, 1, False, 6), ([0.68, 241], 0.1, 1000, True, 5), ([], 0, 1, False, 6), ([7], 0, 8, False, 5),
])
def test_axes_end_at_round_numbers(values: list[float], low: float, high: float, log: bool, ticks: int) -> None:
    found = svg.axis(values)
    assert (found.low, round(found.high, 9), found.log, len(found.ticks)) == (low, high, log, ticks)
    assert all(found.at(found.low) <= found.at(value) <= found.at(found.high) for value in values)


def widths(drawing: svg.Drawing) -> list[float]:
    return [float(one) for one in re.findall(r'<rect x="190" y="\d+" width="([\d.]+)"', drawing.body)]


def test_bars_are_as_long_as_their_values_and_say_them() -> None:
    drawing = svg.bars("Speed", "s", {"a film": {"ours": 2, "theirs": 8}, "a song": {}})
    one, other = widths(drawing)
    assert other == pytest.approx(4 * one, abs=0.2)
    assert ">2 s<" in drawing.body and ">8 s<" in drawing.body and "not measured" in drawing.body


def test_stacks_are_read_from_the_bottom_layer_and_end_with_their_sum() -> None:
    drawing = svg.stacks("Layers", {"tmdb": {"root": 50e6}, "asr": {"root": 50e6, "asr & more": 150e6}})
    assert ">200 MB<" in drawing.body and "asr &amp; more" in drawing.body
    ElementTree.fromstring(drawing.alone())


def test_more_parts_than_colours_share_the_last_one() -> None:
    body = svg.stacks("Layers", {"asr": {f"layer{number}": 10e6 for number in range(12)}}).body
    assert ">other<" in body and len(set(re.findall(r"var\(--c\d\)", body))) == len(svg.SERIES)


def test_days_go_from_left_to_right() -> None:
    body = svg.lines("History", {"a film": [("2026-11-01", 8, "8 s"), ("2026-11-25", 4, "4 s")], "none": []}).body
    (x1, y1), (x2, y2) = ((float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', body))
    assert x1 < x2 and y1 < y2
    assert "2026-11-01" in body and "2026-11-25" in body


def test_one_drawing_serves_light_and_dark() -> None:
    assert set(svg.COLOURS["light"]) == set(svg.COLOURS["dark"])
    alone = svg.bars("Speed", "s", {"a": {"ours": 1}}).alone()
    assert "prefers-color-scheme:dark" in alone
    assert set(re.findall(r"var\((--\w+)\)", alone)) <= set(svg.COLOURS["dark"])
