from __future__ import annotations

import wave
from pathlib import Path

from cp_whisperx.artifacts import (
    AudioTrack,
    Downmix,
    Dropped,
    LanguageVote,
    NameChange,
    NamedTranscript,
    Speaker,
    SpeakerActivity,
    SpeakerTurns,
    TrackChoice,
    Transcript,
)
from cp_whisperx.qc import gather
from cp_whisperx.timeline import Anchor, Cue, Song, Span, SpeechSpan, TimeMap, Turn

LATE = TimeMap((Anchor(0.0, 2.0), Anchor(5.0, 10.0)))
"""The sound starts at 2 s, and has a hole of 3 s after its fifth second."""


def test_everything_comes_in_film_time(tmp_path: Path) -> None:
    wav = tmp_path / "audio.wav"
    with wave.open(str(wav), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000 * 10))
    track = AudioTrack(
        file=wav.name, samples=160_000, sample_rate=16_000, time_map=LATE, duration_s=10.0, film_duration_s=14.0,
        track=TrackChoice(index=1, codec="aac", language="en", title=None, channels="stereo", reason="only one"),
        downmix=Downmix(rule="mean", levels_dbfs={}, reason="stereo"), has_picture=True, frame_rate=24.0,
        shots=(3.5,), warnings=("a hole",))
    speech = SpeakerActivity(
        spans=(SpeechSpan(0.8, 3.2, 1.0, 3.0, 0.9, 1.0), SpeechSpan(5.8, 8.2, 6.0, 8.0, 0.9, 1.0)), speech_s=4.8,
        frames="f.npy", windows="w.npy", window_s=5.0, step_s=0.5, first_frame_s=0.03, frame_s=0.017, shares=())
    transcript = Transcript(
        language="en", spoken=LanguageVote(language="en", how="pinned", windows=0, shares={}), task="transcribe",
        model="base", segments=(), unheard=(Span(6.0, 8.0),), songs=(Song(4.0, 9.0, 0.9),),
        dropped=(Dropped(start=7.0, end=8.0, text="Bye.", guard="ghost", reason="why", hearing=2),
                 Dropped(start=1.0, end=2.0, text="...", guard="punctuation", reason="why")))
    turns = SpeakerTurns(speakers=(Speaker(label="S1", speech_s=2.0),), turns=(Turn(6.0, 8.0, "S1"),),
                         overlaps=(), rttm=None, method="test")
    named = NamedTranscript(language="en", segments=(), changes=(
        NameChange(start=1.0, end=1.5, before="Simon", after="Simran", reason="cast", score=0.9),))
    data = gather(film="Film", profile="bbc", cues=(Cue(3.0, 5.0, ("Hello.",)),), speeds=(3.0,), speed_limit=15.0,
                  rules=(), track=track, wav=wav, speech=speech, transcript=transcript, turns=turns,
                  speakers={"S1": "Simran"}, named=named, warnings=("weak model",))
    assert [(span.start, span.end) for span in data.speech] == [(3.0, 5.0), (11.0, 13.0)]
    assert data.unheard == (Span(11.0, 13.0),)
    assert data.songs == (Span(6.0, 11.0),)
    dropped = [(drop.start, drop.guard, drop.hearing) for drop in data.dropped]
    assert dropped == [(3.0, "punctuation", 1), (12.0, "ghost", 2)]
    assert (data.voices[0].label, data.voices[0].turns) == ("Simran", (Span(11.0, 13.0),))
    assert (data.changes[0].start, data.changes[0].after) == (3.0, "Simran")
    assert data.warnings == ("a hole", "weak model")
    assert (data.cuts, data.duration_s, len(data.peaks)) == ((3.5,), 15.0, 151)
