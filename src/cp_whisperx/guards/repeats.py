"""Guards that compare a segment with those before and after it."""

from __future__ import annotations

from cp_whisperx.guards.context import Context, Doubt, mean_probability
from cp_whisperx.guards.tokens import same, tokens
from cp_whisperx.timeline import Segment

_TWICE_S = 0.3
_LETTERS_PER_S = 30.0
_ECHOES = 4
_ECHOES_CERTAIN = 8
_LONG = 3
"""Words: people do say "No!" four times."""
_BELIEVED_WORDS, _BELIEVED_SPEECH = 0.8, 0.8


def duplicate(segment: Segment, context: Context) -> Doubt | None:
    """The segment before once more, in less time than it takes to say it."""
    if not context.before or not same(segment.text, context.before[-1].text):
        return None
    letters = sum(map(len, tokens(segment.text)))
    if segment.start - context.before[-1].end < _TWICE_S and letters > _LETTERS_PER_S * segment.duration:
        return Doubt("drop", f"the same as before it, in {segment.duration:.2f} s")
    return None


def echo(segment: Segment, context: Context) -> Doubt | None:
    """One sentence again and again, segment after segment; the first of them is left to the other guards.

    A refrain that is well heard stays, up to a number.
    """
    earlier = _run(segment, context.before[::-1])
    if not earlier:
        return None
    times = earlier + 1 + _run(segment, context.after)
    if times < _ECHOES or (times < _ECHOES_CERTAIN and len(tokens(segment.text)) < _LONG):
        return None
    mean, _ = context.sound.speech(segment)
    if times < _ECHOES_CERTAIN and mean_probability(segment) >= _BELIEVED_WORDS and mean >= _BELIEVED_SPEECH:
        return None
    return Doubt("re-decode", f"the same text {times} times running")


def _run(segment: Segment, others: tuple[Segment, ...]) -> int:
    """How many of `others`, from the nearest on, say the same."""
    count = 0
    for other in others:
        if not same(segment.text, other.text):
            break
        count += 1
    return count
