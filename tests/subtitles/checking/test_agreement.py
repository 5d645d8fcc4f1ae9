"""Two that know nothing of each other: what the segmentation makes, the validator passes, or its cue says why not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.checking import check
from cp_whisperx.subtitles.cueing import cues
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.timeline import Word

SAID_AS = {
    "reading-speed": "cps_target", "reading-speed-hard": "cps_target", "min-duration": "min_duration_s",
    "chaining": "chain_below_s", "no-split": "no_split",
    "shot-in-after": "in_tolerance_frames", "shot-in-before": "in_tolerance_frames",
    "shot-out-before": "shot_out_before_frames", "shot-out-after": "shot_out_after_frames",
}
"""What the validator calls a rule, and what the segmentation calls it where there was no room."""

WORD = st.tuples(
    st.sampled_from((" I", " the", " never", " Sunday,", " go.", " का", " भगवान्", " extraordinarily", " no!", " and…",
                     " yes...", " New", " Delhi", " Mr.", " of", " क्षत्रिय")),
    st.floats(0.02, 1.2), st.sampled_from((0.0, 0.0, 0.0, 0.05, 0.3, 0.49, 0.6, 1.5, 4.0)),
    st.sampled_from((None, "A", "B")))


@settings(max_examples=150, deadline=None)
@given(st.lists(WORD, max_size=60), st.sampled_from(profiles.names()),
       st.sampled_from((None, 23.976, 24.0, 25.0, 29.97, 60.0)), st.lists(st.integers(0, 1500), max_size=12))
def test_what_is_not_kept_is_said(said: list[tuple[str, float, float, str | None]], profile: str,
                                  rate: float | None, pictures: list[int]) -> None:
    cuts = [picture / (rate or 24.0) for picture in pictures]
    words, clock = [], 1.0
    for text, lasts, pause, speaker in said:
        clock += pause
        words.append(Word(clock, clock + lasts, text, 0.9, speaker=speaker))
        clock += lasts
    rules = profiles.named(profile)
    made = cues(words, rules, grid=Grid.of(rate), language="en", cuts=cuts)
    report = check(made, rules, frame_rate=rate, cuts=cuts, language="en")
    unsaid = {(outcome.rule, number) for outcome in report.outcomes for number in outcome.cues
              if SAID_AS.get(outcome.rule) not in {breach.rule for breach in made[number - 1].breaches}}
    assert not {one for one in unsaid if one[0] != "script"}
