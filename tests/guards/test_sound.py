from __future__ import annotations

from dataclasses import replace

import pytest

from cp_whisperx.guards.sound import confidence, faintness, silence, speed
from tests.guards.making import context, segment

SILENCES = {
    "speech": ({}, None),
    "digital silence": ({"level_db": -90.0}, "silence"),
    "a whisper": ({"level_db": -58.0}, None),
    "no frame like speech": ({"mean": 0.05, "peak": 0.2}, "no speech"),
    "one frame like speech": ({"mean": 0.05, "peak": 0.6}, None),
}


@pytest.mark.parametrize("name", SILENCES)
def test_text_over_silence(name: str) -> None:
    sound, reason = SILENCES[name]
    found = silence(segment("Hello there."), context(**sound))  # type: ignore[arg-type]
    assert (found is None) is (reason is None)
    assert found is None or (found.verdict == "drop" and found.reason.startswith(str(reason)))


SPEEDS = {
    "normal": ("This is said at a normal speed.", 2.0, False),
    "very fast": ("This is said as fast as anybody can", 1.0, False),
    "impossible": ("This is said as fast as nobody at all can", 0.5, True),
    "short words may be squeezed": ("Oh no!", 0.05, False),
    "Devanagari counts letters, not signs": ("मैं तुम्हें बताना चाहता हूँ कि", 0.5, False),
}


@pytest.mark.parametrize("name", SPEEDS)
def test_speed(name: str) -> None:
    text, seconds, doubted = SPEEDS[name]
    assert bool(speed(segment(text, 10.0, 10.0 + seconds), context())) is doubted


def test_words_without_time() -> None:
    made = segment("one two three four five six", 10.0, 13.0)
    squeezed = tuple(replace(word, start=13.0, end=13.0) if number > 1 else word
                     for number, word in enumerate(made.words))
    found = speed(replace(made, words=squeezed), context())
    assert found and found.reason == "4 of 6 words have no time of their own"
    few = tuple(replace(word, start=13.0, end=13.0) if number > 3 else word for number, word in enumerate(made.words))
    assert speed(replace(made, words=few), context()) is None


CONFIDENCES = {
    "fine": ({}, {}, False),
    "unsure but spoken": ({"logprob": -1.6, "no_speech": 0.1}, {}, False),
    "no speech, but sure": ({"no_speech": 0.9}, {}, False),
    "no speech, and unsure": ({"logprob": -1.3, "no_speech": 0.7}, {}, True),
    "the same in a language that the model hardly knows": ({"logprob": -1.3, "no_speech": 0.7}, {"usual": -1.1}, False),
    "but not everything": ({"logprob": -1.9, "no_speech": 0.7}, {"usual": -1.1}, True),
    "no word is sure": ({"logprob": -1.2, "sure": 0.05}, {}, True),
    "nonsense": ({"logprob": -2.0, "no_speech": 0.4}, {}, True),
    "real Hindi with a small model": ({"logprob": -2.1, "no_speech": 0.1, "sure": 0.4}, {"usual": -1.6}, False),
}


@pytest.mark.parametrize("name", CONFIDENCES)
def test_confidence(name: str) -> None:
    of_segment, of_context, doubted = CONFIDENCES[name]
    made = segment("some words", **of_segment)  # type: ignore[arg-type]
    assert bool(confidence(made, context(**of_context))) is doubted  # type: ignore[arg-type]


FAINT = {"sure of all": ({}, False), "no speech": ({"no_speech": 0.4}, True), "words": ({"sure": 0.6}, True),
         "log probability": ({"logprob": -0.7}, True)}


@pytest.mark.parametrize("name", FAINT)
def test_faint_speech_must_be_sure(name: str) -> None:
    of_segment, doubted = FAINT[name]
    assert bool(faintness(segment("Help me.", **of_segment), context())) is doubted  # type: ignore[arg-type]
