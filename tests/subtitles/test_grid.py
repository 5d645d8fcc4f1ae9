from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.subtitles.grid import Grid, exact_rate

RATES = (23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, None)


@pytest.mark.parametrize(("given_rate", "exact"), [
    (23.976, 24000 / 1001), (23.98, 23.98), (23.976023976, 24000 / 1001), (24.0, 24.0), (29.97, 30000 / 1001),
    (59.94, 60000 / 1001), (25.0, 25.0), (27.3, 27.3), (12.5, 12.5), (14.985, 15000 / 1001),
])
def test_ntsc_rates_are_fractions(given_rate: float, exact: float) -> None:
    assert exact_rate(given_rate) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("rate", "least", "gap", "half", "near", "most"), [
    # 5/6 s, 2 frames, 12 and 9 frames at 24 per second, 7 s
    (24.0, 20, 2, 12, 9, 168), (23.976, 20, 2, 12, 9, 167), (29.97, 25, 2, 15, 12, 209), (25.0, 21, 2, 13, 10, 175),
    (50.0, 42, 2, 25, 19, 350), (None, 833, 84, 500, 375, 7000),
])
def test_rules_in_ticks(rate: float | None, least: int, gap: int, half: int, near: int, most: int) -> None:
    grid = Grid.of(rate)
    assert (grid.at_least(0.833), grid.frames(2), grid.frames_at_24(12), grid.frames_at_24(9), grid.at_most(7.0)) \
        == (least, gap, half, near, most)


@pytest.mark.parametrize("rate", RATES)
@given(tick=st.integers(0, 12_000_000))
def test_a_tick_survives_being_written_in_milliseconds(rate: float | None, tick: int) -> None:
    grid = Grid.of(rate)
    assert grid.tick(grid.seconds(tick)) == tick
    assert grid.seconds(tick) <= tick / grid.ticks_per_s + 1e-8


@pytest.mark.parametrize("rate", RATES)
@given(seconds=st.floats(0, 20_000))
def test_ticks_are_near(rate: float | None, seconds: float) -> None:
    grid = Grid.of(rate)
    tick_s = 1 / grid.ticks_per_s
    assert abs(grid.tick(seconds) * tick_s - seconds) <= tick_s / 2 + 1e-6
    assert -0.0011 <= grid.tick_after(seconds) * tick_s - seconds < tick_s + 1e-6


@pytest.mark.parametrize("rate", [0.0, 1.0, 1000.0, 90_000.0])
def test_a_rate_that_no_picture_has_is_none(rate: float) -> None:
    assert Grid.of(rate) == Grid.of(None)
