"""Where somebody speaks in a film, for a check of anybody's subtitles: the pipeline's own first stages, in passing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from cp_whisperx import pipeline, settings
from cp_whisperx.artifacts import AudioTrack, SpeakerActivity, Speech
from cp_whisperx.errors import CpWhisperxError
from cp_whisperx.models.store import ModelStore
from cp_whisperx.runners.local import LocalRunner
from cp_whisperx.timeline import Span

_STAGES = (AudioTrack.stage, Speech.stage, SpeakerActivity.stage)


def speech_in(film: Path, language: str) -> tuple[Span, ...] | None:
    """In film time; None, with a note that says why, if it cannot be listened to."""
    try:
        with tempfile.TemporaryDirectory(prefix="cp-whisperx-") as folder:
            chosen = settings.load({"jobs": folder, "stages.demux.shots": "off",
                                    "stages.demux.language": None if language == "und" else language})
            job = pipeline.prepare(film, chosen)
            store = ModelStore(chosen.model_store.root)
            for stage in _STAGES:
                pipeline.run(job, store, LocalRunner(store.root, quiet=True), only=stage)
            time_map = AudioTrack.read(job.stage_folder(AudioTrack.stage)).time_map
            spans = SpeakerActivity.read(job.stage_folder(SpeakerActivity.stage)).spans
    except CpWhisperxError as error:
        click.echo(f"note: {film} was not listened to: {error.message}", err=True)
        if error.hint:
            click.echo(f"  hint: {error.hint}", err=True)
        return None
    starts = [time_map.film_time(span.onset) for span in spans]
    return tuple(Span(start, start + span.offset - span.onset) for start, span in zip(starts, spans, strict=True))
