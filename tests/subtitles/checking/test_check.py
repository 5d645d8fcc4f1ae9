"""The validator against tables made by hand (tests/cases/check_*.yaml), both sides of every limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.checking import RULES, Report, check
from cp_whisperx.timeline import Cue, Span

FOLDER = Path(__file__).parents[2] / "cases"
CASES: dict[str, dict[str, Any]] = {
    f"{file.stem}: {name}": case for file in sorted(FOLDER.glob("check_*.yaml"))
    for name, case in yaml.safe_load(file.read_text(encoding="utf-8")).items()}


def cue(text: str) -> Cue:
    start, end, lines = text.split(" ", 2)
    return Cue(float(start), float(end), tuple(lines.split("|")))


def checked(case: dict[str, Any], profile: str = "netflix-en") -> Report:
    speech = case.get("speech")
    return check([cue(text) for text in case["cues"]], profiles.named(case.get("profile", profile)),
                 frame_rate=case.get("fps", 24.0), cuts=case.get("cuts"), language=case.get("language", "und"),
                 speech=None if speech is None else [Span(*span) for span in speech],
                 resolution_s=case.get("resolution_s", 0.001))


@pytest.mark.parametrize("name", CASES)
def test_the_tables(name: str) -> None:
    report = checked(CASES[name])
    broken = {outcome.rule: list(outcome.cues) for outcome in report.outcomes if outcome.findings}
    assert broken == CASES[name]["broken"]
    assert report.passed == (not broken)


def test_every_rule_is_broken_in_some_case_and_kept_in_another() -> None:
    broken = {rule for case in CASES.values() for rule in case["broken"]}
    # Off in every profile of ours: see test_numbers.
    assert broken | {"numbers"} == {rule.name for rule in RULES}
    kept = {outcome.rule for case in CASES.values() for outcome in checked(case).outcomes if outcome.result == "passed"}
    assert kept | {"numbers"} == {rule.name for rule in RULES}


def test_numbers() -> None:
    rules = profiles.changed(profiles.named("netflix-en"), {"numbers_spelled_to": 10})
    cues = [Cue(1, 3, (text,)) for text in ("We are 10.", "We are 11.", "At 7:30.", "£5.", "1.5 of them", "7, or 8")]
    (outcome,) = (outcome for outcome in check(cues, rules).outcomes if outcome.rule == "numbers")
    assert outcome.cues == (1, 6)


def test_without_cuts_and_speech_nothing_is_called_passed() -> None:
    report = check([Cue(1, 2, ("One.",))], profiles.named("netflix-en"))
    assert {outcome.rule for outcome in report.not_checked} == {
        "shot-in-after", "shot-in-before", "shot-out-before", "shot-out-after", "in-cue", "text-without-speech",
        "speech-without-cue", "no-split"}
    assert all(outcome.reason for outcome in report.not_checked)
    assert "in-cue" not in report.counts()


def test_a_rule_that_the_profile_has_not_is_off() -> None:
    results = {outcome.rule: outcome.result for outcome in check([], profiles.named("bbc"), cuts=[]).outcomes}
    assert {rule for rule, result in results.items() if result == "off"} == {
        "gap", "max-duration", "reading-speed-hard", "numbers", "shot-out-before"}


def test_frames_are_counted_at_24_where_nobody_says() -> None:
    report = check([Cue(1, 2, ("One.",)), Cue(2.083, 3, ("Two.",))], profiles.named("netflix-en"))
    assert report.passed and (report.frame_rate, report.frame_rate_known) == (24.0, False)


def test_the_pass_rate_counts_cues_not_findings() -> None:
    report = check([Cue(1, 1.1, ("a..",)), Cue(5, 7, ("b",))], profiles.named("netflix-en"))
    assert report.broken == (1,)
    assert report.pass_rate == 0.5
    assert check([], profiles.named("netflix-en")).pass_rate == 1.0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.lists(st.text(max_size=30), max_size=3)),
                max_size=6), st.sampled_from(profiles.names()), st.sampled_from((None, 23.976, 25.0, 120.0)))
def test_any_cues_can_be_checked(cues: list[tuple[float, float, list[str]]], profile: str, rate: float | None) -> None:
    made = [Cue(start, end, tuple(lines)) for start, end, lines in cues]
    report = check(made, profiles.named(profile), frame_rate=rate, cuts=[1.0, 2.0], speech=[Span(0, 1)])
    assert all(1 <= number <= len(made) for outcome in report.outcomes for number in outcome.cues)
    assert report.as_dict()["passed"] == (not any(outcome.findings for outcome in report.outcomes))
    assert set(report.broken) <= set(range(1, len(made) + 1))


def test_where_speech_has_no_cue_is_said_and_no_cue_is_blamed() -> None:
    report = check([Cue(1, 2, ("One.",))], profiles.named("netflix-en"), speech=[Span(1, 2), Span(3723, 3725.5)])
    (outcome,) = (outcome for outcome in report.outcomes if outcome.findings)
    assert (outcome.rule, outcome.findings[0].cue, outcome.findings[0].value) == (
        "speech-without-cue", 0, "2.500 s at 1:02:03.000")
    assert not report.passed and report.broken == () and report.pass_rate == 1.0
