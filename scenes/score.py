"""How close subtitles come to a scene's truth: word error rate, and how late or early the cues come in."""

from __future__ import annotations

import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer

from cp_whisperx.timeline import Cue
from scenes.truth import Line


@dataclass(frozen=True)
class Score:
    """`in_cue_s`: for each line, seconds by which the nearest cue starts late (early: negative)."""

    word_error_rate: float
    wrong_words: tuple[str, ...]
    in_cue_s: tuple[float, ...]

    @property
    def in_cue_median_s(self) -> float:
        return statistics.median(map(abs, self.in_cue_s))

    @property
    def in_cue_worst_s(self) -> float:
        return max(map(abs, self.in_cue_s))


def normalised(text: str) -> str:
    """Lower case, composed, letters and digits and apostrophes alone, single spaces."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    kept = "".join(character if character.isalnum() or character == "'" or unicodedata.combining(character)
                   else " " for character in plain)
    return " ".join(kept.split())


def word_error_rate(reference: str, heard: str) -> float:
    """Wrong, missing and added words over the words of the reference, both normalised."""
    return float(jiwer.wer(normalised(reference), normalised(heard)))


def score(lines: Sequence[Line], cues: Sequence[Cue]) -> Score:
    """Lines of the truth against cues in film time, both in order."""
    reference = normalised(" ".join(line.text for line in lines))
    heard = normalised(" ".join(" ".join(cue.lines) for cue in cues))
    found = jiwer.process_words(reference, heard)
    wrong = tuple(
        f"{' '.join(found.references[0][part.ref_start_idx:part.ref_end_idx]) or '-'} -> "
        f"{' '.join(found.hypotheses[0][part.hyp_start_idx:part.hyp_end_idx]) or '-'}"
        for part in found.alignments[0] if part.type != "equal")
    late = tuple(min((cue.start - line.start_s for cue in cues), key=abs) for line in lines)
    return Score(float(found.wer), wrong, late)
