from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from cp_whisperx.engines.pocketsphinx import SphinxAligner, available
from cp_whisperx.timeline import SAMPLE_RATE, Span
from scenes.dialogue import load_dialogue
from scenes.voices import Clip, spoken

LINES = {line.text: clip for line, clip in spoken(SAMPLE_RATE).items()}


@pytest.fixture(scope="module")
def aligner() -> SphinxAligner:
    return SphinxAligner()


def sound(clip: Clip, before_s: float = 0.5) -> NDArray[np.float32]:
    pause = np.zeros(round(before_s * SAMPLE_RATE), np.float32)
    return np.concatenate([pause, clip.samples * np.float32(0.1), pause])


def found(aligner: SphinxAligner, text: str, wave: NDArray[np.float32]) -> list[Span]:
    spans = aligner.align(wave, [f" {word}" for word in text.split()])
    assert spans is not None and None not in spans
    return [span for span in spans if span is not None]


def test_it_is_there() -> None:
    assert available()


@pytest.mark.parametrize("text", LINES)
def test_lines_start_and_end_where_the_voice_does(aligner: SphinxAligner, text: str) -> None:
    """With names that no dictionary has; a mid-line pause is no part of a word."""
    clip = LINES[text]
    spans = found(aligner, text, sound(clip))
    assert len(spans) == len(text.split())
    assert abs(spans[0].start - (0.5 + clip.onset / SAMPLE_RATE)) < 0.1
    assert abs(spans[-1].end - (0.5 + clip.end / SAMPLE_RATE)) < 0.15
    assert all(0.03 <= span.duration < 1.2 for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))


def test_the_script_holds_names_that_the_dictionary_lacks(aligner: SphinxAligner) -> None:
    names = {speaker.name.lower() for speaker in load_dialogue().speakers}
    assert {name for name in names if not SphinxAligner()._known(name)} >= {"simran", "kuljeet", "rajveer"}


def test_what_was_aligned_before_changes_nothing(aligner: SphinxAligner) -> None:
    first, second = list(LINES)[:2]
    once = found(aligner, first, sound(LINES[first]))
    found(aligner, second, sound(LINES[second]))
    assert found(aligner, first, sound(LINES[first])) == once
    assert found(SphinxAligner(), first, sound(LINES[first])) == once


def test_a_dash_is_not_pronounced(aligner: SphinxAligner) -> None:
    spans = aligner.align(sound(LINES["Why did nobody tell me?"]), [" Why", " –", " did", " nobody", " tell", " me?"])
    assert spans is not None
    assert [span is None for span in spans] == [False, True, False, False, False, False]


REFUSED = {
    "more words than the sound has room for": ("one two three four five six seven eight nine ten " * 8, 1.0),
    "another script": ("नमस्ते दोस्तो", 3.0),
    "nothing said": ("... –", 1.0),
    "no words": ("", 1.0),
    "no sound": ("hello", 0.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_fails_closed(aligner: SphinxAligner, name: str) -> None:
    text, seconds = REFUSED[name]
    noise = np.random.default_rng(0).normal(0, 0.05, round(seconds * SAMPLE_RATE)).astype(np.float32)
    assert aligner.align(noise, text.split()) is None
