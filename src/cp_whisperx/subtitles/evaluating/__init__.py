"""How close subtitles come to a reference: words, speakers, times, coverage, rules, names."""

from __future__ import annotations

from cp_whisperx.subtitles.evaluating.evaluate import Evaluation, evaluate
from cp_whisperx.subtitles.evaluating.reference import Reference, Utterance, read_names, read_reference

__all__ = ("Evaluation", "Reference", "Utterance", "evaluate", "read_names", "read_reference")
