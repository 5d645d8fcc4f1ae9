"""Text of another language: a second pass over each window, which keeps the times of the words that were spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cp_whisperx import carrying, writing
from cp_whisperx.engines.protocols import Heard, Transcriber, Translator
from cp_whisperx.timeline import Segment

if TYPE_CHECKING:
    from cp_whisperx.engines.protocols import Waveform


class WhisperTranslator:
    """Whisper's own task `translate` (paper, section 2.3): listens again, reads nothing, knows English alone."""

    target = "en"

    def __init__(self, engine: Transcriber) -> None:
        self._engine = engine

    def translate(self, wave: Waveform, spoken: Sequence[Segment], *, source: str) -> Heard:
        return writing.hear(self._engine, wave, language=source, task="translate",
                            writing=writing.writing(source, "translate", "auto"))


def second_pass(translator: Translator, wave: Waveform, spoken: Sequence[Segment], *, source: str) -> Heard:
    """The translation of one window, each word in the time of the words that it stands for."""
    translated = translator.translate(wave, spoken, source=source)
    return replace(translated, segments=carrying.carry(translated.segments, spoken))
