"""Guards that listen: text against the sound under it, and against what a recogniser says of itself."""

from __future__ import annotations

import unicodedata

from cp_whisperx.guards.context import Context, Doubt, mean_probability
from cp_whisperx.guards.tokens import tokens
from cp_whisperx.timeline import Segment, Span

_SILENT_DB = -65.0
"""Below this there is no recorded speech: quiet lines of a film lie at -50 dBFS and above."""
_NO_SPEECH_MEAN, _NO_SPEECH_PEAK = 0.15, 0.35
_OFF_S = 0.25
"""Word times may be off by so much."""

_SPEED_CHARS = 15
_SPEED_CHARS_PER_S = 45.0
"""The fastest speech that is understood has about 30 letters a second."""
_SQUEEZED_SHARE = 0.5
_SQUEEZED_WORDS = 4

_NO_SPEECH = 0.6
_UNSURE = -1.0
"""Thresholds of the Whisper paper, section 4.5; the second is moved by what is usual in the film."""
_BELOW_USUAL = 0.7
_NONSENSE = 0.9
_NOTHING_SURE = 0.12
_FAINT_WORDS, _FAINT_NO_SPEECH, _FAINT_LOGPROB = 0.7, 0.3, -0.5


def silence(segment: Segment, context: Context) -> Doubt | None:
    """Text where there is no speech: neither level nor a detector's frames speak for it."""
    level = context.sound.level_db(segment)
    if level < _SILENT_DB:
        return Doubt("drop", f"silence: {level:.0f} dBFS")
    mean, peak = context.sound.speech(Span(segment.start - _OFF_S, segment.end + _OFF_S))
    if mean < _NO_SPEECH_MEAN and peak < _NO_SPEECH_PEAK:
        return Doubt("drop", f"no speech: its probability is {mean:.2f}, {peak:.2f} at most")
    return None


def speed(segment: Segment, context: Context) -> Doubt | None:
    """More letters than can be spoken in the time, or words squeezed to nothing at the end of the speech."""
    letters = sum(len([c for c in word if not unicodedata.category(c).startswith("M")])
                  for word in tokens(segment.text))
    if letters >= _SPEED_CHARS and letters > _SPEED_CHARS_PER_S * segment.duration:
        return Doubt("re-decode", f"too fast: {letters} letters in {segment.duration:.2f} s")
    empty = sum(word.duration <= 0 for word in segment.words)
    if empty >= _SQUEEZED_WORDS and empty >= _SQUEEZED_SHARE * len(segment.words):
        return Doubt("re-decode", f"{empty} of {len(segment.words)} words have no time of their own")
    return None


def confidence(segment: Segment, context: Context) -> Doubt | None:
    """The recogniser is unsure, measured by what is usual in this film: real Hindi may rank below invented English."""
    unsure = min(_UNSURE, context.usual - _BELOW_USUAL)
    if segment.no_speech_prob > _NO_SPEECH and segment.avg_logprob < unsure:
        return Doubt("re-decode", f"no speech {segment.no_speech_prob:.2f} and log probability "
                                  f"{segment.avg_logprob:.2f}, where {context.usual:.2f} is usual")
    sure = mean_probability(segment)
    if sure < _NOTHING_SURE and segment.avg_logprob < unsure:
        return Doubt("re-decode", f"word probability {sure:.2f} and log probability {segment.avg_logprob:.2f}, "
                                  f"where {context.usual:.2f} is usual")
    if segment.avg_logprob < min(_UNSURE, context.usual) - _NONSENSE and segment.no_speech_prob > _NO_SPEECH / 2:
        return Doubt("re-decode", f"log probability {segment.avg_logprob:.2f}, where {context.usual:.2f} is usual")
    return None


def faintness(segment: Segment, context: Context) -> Doubt | None:
    """For what was found at a lower threshold alone: there every sign must be good, since most of it is no speech."""
    sure = mean_probability(segment)
    if sure >= _FAINT_WORDS and segment.no_speech_prob <= _FAINT_NO_SPEECH and \
            segment.avg_logprob >= min(_FAINT_LOGPROB, context.usual):
        return None
    return Doubt("drop", f"faint, and not sure: word probability {sure:.2f}, no speech {segment.no_speech_prob:.2f}, "
                         f"log probability {segment.avg_logprob:.2f}")
