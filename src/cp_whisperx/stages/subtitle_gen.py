"""subtitle-gen: words in sample time in; subtitle files in film time out, and a report on their quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from cp_whisperx import qc, songs
from cp_whisperx.artifacts import (
    AudioTrack,
    Glossary,
    NamedTranscript,
    SpeakerActivity,
    SpeakerTurns,
    SubtitleFile,
    Subtitles,
    Transcript,
)
from cp_whisperx.speakers import assign, parse_names
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools
from cp_whisperx.subtitles import checking, profiles
from cp_whisperx.subtitles.cueing import cues
from cp_whisperx.subtitles.formats import ENCODINGS, FLAVOURS, FORMATS, Flavour, Newline, Sheet, write
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.subtitles.profiles import Profile, RuleChanges
from cp_whisperx.timeline import Cue, Span, TimeMap, Word

_HOLE_S = 0.2
"""A jump of the film's clock by more than this ends a cue: what comes after is another place in the film."""


class Options(StageOptions):
    formats: tuple[str, ...] = Field(("srt", "vtt"), min_length=1, description="Files to write: " + ", ".join(FORMATS))
    profile: str = Field(profiles.AUTO, description=f"Rules to keep: {', '.join(profiles.names())}, or a TOML file of "
                         "your own; auto: by language and script")
    speakers: Literal["off", "labels", "names"] = Field(
        "off", description="Name who speaks: not at all, by neutral labels, or those whose names are known")
    names: Annotated[dict[str, str], BeforeValidator(parse_names)] = Field(
        {}, description="Names of the labels, as S1=Simran,S2=Raj")
    flavour: Flavour = Field("", description="Tag in the files' names for media servers: "
                             + ", ".join(flavour for flavour in FLAVOURS if flavour))
    newline: Newline = Field("lf", description="How lines end in the files")
    encoding: str = Field("utf-8", description="Of the files whose format does not prescribe UTF-8: "
                          + ", ".join(ENCODINGS))
    report: bool = Field(True, description="Write qc.json and qc.html: every rule and where it is broken, what was "
                         "dropped, what was renamed")
    rules: RuleChanges = Field(default_factory=RuleChanges, description="Rules in the place of those of the profile")

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

    @field_validator("encoding")
    @classmethod
    def _writable(cls, value: str) -> str:
        if value.lower() not in ENCODINGS:
            raise ValueError(f"{value} is no encoding for subtitles: {', '.join(ENCODINGS)}")
        return value.lower()

    @field_validator("profile")
    @classmethod
    def _readable(cls, value: str) -> str:
        """A file becomes its text: the container of the stage sees the job and not the folders of the user."""
        if value == profiles.AUTO or "\n" in value:
            return value
        if profiles.is_file_name(value):
            return profiles.portable(Path(value).expanduser())
        return profiles.named(value).name

    def resolved(self, language: str, text: str) -> Profile:
        """The profile for `text`, with the changes to its rules."""
        if "\n" in self.profile:
            chosen = profiles.parse(self.profile)
        else:
            name = profiles.default_name(language, text) if self.profile == profiles.AUTO else self.profile
            chosen = profiles.named(name)
        return profiles.changed(chosen, self.rules.model_dump(exclude_none=True))


@dataclass(frozen=True)
class Heard:
    """All that cues are made of: words in sample time, cuts in film time; `sung` are positions of words.

    `speakers` has the name of each label, or None; `cuts` is None if nobody looked for them.
    """

    language: str
    words: tuple[Word, ...]
    names: tuple[str, ...] = ()
    speakers: Mapping[str, str | None] = field(default_factory=dict)
    sung: frozenset[int] = frozenset()
    cuts: tuple[float, ...] | None = None


def heard(inputs: Inputs, names: Mapping[str, str]) -> Heard:
    """The one place that knows which stages have a say. `names`: what speakers are called, by label."""
    transcript, turns = inputs[NamedTranscript], inputs[SpeakerTurns]
    words = tuple(word for segment in transcript.segments for word in segment.words)
    return Heard(transcript.language, assign(words, turns.turns) if turns.turns else words,
                 names=tuple(name.canonical for name in inputs[Glossary].names),
                 speakers={speaker.label: names.get(speaker.label) for speaker in turns.speakers},
                 sung=songs.mark(transcript.segments, inputs[Transcript].songs), cuts=inputs[AudioTrack].shots)


