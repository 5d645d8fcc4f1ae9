"""demux: the film in, the dialogue track as samples and its map to film time out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from cp_whisperx.artifacts import AudioTrack, Downmix, TrackChoice
from cp_whisperx.errors import MediaError
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools
from cp_whisperx.timeline import SAMPLE_RATE, ms

if TYPE_CHECKING:
    from cp_whisperx.media import probe

_WAV = "audio.wav"


class Options(StageOptions):
    language: str | None = Field(None, description="Language of the wanted audio track: hi, hin, Hindi…")
    track: int | None = Field(None, ge=0, description="Index of the stream to listen to; overrides the policy")
    shots: Literal["fast", "full", "off"] = Field(
        "fast", description="Shot changes, for cues that respect them. fast: where the file itself makes one likely; "
                            "full: every picture is decoded; off: cues do not know of shots")


def run(inputs: Inputs, options: Options, tools: Tools) -> AudioTrack:
    # Every stage's process imports this module; the images of those that read no film do not hold these.
    from cp_whisperx.media import decode, probe, tracks

    media = probe.probe(tools.film)
    choice = tracks.choose(media, language=options.language, index=options.track)
    track, picture = choice.stream, media.picture
    tools.log.info(f"audio track {track.index} ({track.codec} {track.channels} {track.language or 'no language'}): "
                   f"{choice.reason}")
    if choice.doubt:
        tools.warn(choice.doubt)
    sound = decode.extract(tools.film, track.index, tools.work / _WAV, clip=tools.clip, progress=tools.progress)
    tools.log.info(f"downmix {sound.rule}: {sound.reason}")
    for warning in sound.warnings:
        tools.warn(warning)
    cuts = _cuts(picture, options, tools)
    return AudioTrack(
        file=_WAV,
        samples=sound.samples,
        sample_rate=SAMPLE_RATE,
        track=TrackChoice(index=track.index, codec=track.codec, language=track.language, title=track.title,
                          channels=track.channels, reason=choice.reason),
        downmix=Downmix(rule=sound.rule, levels_dbfs=sound.levels_dbfs, reason=sound.reason),
        time_map=sound.time_map,
        duration_s=ms(sound.samples / SAMPLE_RATE),
        film_duration_s=media.duration_s,
        has_picture=picture is not None,
        frame_rate=picture.frame_rate if picture else None,
        shots=cuts,
        warnings=sound.warnings,
    )


def _cuts(picture: probe.StreamInfo | None, options: Options, tools: Tools) -> tuple[float, ...] | None:
    if picture is None or options.shots == "off":
        return None
    from cp_whisperx.media import shots

    began = time.monotonic()
    try:
        found = shots.find(tools.film, picture.index, mode=options.shots, clip=tools.clip, threads=tools.threads)
    except MediaError as error:
        tools.warn(f"no shot changes: {error.message}")
        return None
    tools.log.info(f"{len(found.cuts)} shot changes, from {found.frames} pictures in {time.monotonic() - began:.1f} s")
    return found.cuts if found.frames else None


STAGE = Stage(
    name="demux",
    version=2,
    needs=(),
    makes=AudioTrack,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "media", "array")),
    reads_film=True,
)
