"""subtitle-gen: words in sample time in, subtitle files in film time out."""

from __future__ import annotations

from pydantic import Field, field_validator

from cp_whisperx.artifacts import AudioTrack, NamedTranscript, SubtitleFile, Subtitles
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools
from cp_whisperx.subtitles.cueing import CueRules, cues
from cp_whisperx.subtitles.formats import FORMATS
from cp_whisperx.timeline import TimeMap, Word

_HOLE_S = 0.2
"""A jump of the film's clock by more than this ends a cue: what comes after is another place in the film."""


class Options(StageOptions):
    formats: tuple[str, ...] = Field(("srt", "vtt"), min_length=1, description="Files to write: srt, vtt")
    line_chars: int = Field(42, ge=10, description="Most characters on a line")
    max_lines: int = Field(2, ge=1, le=2, description="Most lines of a cue")
    min_duration_s: float = Field(0.833, ge=0, description="Cues are shown at least this long where there is room")
    max_duration_s: float = Field(7.0, gt=0, description="Cues are never shown longer, seconds")
    min_gap_s: float = Field(0.083, ge=0, description="Between two cues, seconds (2 frames at 24 per second)")
    chars_per_s: float = Field(20.0, gt=0, description="Reading speed aimed at, characters per second")
    linger_s: float = Field(0.5, ge=0, description="A cue may stay this long after its last word, for reading")
    pause_s: float = Field(1.0, gt=0, description="A longer silence between words always ends a cue")

    @field_validator("formats", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("formats")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in FORMATS:
                raise ValueError(f"{name} is no format of ours: {', '.join(FORMATS)}")
        return tuple(dict.fromkeys(value))


def run(inputs: Inputs, options: Options, tools: Tools) -> Subtitles:
    transcript = inputs[NamedTranscript]
    time_map = inputs[AudioTrack].time_map
    heard = [word for segment in transcript.segments for word in segment.words]
    rules = CueRules(**options.model_dump(exclude={"formats"}))
    made = cues([in_film_time(word, time_map) for word in heard], rules, _holes(heard, time_map))
    tag = "" if transcript.language == "und" else f".{transcript.language}"
    files = []
    for name in options.formats:
        file = f"{tools.name}{tag}.{name}"
        (tools.work / file).write_text(FORMATS[name](made), encoding="utf-8", newline="\n")
        files.append(SubtitleFile(format=name, file=file))
    tools.log.info(f"{len(made)} cues in {transcript.language}")
    return Subtitles(language=transcript.language, cues=made, files=tuple(files))


def in_film_time(word: Word, time_map: TimeMap) -> Word:
    start = time_map.film_time(word.start)
    # The word keeps its length: one that lies across a hole was last heard where the hole begins.
    return Word(start, start + word.duration, word.text, word.probability)


def _holes(words: list[Word], time_map: TimeMap) -> set[int]:
    """Positions of the first word behind each jump of the film's clock."""
    jumps = time_map.jumps(_HOLE_S)
    return {
        next((position for position, word in enumerate(words) if word.start >= jump), len(words)) for jump in jumps
    }


STAGE = Stage(
    name="subtitle-gen",
    version=1,
    needs=(AudioTrack, NamedTranscript),
    makes=Subtitles,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base",)),
)
