"""Rules about when a cue is shown, and for how long."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

from cp_whisperx.subtitles.checking import shots
from cp_whisperx.subtitles.checking.report import Finding
from cp_whisperx.subtitles.checking.subject import Subject, characters, duration, seconds_text, us, words


def order(subject: Subject) -> Iterator[Finding]:
    for (_, before), (number, cue) in pairwise(subject.numbered()):
        if us(cue.start) < us(before.start):
            yield Finding(number, f"{seconds_text(us(before.start) - us(cue.start))} before the cue above it")


def backwards(subject: Subject) -> Iterator[Finding]:
    for number, cue in subject.numbered():
        if duration(cue) <= 0:
            yield Finding(number, seconds_text(duration(cue)))


def overlap(subject: Subject) -> Iterator[Finding]:
    """The later of two cues, whichever of the earlier ones it starts under."""
    busy, by = 0, 0
    for position, (number, cue) in enumerate(subject.in_order):
        over = busy - us(cue.start)
        if position and over > 0:
            yield Finding(number, f"{seconds_text(over)} with cue {by}")
        if not position or us(cue.end) > busy:
            busy, by = us(cue.end), number


def gap(subject: Subject) -> Iterator[Finding]:
    limit = subject.profile.min_gap_frames * subject.frame
    for number, free in subject.gaps():
        if free >= 0 and subject.too_little(free, limit):
            yield Finding(number, f"{free / subject.frame:.1f} frames")


def chaining(subject: Subject) -> Iterator[Finding]:
    """Gaps of a frame or more above the least one that are no pause yet: 3-11 frames at 24 per second."""
    least = (subject.profile.min_gap_frames + 1) * subject.frame
    pause = us(subject.profile.chain_below_s)
    for number, free in subject.gaps():
        if not subject.too_little(free, least) and subject.too_little(free, pause):
            yield Finding(number, f"{free / subject.frame:.1f} frames")


def min_duration(subject: Subject) -> Iterator[Finding]:
    for number, cue in subject.numbered():
        least = max(us(subject.profile.min_duration_s), us((subject.profile.min_s_per_word or 0.0) * words(cue)))
        if subject.too_little(duration(cue), least):
            yield Finding(number, seconds_text(duration(cue)))


def max_duration(subject: Subject) -> Iterator[Finding]:
    limit = us(subject.profile.max_duration_s or 0.0)
    for number, cue in subject.numbered():
        if subject.too_much(duration(cue), limit):
            yield Finding(number, seconds_text(duration(cue)))


def reading_speed(subject: Subject) -> Iterator[Finding]:
    yield from _too_fast(subject, subject.profile.cps_target)


def reading_speed_hard(subject: Subject) -> Iterator[Finding]:
    yield from _too_fast(subject, subject.profile.cps_hard_flag or 0.0)


def _too_fast(subject: Subject, limit: float) -> Iterator[Finding]:
    """Too fast is what is shown for less time than its characters take at the limit."""
    for number, cue in subject.numbered():
        lasts = duration(cue)
        if lasts > 0 and subject.too_little(lasts, characters(cue) / limit * 1_000_000):
            yield Finding(number, f"{characters(cue) / lasts * 1_000_000:.1f}")


def early(subject: Subject) -> Iterator[Finding]:
    """In-cues in a silence, more than the tolerance before the speech that comes next.

    One on a cut, or just as far before it as the profile sends them, is where it belongs.
    """
    far = subject.frames_at_24(subject.profile.shot_in_far_frames)
    speech = subject.speech or ()
    starts = [us(span.start) for span in speech]
    for number, cue in subject.numbered():
        at = us(cue.start)
        position = bisect_right(starts, at)
        if (position and at < us(speech[position - 1].end)) or position == len(starts):
            continue
        behind, ahead = shots.near(subject, cue.start)
        if behind == 0 or (far and ahead == far):
            continue
        frames = subject.frames(starts[position] - at)
        if frames > subject.profile.in_tolerance_frames:
            yield Finding(number, f"{frames} frames")