def run(inputs: Inputs, options: Options, tools: Tools) -> Subtitles:
    track = inputs[AudioTrack]
    what = heard(inputs, options.names)
    # Where nobody was asked who speaks, names are left alone: they may be those of a run before.
    if inputs[SpeakerTurns].rttm and (unknown := sorted(set(options.names) - set(what.speakers))):
        tools.warn(f"there is no speaker {', '.join(unknown)}: {len(what.speakers)} were found")
    profile = options.resolved(what.language, "".join(word.text for word in what.words))
    frame_rate = track.frame_rate if track.has_picture else None
    words = tuple(in_film_time(word, track.time_map) for word in what.words)
    made = cues(words, profile, grid=Grid.of(frame_rate), language=what.language,
                names=what.names, sung=what.sung, cuts=what.cuts or (),
                breaks_before=_holes(what.words, track.time_map),
                labels=_labels(what.speakers, options.speakers, profile))
    made = tuple(replace(cue, italic=cue.sung and profile.song_italic) for cue in made)
    sheet = Sheet(made, what.language, tools.name, frame_rate, words, _named(what.speakers, options.speakers),
                  dict(zip(what.speakers, cycle(profile.speaker_colours))))
    files = write(sheet, options.formats, tools.work, tools.name, flavour=options.flavour, encoding=options.encoding,
                  newline=options.newline)
    tools.log.info(f"{len(made)} cues in {what.language} by the rules of {profile.name}")
    if breached := Counter(breach.rule for cue in made for breach in cue.breaches):
        counted = ", ".join(f"{rule} {count}" for rule, count in sorted(breached.items()))
        tools.log.info(f"cues for which the speech leaves no room: {counted}")
    if options.report:
        _report(inputs, made, profile, frame_rate, what, tools)
    return Subtitles(language=what.language, profile=profile.name, cues=made,
                     files=tuple(SubtitleFile(format=name, file=path.name) for name, path in files.items()))


def _report(inputs: Inputs, made: Sequence[Cue], profile: Profile, frame_rate: float | None, what: Heard,
            tools: Tools) -> None:
    """What the validator, which shares nothing with the code that made the cues, says of them, and all else."""
    track = inputs[AudioTrack]
    heard_of, transcript = inputs[SpeakerActivity], inputs[Transcript]
    left_out = transcript.songs if profile.song_policy == "leave-out" else ()
    # The detector's own onsets: the spans that a recogniser gets begin earlier.
    speech = [Span(start := track.time_map.film_time(span.onset), start + span.offset - span.onset)
              for span in heard_of.spans if sum(map(span.overlap, left_out)) < span.duration / 2]
    verdict = checking.check(made, profile, frame_rate=frame_rate, cuts=what.cuts, speech=speech,
                             language=what.language)
    qc.write_report(tools.work, qc.gather(
        film=tools.name, profile=profile.name, cues=made, speeds=[cue.cps for cue in made],
        speed_limit=profile.cps_target, rules=verdict.outcomes, track=track,
        wav=inputs.file(AudioTrack, track.file), speech=heard_of, transcript=transcript, turns=inputs[SpeakerTurns],
        speakers=what.speakers, named=inputs[NamedTranscript]))


def in_film_time(word: Word, time_map: TimeMap) -> Word:
    start = time_map.film_time(word.start)
    # The word keeps its length: one that lies across a hole was last heard where the hole begins.
    return replace(word, start=start, end=start + word.duration)


def _holes(words: Sequence[Word], time_map: TimeMap) -> set[int]:
    """Positions of the first word behind each jump of the film's clock."""
    jumps = time_map.jumps(_HOLE_S)
    return {
        next((position for position, word in enumerate(words) if word.start >= jump), len(words)) for jump in jumps
    }


def _named(speakers: Mapping[str, str | None], how: str) -> dict[str, str]:
    """The name of each speaker; nobody who is not to be named, or whose name is not known."""
    if how == "off":
        return {}
    shown = {label: label if how == "labels" else name for label, name in speakers.items()}
    return {label: name for label, name in shown.items() if name}


def _labels(speakers: Mapping[str, str | None], how: str, profile: Profile) -> dict[str, str]:
    """How each speaker is named in the text."""
    return {label: profile.speaker_label.replace("{NAME}", name.upper()).replace("{name}", name)
            for label, name in _named(speakers, how).items()}


STAGE = Stage(
    name="subtitle-gen",
    version=4,
    needs=(AudioTrack, SpeakerActivity, SpeakerTurns, Glossary, Transcript, NamedTranscript),
    makes=Subtitles,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base",)),
)
