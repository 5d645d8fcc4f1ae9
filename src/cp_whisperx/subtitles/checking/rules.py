"""The table of rules: each has a name, what it says, its limit in a profile, and the search for cues that break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cp_whisperx.subtitles.checking import listening, shots, splits, texts, times
from cp_whisperx.subtitles.checking.report import Finding, Outcome
from cp_whisperx.subtitles.checking.subject import Subject
from cp_whisperx.subtitles.profiles import Profile


def _without_cuts(subject: Subject) -> str | None:
    return "no shot changes known: give --film" if subject.cuts is None else None


def _without_speech(subject: Subject) -> str | None:
    return "not known where speech is: give --film or --speech" if subject.speech is None else None


def _nothing(subject: Subject) -> str | None:
    return None


@dataclass(frozen=True)
class Rule:
    """`limit` gives None where a profile has no such rule, `lacks` why it cannot be checked."""

    name: str
    about: str
    limit: Callable[[Profile], str | None]
    find: Callable[[Subject], Iterator[Finding]]
    lacks: Callable[[Subject], str | None] = _nothing

    def outcome(self, subject: Subject) -> Outcome:
        limit = self.limit(subject.profile)
        if limit is None:
            return Outcome(self.name, self.about, "", "off")
        if reason := self.lacks(subject):
            return Outcome(self.name, self.about, limit, "not checked", reason=reason)
        found = tuple(self.find(subject))
        return Outcome(self.name, self.about, limit, "failed" if found else "passed", found)


def _always(profile: Profile) -> str | None:
    return ""


def _unless_zero(value: float | None, text: str) -> str | None:
    return text if value else None


RULES: tuple[Rule, ...] = (
    Rule("empty", "no cue without text", _always, texts.empty),
    Rule("order", "cues in the order of their starts", _always, times.order),
    Rule("backwards", "no cue ends where or before it starts", _always, times.backwards),
    Rule("overlap", "no two cues at once", _always, times.overlap),
    Rule("gap", "frames between two cues", lambda p: _unless_zero(p.min_gap_frames, f">= {p.min_gap_frames}"),
         times.gap),
    Rule("chaining", "a short gap is closed", lambda p: _unless_zero(
        p.chain_below_s, f"no gap of {p.min_gap_frames + 1} frames up to {p.chain_below_s:g} s"), times.chaining),
    Rule("min-duration", "seconds that a cue is shown", lambda p: (
        f">= {p.min_duration_s:g}" + (f", {p.min_s_per_word:g} a word" if p.min_s_per_word else "")),
         times.min_duration),
    Rule("max-duration", "seconds that a cue is shown", lambda p: _unless_zero(
        p.max_duration_s, f"<= {p.max_duration_s or 0:g}"), times.max_duration),
    Rule("reading-speed", "characters per second", lambda p: f"<= {p.cps_target:g}", times.reading_speed),
    Rule("reading-speed-hard", "characters per second that nobody reads", lambda p: _unless_zero(
        p.cps_hard_flag, f"<= {p.cps_hard_flag or 0:g}"), times.reading_speed_hard),
    Rule("line-length", "characters on a line", lambda p: f"<= {p.max_cpl}", texts.line_length),
    Rule("lines", "lines of a cue", lambda p: f"<= {p.max_lines}", texts.lines),
    Rule("no-split", "pairs of words on one line", lambda p: _unless_zero(
        float(len(p.no_split)), f"none of {len(p.no_split)} kinds is divided"), splits.no_split,
         lacks=splits.unknown_language),
    Rule("grapheme", "no character is divided", _always, texts.divided),
    Rule("speaker-dash", "two speakers: a dash for each line", lambda p: f"'{p.dash}'", texts.speaker_dash),
    Rule("ellipsis", "how an ellipsis is written", lambda p: p.ellipsis, texts.ellipsis),
    Rule("song", "how sung words are marked", lambda p: {
        "mark": f"'{p.song_mark}' around each {p.song_mark_end}", "leave-out": "no songs", "plain": "no signs"
    }[p.song_policy], texts.song),
    Rule("numbers", "small numbers are spelt out", lambda p: _unless_zero(
        p.numbers_spelled_to, f"<= {p.numbers_spelled_to}"), texts.numbers),
    Rule("characters", "no unknown or broken characters", _always, texts.unknown),
    Rule("script", "one script, and Latin", _always, texts.script),
    Rule("shot-in-after", "an in-cue just after a cut is on it", lambda p: _unless_zero(
        p.shot_in_after_frames, f"not 1-{p.shot_in_after_frames - 1} frames at 24"), shots.in_after,
         lacks=_without_cuts),
    Rule("shot-in-before", "an in-cue just before a cut is on it, or well before it", lambda p: _unless_zero(
        max(p.shot_in_near_frames, p.shot_in_far_frames),
        f"not 1-{max(p.shot_in_near_frames, p.shot_in_far_frames) - 1} frames at 24"),
         shots.in_before, lacks=_without_cuts),
    Rule("shot-out-before", "an out-cue before a cut", lambda p: _unless_zero(
        p.shot_out_before_frames, f">= {p.shot_out_before_frames} frames"), shots.out_before, lacks=_without_cuts),
    Rule("shot-out-after", "an out-cue just after a cut is before it", lambda p: _unless_zero(
        p.shot_out_after_frames, f"not 1-{p.shot_out_after_frames - 1} frames at 24"), shots.out_after,
         lacks=_without_cuts),
    Rule("in-cue", "frames before the first sound", lambda p: f"<= {p.in_tolerance_frames}", times.early,
         lacks=_without_speech),
    Rule("text-without-speech", "somebody speaks under each cue", lambda p: f">= {listening.HEARD_S:g} s of speech",
         listening.unspoken, lacks=_without_speech),
    Rule("speech-without-cue", "what is spoken is shown", lambda p: f"< {listening.LOST_S:g} s in a row",
         listening.uncaptioned, lacks=_without_speech),
)
