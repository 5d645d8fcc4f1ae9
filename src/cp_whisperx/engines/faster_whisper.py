"""Whisper in CTranslate2, through faster-whisper: windows of sound in, words with times out.

Everything here is deterministic: where the usual fallback samples at rising temperatures (Whisper paper,
section 4.5), this one decodes again by beam search with repetition forbidden.
"""

from __future__ import annotations

import functools
import itertools
import logging
import math
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.engines import device as devices
from cp_whisperx.engines import vocabulary
from cp_whisperx.engines.protocols import ANY_SCRIPT, Heard, Task
from cp_whisperx.errors import EngineError
from cp_whisperx.timeline import SAMPLE_RATE, Segment, Word

if TYPE_CHECKING:
    from cp_whisperx.engines.protocols import Waveform

LOOP_RATIO = 2.4
"""Text that zlib shrinks further than this repeats itself (threshold of the Whisper paper, section 4.5)."""
DOUBT_LOGPROB = -1.0
"""Mean log probability per token below which a decoding is doubted (same source)."""

_ATTEMPTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("beam", {}),
    ("no-repeat", {"no_repeat_ngram_size": 3, "repetition_penalty": 1.1}),
)

_LOCKED_ATTEMPTS: tuple[tuple[str, dict[str, Any]], ...] = (("locked", {"no_repeat_ngram_size": 4}),)
"""A decoder that is kept from its first choice loops, so repeats are forbidden at once. There is no second attempt: a
repetition penalty uses up the few tokens that a script has, and the alphabet is what then comes out."""


_CONTEXT = 448
"""Tokens that Whisper's decoder takes."""
_LEAST = 1e-10
_EXPECTING_BEAM = 5
"""With 1 a second hearing is quicker by a third, and has fewer of the names."""


