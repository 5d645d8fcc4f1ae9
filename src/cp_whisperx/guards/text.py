"""Guards that read: what stands in the text is reason enough, or nearly."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib import resources

from cp_whisperx.guards.context import Context, Doubt, mean_probability
from cp_whisperx.guards.tokens import contains, longest_run, tokens
from cp_whisperx.timeline import Segment

_TAGS = re.compile(r"(\[[^\]]*\]|\([^)]*\)|（[^）]*）|【[^】]*】|\*[^*]*\*|<[^>]*>|[♪♫♬♩]+[^♪♫♬♩]*)")

_LOOPS: tuple[tuple[int, int], ...] = ((1, 8), (3, 5), (7, 4), (20, 3))
"""(longest unit in words, times): said so often it is a loop. "No, no, no, no, no" is not one."""
_LOOP_SHARE = 0.5
"""Less of the text than this is a stutter in a sentence."""
_ONE_SOUND = 40
"""Characters of one word that is itself a loop of up to three of them; a long scream is shorter."""

_SURE_WORDS, _SURE_SPEECH, _SURE_NO_SPEECH = 0.8, 0.9, 0.35
"""Words, detector and recogniser must all be so sure before a farewell is believed."""
_POOR_WORDS, _POOR_SPEECH, _POOR_NO_SPEECH = 0.3, 0.3, 0.6
"""One of them so unsure is enough to doubt what people say every day."""


def punctuation(segment: Segment, context: Context) -> Doubt | None:
    """Nothing but signs."""
    return None if tokens(segment.text) else Doubt("drop", "no letter and no digit")


def tag(segment: Segment, context: Context) -> Doubt | None:
    """A description in brackets, not words: `[Music]`, `(applause)`, `*laughs*`, notes."""
    if tokens(_TAGS.sub(" ", segment.text)):
        return None
    return Doubt("re-decode", "a description of sound, not words")


def loop(segment: Segment, context: Context) -> Doubt | None:
    """A unit of words again and again, over most of the segment."""
    words = tokens(segment.text)
    period = 1
    for longest, times in _LOOPS:
        while period <= min(longest, len(words) // times):
            said = longest_run(words, period)
            if said >= times and said * period >= _LOOP_SHARE * len(words):
                return Doubt("re-decode", f"a loop: {period} {'word' if period == 1 else 'words'} {said} times")
            period += 1
        period = longest + 1
    for word in words:
        for size in (1, 2, 3):
            if len(word) > _ONE_SOUND and longest_run(word, size) * size > _ONE_SOUND:
                return Doubt("re-decode", f"a loop: {size} characters {longest_run(word, size)} times")
    return None


def ghost(segment: Segment, context: Context) -> Doubt | None:
    """A phrase that recognisers put where nobody speaks, learnt from the subtitles that they were trained on.

    Credits are never spoken; for the others the sound has its say.
    """
    words = tokens(segment.text)
    found = ghosts()
    for part in found.credits:
        if contains(words, part):
            return Doubt("re-decode", "a credit that nobody speaks")
    if words not in found.farewells and words not in found.common:
        return None
    speech, _ = context.sound.speech(segment)
    sure, silent = mean_probability(segment), segment.no_speech_prob
    if words in found.farewells:
        believed = sure >= _SURE_WORDS and speech >= _SURE_SPEECH and silent <= _SURE_NO_SPEECH
    else:
        believed = sure > _POOR_WORDS and speech > _POOR_SPEECH and silent < _POOR_NO_SPEECH
    if believed:
        return None
    return Doubt("re-decode", f"often invented: word probability {sure:.2f}, speech {speech:.2f}, "
                              f"no speech {silent:.2f}")


@dataclass(frozen=True)
class Ghosts:
    """Phrases as words; ghosts.toml says what becomes of each kind."""

    credits: frozenset[tuple[str, ...]]
    farewells: frozenset[tuple[str, ...]]
    common: frozenset[tuple[str, ...]]


@functools.cache
def ghosts() -> Ghosts:
    """Of all languages: a recogniser invents in its own, whatever was spoken."""
    data = tomllib.loads(resources.files(__package__).joinpath("ghosts.toml").read_text(encoding="utf-8"))

    def kind(name: str) -> frozenset[tuple[str, ...]]:
        return frozenset(tokens(text) for entry in data.values() for text in entry.get(name, ()))

    return Ghosts(kind("credits"), kind("farewells"), kind("common"))
