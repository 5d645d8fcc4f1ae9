from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from cp_whisperx import writing
from cp_whisperx.engines.fake import CountingTranscriber, WordTranslator
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.engines.protocols import Translator
from cp_whisperx.media import decode
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Word
from cp_whisperx.translation import WhisperTranslator, second_pass

SOUND = np.full(4 * SAMPLE_RATE, 0.1, np.float32)
SPOKEN = (Segment(1.0, 2.0, "मैं घर", (Word(1.0, 1.4, " मैं", 0.9), Word(1.6, 2.0, " घर", 0.9)), -0.2, 0.0, 1.0),)

TRANSLATORS: dict[str, Translator] = {
    "reads": WordTranslator({"मैं": "I", "घर": "home"}), "listens": WhisperTranslator(CountingTranscriber())}


@pytest.mark.parametrize("name", TRANSLATORS)
def test_the_words_have_the_times_of_what_was_spoken(name: str) -> None:
    made = second_pass(TRANSLATORS[name], SOUND, SPOKEN, source="hi").segments
    words = [word for segment in made for word in segment.words]
    assert (words[0].start, words[-1].end) == (1.0, 2.0)
    assert {word.timing for word in words} == {"carried"}
    # None lies in the pause.
    assert all(word.end <= 1.4 or word.start >= 1.6 for word in words)


def test_where_nothing_was_transcribed_a_listener_is_believed() -> None:
    made = second_pass(WhisperTranslator(CountingTranscriber()), SOUND, (), source="hi").segments
    assert made == CountingTranscriber().transcribe(SOUND, language="hi", task="translate").segments
    assert second_pass(WordTranslator({}), SOUND, (), source="hi").segments == ()


@pytest.mark.real
@pytest.mark.media
def test_whisper_translates(models: ModelStore, shared_media: Path, tmp_path: Path) -> None:
    decode.extract(shared_media / "hindi" / "stories" / "2131_003.wav", 0, tmp_path / "audio.wav")
    samples = Samples(tmp_path / "audio.wav")
    sound = samples.slice(0, len(samples))
    engine = WhisperTranscriber(models.path("base"), device="cpu", threads=1, beam_size=1, log=logging.getLogger("t"))
    spoken = writing.hear(engine, sound, language="hi", task="transcribe",
                          writing=writing.writing("hi", "transcribe", "auto"))
    translated = second_pass(WhisperTranslator(engine), sound, spoken.segments, source="hi")
    words = [word for segment in translated.segments for word in segment.words]
    assert len(words) >= 3 and "".join(word.text for word in words).isascii()
    assert {word.timing for word in words} == {"carried"}
    assert spoken.segments[0].start <= words[0].start and words[-1].end <= spoken.segments[-1].end