class WhisperTranscriber:
    window_s = 30.0

    def __init__(self, model: Path, *, device: str, threads: int, beam_size: int, log: logging.Logger) -> None:
        """Loads the model. A GPU that fails is given up for the CPU, with a warning.

        Raises EngineError if it loads nowhere.
        """
        import ctranslate2

        chosen = devices.choose(device)
        try:
            self._model = self._load(model, chosen, threads)
        except Exception as error:
            if chosen.name == "cpu":
                raise _cannot_load(model, error) from error
            log.warning(f"the GPU cannot be used ({_first_line(error)}): going on with the CPU")
            chosen = devices.choose("cpu")
            chosen = devices.Device(chosen.name, chosen.compute_type, "the GPU failed")
            try:
                self._model = self._load(model, chosen, threads)
            except Exception as again:
                raise _cannot_load(model, again) from again
        self._memory = _Memory(self._model)
        self._beam_size = beam_size
        self._tokens: dict[frozenset[str], list[int]] = {}
        self.multilingual = bool(self._model.model.is_multilingual)
        self.device = chosen
        self.version = f"ctranslate2 {ctranslate2.__version__}"
        log.info(f"computing on {chosen.name} in {chosen.compute_type}: {chosen.reason}")

    @staticmethod
    def _load(path: Path, device: devices.Device, threads: int) -> Any:
        import numpy as np
        from faster_whisper import WhisperModel

        model = WhisperModel(str(path), device=device.name, compute_type=device.compute_type, cpu_threads=threads,
                             local_files_only=True)
        if device.name == "cuda":
            # A missing CUDA library shows only at the first computation: let it show here.
            list(model.transcribe(np.zeros(SAMPLE_RATE, np.float32), language="en", beam_size=1, max_new_tokens=1)[0])
        return model

    def tokens(self, text: str) -> int:
        return len(self._model.hf_tokenizer.encode(text, add_special_tokens=False).ids)

    def languages(self, wave: Waveform) -> dict[str, float]:
        self._memory.begin(None)
        _, _, shares = self._model.detect_language(wave)
        return dict(shares)

    def transcribe(self, wave: Waveform, *, language: str, task: Task, scripts: frozenset[str] = ANY_SCRIPT,
                   prompt: str = "") -> Heard:
        tried: list[Heard] = []
        self._memory.begin(wave)
        manner = {"suppress_tokens": [-1, *self._forbidden(scripts)], "initial_prompt": prompt or None}
        for name, options in _LOCKED_ATTEMPTS if scripts else _ATTEMPTS:
            heard = Heard(self._decode(wave, language, task, manner | options), name)
            if not any(map(_doubtful, heard.segments)):
                return heard
            tried.append(heard)
        return max(tried, key=_credit)

    def score(self, wave: Waveform, words: Sequence[str], *, language: str, task: Task,
              names: str = "") -> tuple[float, ...]:
        tokens = [self._spelt(word) for word in words]
        start = self._start(language, task, names)
        # What does not fit into the decoder's context is not scored.
        flat = list(itertools.chain.from_iterable(tokens))[:_CONTEXT - len(start) - 2]
        if not flat:
            return tuple(0.0 for _ in words)
        (found,) = self._model.model.align(self._memory.of(wave), start, [flat], self._memory.frames(wave))
        scores = iter(found.text_token_probs)
        return tuple(sum(math.log(max(probability, _LEAST)) for probability in itertools.islice(scores, len(piece)))
                     for piece in tokens)

    def expecting(self, wave: Waveform, names: str, *, language: str, task: Task) -> tuple[str, ...]:
        start = [*self._start(language, task, names), self._id("<|notimestamps|>")]
        (found,) = self._model.model.generate(self._memory.of(wave), [start], beam_size=_EXPECTING_BEAM,
                                              max_length=min(_CONTEXT, len(start) + _CONTEXT // 2))
        text = self._model.hf_tokenizer.decode(found.sequences_ids[0], skip_special_tokens=True)
        return tuple(re.findall(r"\s*\S+", text))

    def _start(self, language: str, task: Task, names: str) -> list[int]:
        """What the decoder is given before the text, the names as what was said before."""
        told = [self._id("<|startofprev|>"), *self._spelt(f" {names}")] if names else []
        opening = (f"<|{language}|>", f"<|{task}|>") if self.multilingual else ()
        return [*told, *map(self._id, ("<|startoftranscript|>", *opening))]

    def _spelt(self, text: str) -> list[int]:
        return list(self._spelling.encode(text, add_special_tokens=False).ids)

    def _id(self, token: str) -> int:
        found = self._model.hf_tokenizer.token_to_id(token)
        assert found is not None
        return int(found)

    @functools.cached_property
    def _spelling(self) -> Any:
        return vocabulary.mended(self._model.hf_tokenizer)

    def _forbidden(self, allowed: frozenset[str]) -> list[int]:
        """Tokens of the model in use that hold letters of other scripts, or begin one."""
        if not allowed:
            return []
        if allowed not in self._tokens:
            self._tokens[allowed] = vocabulary.forbidden(self._model.hf_tokenizer.get_vocab(), allowed)
        return self._tokens[allowed]

    def _decode(self, wave: Waveform, language: str, task: Task, options: dict[str, Any]) -> tuple[Segment, ...]:
        found, _ = self._model.transcribe(
            wave, language=language, task=task, beam_size=self._beam_size, temperature=[0.0],
            condition_on_previous_text=False, word_timestamps=True, vad_filter=False,
            # Segments are judged by the stage, which records what it drops.
            no_speech_threshold=None, compression_ratio_threshold=None, log_prob_threshold=None, **options)
        return tuple(_segment(segment) for segment in found if segment.words)


class _Memory:
    """What the encoder made of the sound that was transcribed last: it takes longer than a pass of the decoder."""

    def __init__(self, model: Any) -> None:
        self._model, self._encode = model, model.encode
        self._wave: Waveform | None = None
        self._first: Any = None
        model.encode = self._listen

    def begin(self, wave: Waveform | None) -> None:
        self._wave, self._first = wave, None

    def of(self, wave: Waveform) -> Any:
        from faster_whisper.audio import pad_or_trim

        if wave is not self._wave or self._first is None:
            self.begin(wave)
            features = self._model.feature_extractor(wave)
            self._listen(pad_or_trim(features[:, :min(self._most, features.shape[-1] - 1)]))
        return self._first

    def frames(self, wave: Waveform) -> int:
        return min(self._most, wave.size // int(self._model.feature_extractor.hop_length))

    @property
    def _most(self) -> int:
        return int(self._model.feature_extractor.nb_max_frames)

    def _listen(self, features: Any) -> Any:
        encoded = self._encode(features)
        # A window fits into the first pass; later ones hear what is behind the last words.
        if self._wave is not None and self._first is None:
            self._first = encoded
        return encoded


def _segment(segment: Any) -> Segment:
    words = tuple(Word(float(word.start), float(word.end), word.word, round(float(word.probability), 3))
                  for word in segment.words)
    return Segment(words[0].start, words[-1].end, segment.text.strip(), words, round(float(segment.avg_logprob), 3),
                   round(float(segment.no_speech_prob), 3), compression_ratio(segment.text))


def compression_ratio(text: str) -> float:
    """How far zlib shrinks the text at one byte a character, so that one threshold fits all scripts.

    In UTF-8, plain Hindi has the ratio of a loop in English: its letters have three bytes, two of them alike.
    """
    data = bytes(ord(character) & 0xFF for character in text)
    return round(len(data) / len(zlib.compress(data)), 3) if data else 0.0


def _doubtful(segment: Segment) -> bool:
    return segment.compression_ratio > LOOP_RATIO or segment.avg_logprob < DOUBT_LOGPROB


def _credit(heard: Heard) -> tuple[bool, float]:
    """Better without loops, then by probability."""
    if not heard.segments:
        return True, float("-inf")
    logprobs = [segment.avg_logprob for segment in heard.segments]
    return (all(segment.compression_ratio <= LOOP_RATIO for segment in heard.segments),
            sum(logprobs) / len(logprobs))


def _cannot_load(model: Path, error: Exception) -> EngineError:
    return EngineError(f"the speech recogniser in {model} cannot be loaded ({_first_line(error)})",
                       hint="run: cp-whisperx models verify")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
