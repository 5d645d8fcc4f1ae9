"""All that is decided about what was heard of a film: what is kept, dropped, heard again, lost, and sung."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cp_whisperx import songs
from cp_whisperx.artifacts import Dropped
from cp_whisperx.guards import Judged, Sound, judge, loss, usual_logprob
from cp_whisperx.media.samples import Samples
from cp_whisperx.timeline import Segment, Song, Span, SpeechSpan
from cp_whisperx.windows import Window

HearAlone = Callable[[int, Window], tuple[Segment, ...]]
"""Segments, in sample time, of the window with one span that is the n-th, from 0, to be heard again."""

_MOST_AGAIN, _FEW = 2, 8
"""Windows that are heard again: so many for each one of the first hearing, and a few for short films."""


@dataclass(frozen=True)
class Verdicts:
    """`kept` and `dropped` in the order of the film. `again`: how many spans were heard a second time."""

    kept: tuple[Segment, ...]
    dropped: tuple[Dropped, ...]
    unheard: tuple[Span, ...]
    songs: tuple[Song, ...]
    again: int


def decide(heard: Sequence[Segment], speech: Sequence[SpeechSpan], sound: Sound, samples: Samples, *,
           windows: int, hear_alone: HearAlone | None) -> Verdicts:
    """`heard`: the first hearing, of so many `windows`. Without `hear_alone` there is no second one."""
    usual = usual_logprob(heard)
    first = judge(heard, sound, usual=usual)
    kept = [one.segment for one in first if not one.doubt]
    dropped = [_dropped(one, 1) for one in first if one.doubt]
    missed: tuple[loss.Missed, ...] = ()
    if hear_alone:
        hopeless = [one.segment for one in first if one.doubt and one.doubt.verdict == "drop"]
        missed = loss.again(speech, sound.faint(), _words(kept), hopeless)[:_MOST_AGAIN * windows + _FEW]
        for number, miss in enumerate(missed):
            alone = hear_alone(number, Window((miss.span,), (0.0,)))
            second = judge(alone, sound, usual=usual, faint=miss.faint)
            kept += [one.segment for one in second if not one.doubt]
            dropped += [_dropped(one, 2) for one in second if one.doubt]
    words = _words(kept)
    return Verdicts(
        tuple(sorted(kept)), tuple(sorted(dropped, key=lambda drop: (drop.start, drop.hearing))),
        tuple(Span(span.onset, span.offset) for span in loss.unheard(speech, words)),
        songs.find(samples, words, sound.speech), len(missed))


def _words(segments: Sequence[Segment]) -> list[Span]:
    return [Span(word.start, word.end) for segment in segments for word in segment.words]


def _dropped(judged: Judged, hearing: Literal[1, 2]) -> Dropped:
    segment, doubt = judged.segment, judged.doubt
    assert doubt
    return Dropped(start=segment.start, end=segment.end, text=segment.text, guard=judged.guard, reason=doubt.reason,
                   hearing=hearing)
