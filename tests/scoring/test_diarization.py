from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.scoring.diarization import DiarizationError, diarization_error
from cp_whisperx.timeline import Span, Turn

PEER = json.loads((Path(__file__).parent.parent / "cases" / "diarization_error.json").read_text())
"""Random turns with what pyannote.metrics 4.2.0 makes of them (its collar is the width, ours that of one side)."""


@pytest.mark.parametrize("case", PEER, ids=range(len(PEER)))
def test_it_agrees_with_pyannote_metrics(case: dict[str, Any]) -> None:
    within = [Span(*span) for span in case["within"]] if case["within"] else None
    error = diarization_error([Turn(*turn) for turn in case["reference"]], [Turn(*turn) for turn in case["found"]],
                              collar_s=case["collar_s"], within=within)
    for kind in ("reference_s", "missed_s", "false_alarm_s", "confusion_s"):
        assert getattr(error, kind) == pytest.approx(case[kind], abs=1e-4), kind


A, B, C = "A", "B", "C"


@pytest.mark.parametrize(("reference", "found", "collar_s", "within", "expected"), [
    ([(0, 10, A)], [(0, 10, B)], 0, None, (10, 0, 0, 0)),
    ([(0, 10, A)], [], 0, None, (10, 10, 0, 0)),
    ([], [(0, 10, A)], 0, None, (0, 0, 10, 0)),
    ([], [], 0, None, (0, 0, 0, 0)),
    ([(0, 6, A), (6, 10, B)], [(0, 10, C)], 0, None, (10, 0, 0, 4)),
    ([(0, 10, A), (0, 10, B)], [(0, 10, A)], 0, None, (20, 10, 0, 0)),
    ([(0, 10, A)], [(0, 10, A), (4, 6, B)], 0, None, (10, 0, 2, 0)),
    ([(0, 10, A), (2, 4, B)], [(0, 10, B), (2, 4, C)], 0, None, (12, 0, 0, 0)),
    ([(1, 2, A)], [(0.75, 2.25, B)], 0.25, None, (0.5, 0, 0, 0)),
    ([(1, 2, A)], [(0.5, 2.25, B)], 0.25, None, (0.5, 0, 0.25, 0)),
    ([(1, 2, A)], [(1.25, 1.75, B)], 0.25, None, (0.5, 0, 0, 0)),
    ([(1, 1.5, A)], [(5, 6, B)], 0.25, None, (0, 0, 1, 0)),
    ([(1, 4, A), (4, 8, B)], [(1, 8, C)], 0.25, None, (6, 0, 0, 2.5)),
    ([(0, 10, A)], [(0, 4, B)], 0, [(0, 5)], (5, 1, 0, 0)),
    ([(0, 10, A)], [(0, 20, B)], 0.25, [(9, 9.9), (12, 13)], (0.75, 0, 1, 0)),
], ids=["right", "nothing found", "nothing said", "silence", "two as one", "one of two at once", "one too many at once",
        "overlap right", "collar: boundary exactly on its edge", "collar: error beyond it", "collar: inside edge",
        "collar: a turn shorter than both", "collar around a change", "within", "within and collar"])
def test_by_hand(reference: list[tuple[float, float, str]], found: list[tuple[float, float, str]], collar_s: float,
                 within: list[tuple[float, float]] | None, expected: tuple[float, float, float, float]) -> None:
    error = diarization_error([Turn(*turn) for turn in reference], [Turn(*turn) for turn in found],
                              collar_s=collar_s, within=[Span(*span) for span in within] if within else None)
    assert (error.reference_s, error.missed_s, error.false_alarm_s, error.confusion_s) == pytest.approx(expected)


def test_rates_pool_over_seconds_not_over_files() -> None:
    assert (DiarizationError(10, 1, 1, 1) + DiarizationError(90, 7, 0, 0)).rate == pytest.approx(0.1)
    assert DiarizationError(0, 0, 2, 0).rate == 1.0
    assert DiarizationError().rate == 0.0


turns = st.lists(st.builds(lambda start, length, who: Turn(start / 4, (start + length) / 4, who), st.integers(0, 60),
                           st.integers(1, 20), st.sampled_from("ABCD")), max_size=8)


@given(turns)
def test_names_do_not_matter(reference: list[Turn]) -> None:
    renamed = [Turn(turn.start, turn.end, turn.speaker * 2) for turn in reference]
    assert diarization_error(reference, renamed).rate == 0


@given(turns, turns)
def test_swapping_the_two_swaps_missed_and_invented(reference: list[Turn], found: list[Turn]) -> None:
    one, other = diarization_error(reference, found), diarization_error(found, reference)
    assert (one.missed_s, one.false_alarm_s, one.confusion_s) == \
        pytest.approx((other.false_alarm_s, other.missed_s, other.confusion_s))
