"""Forced alignment of English with the acoustic model that the pocketsphinx wheel carries, in steps of 10 ms.

A Viterbi search through the phones of the given words (https://github.com/cmusphinx/pocketsphinx, BSD); pauses
and noises between words are found by the search itself. It takes 1-2 % of the sound's length on one core and holds
the interpreter while it does, so that processes are what makes it parallel: see `alignment_workers`.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cp_whisperx.engines import pronunciation
from cp_whisperx.errors import EngineError
from cp_whisperx.timeline import Span, ms

if TYPE_CHECKING:
    from cp_whisperx.engines.protocols import Waveform

_FRAME_S = 0.01
_BEAM = 1e-60
"""Of the relative likelihoods kept in the search: at the library's 1e-48 some windows under music find no way
through, from 1e-70 on its fixed-point scores overflow and it fails more often."""
_FILLERS = ("<", "[")


def available() -> bool:
    """True if the library is installed; it is not imported for the answer."""
    return importlib.util.find_spec("pocketsphinx") is not None


class SphinxAligner:
    language = "en"

    def __init__(self) -> None:
        """Loads the model: 0.2 s, 45 MB. Raises EngineError if the library is not there or damaged."""
        try:
            import pocketsphinx

            self._decoder: Any = pocketsphinx.Decoder(
                hmm=pocketsphinx.get_model_path("en-us/en-us"), dict=pocketsphinx.get_model_path(
                    "en-us/cmudict-en-us.dict"), lm=None, beam=_BEAM, wbeam=_BEAM, pbeam=_BEAM, loglevel="FATAL")
        except (ImportError, RuntimeError) as error:
            raise EngineError(f"the aligner of words cannot be loaded ({error})",
                              hint="turn it off: stages.asr.align = \"off\" in the settings") from error

    def align(self, wave: Waveform, words: Sequence[str]) -> tuple[Span | None, ...] | None:
        spoken = [pronunciation.spoken(word, self._known) for word in words]
        said = [word for group in spoken for word in group]
        if not said or not wave.size or not all(map(self._learned, dict.fromkeys(said))):
            return None
        found = self._search(wave, said)
        if found is None:
            return None
        times = iter(found)
        spans: list[Span | None] = []
        for group in spoken:
            parts = [next(times) for _ in group]
            spans.append(Span(parts[0].start, parts[-1].end) if parts else None)
        return tuple(spans)

    def _search(self, wave: Waveform, said: list[str]) -> list[Span] | None:
        """One span for each of the words said, or None if the search does not reach the end."""
        import numpy as np

        sound = (wave * np.float32(32767)).clip(-32768, 32767).astype("<i2").tobytes()
        try:
            self._decoder.set_align_text(" ".join(said))
            self._decoder.start_utt()
            # As one utterance: the mean that is taken off the spectrum is then that of the whole sound.
            self._decoder.process_raw(sound, no_search=False, full_utt=True)
            self._decoder.end_utt()
            heard = [entry for entry in self._decoder.seg() or () if not entry.word.startswith(_FILLERS)]
        except RuntimeError:
            return None
        if [re.sub(r"\(\d+\)$", "", entry.word) for entry in heard] != said:
            return None
        return [Span(ms(entry.start_frame * _FRAME_S), ms((entry.end_frame + 1) * _FRAME_S)) for entry in heard]

    def _known(self, word: str) -> bool:
        return self._decoder.lookup_word(word) is not None

    def _learned(self, word: str) -> bool:
        """Gives the dictionary a word that it lacks; False if nothing says how it sounds."""
        if self._known(word):
            return True
        readings = pronunciation.phones(word)
        for position, reading in enumerate(readings):
            self._decoder.add_word(word if not position else f"{word}({position + 1})", reading, True)
        return bool(readings)
