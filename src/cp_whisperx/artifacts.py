"""What passes between stages: one artifact per stage, typed and versioned.

An artifact is `artifact.json` in its stage's folder, with the files it names beside it. Nothing in it depends
on when, where or how fast it was made: the same inputs and options give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.timeline import Cue, Segment, Song, Span, SpeechSpan, TimeMap, Turn

FILE = "artifact.json"


class Frozen(BaseModel):
    """Base of all that is written as JSON: immutable, and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Artifact(Frozen):
    """Base of the artifacts. `stage` is the name of the one stage that makes it, and of its folder in a job."""

    stage: ClassVar[str]
    schema_version: int = 1

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises ArtifactInvalid if it is missing, damaged or of another version."""
        path = folder / FILE
        try:
            artifact = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise ArtifactInvalid(f"{cls.stage} has not been done in this job",
                                  hint=f"run it first: cp-whisperx stage {cls.stage} JOB") from None
        except (ValidationError, OSError) as error:
            raise ArtifactInvalid(f"{path} is damaged", hint=f"delete {folder} and run the job again",
                                  log=str(error)) from error
        if artifact.schema_version != cls.model_fields["schema_version"].default:
            raise ArtifactInvalid(f"{path} has schema version {artifact.schema_version}, not the one of this "
                                  "program", hint=f"delete {folder} and run the job again")
        return artifact


class TrackChoice(Frozen):
    """The audio track that was chosen, and why, in words for a person."""

    index: int
    codec: str
    language: str | None
    title: str | None
    channels: str
    reason: str


class Downmix(Frozen):
    """How the channels became one. `rule` is the mix that was kept; levels are RMS over the film, dBFS."""

    rule: str
    levels_dbfs: dict[str, float]
    reason: str


class AudioTrack(Artifact):
    """Mono 16 kHz samples (`file`, 16-bit WAV) and the map from sample time to film time."""

    stage: ClassVar[str] = "demux"
    file: str
    samples: int
    sample_rate: int
    track: TrackChoice
    downmix: Downmix
    time_map: TimeMap
    duration_s: float
    """Of the samples."""
    film_duration_s: float | None
    """As the container says; None if it does not."""
    has_picture: bool
    frame_rate: float | None
    shots: tuple[float, ...] | None = None
    """Film times of the first picture of each shot but the first one; None if nobody looked."""
    warnings: tuple[str, ...]


class Credit(Frozen):
    """One person of the film. `characters`: the names of whom they play, or empty; `job`: actor, director, writer…"""

    person: str
    characters: tuple[str, ...] = ()
    job: str = "actor"
    order: int | None = None
    """Billing, 0 first."""


class Film(Artifact):
    """What is known of the film before anybody listens. All fields are empty where nothing is known."""

    stage: ClassVar[str] = "tmdb"
    title: str | None
    original_title: str | None
    year: int | None
    original_language: str | None
    """ISO 639-1."""
    runtime_s: float | None
    ids: dict[str, str]
    """By the name of who gives them: tmdb, imdb."""
    alternative_titles: tuple[str, ...]
    credits: tuple[Credit, ...]
    keywords: tuple[str, ...]
    places: tuple[str, ...]
    overview: str
    extra_names: tuple[str, ...]
    """Names that the user's cast file adds and that belong to no person of the credits."""
    sources: tuple[str, ...]
    """Where it comes from, in words for a person, the strongest first."""
    lacked: tuple[str, ...]
    """What was looked for and could not be had, with the reason."""
    attribution: str
    """The notice that a source asks for; empty if none was used."""


class Name(Frozen):
    """One entry of the glossary: `canonical` is how it is to be written; `variants` other spellings of it."""

    canonical: str
    kind: Literal["person", "place", "organisation", "title", "other"]
    source: str
    weight: float
    """0..1: how probable it is that it is spoken."""
    variants: tuple[str, ...] = ()


class Glossary(Artifact):
    """The names to expect, the weightiest first."""

    stage: ClassVar[str] = "pre-ner"
    names: tuple[Name, ...]


class Speech(Artifact):
    """Where speech is, in sample time, and how probable it is in each frame of 512 samples (32 ms).

    `frames` is a .npy file of float16, shape (n_frames,), values 0..1.
    """

    stage: ClassVar[str] = "silero-vad"
    spans: tuple[SpeechSpan, ...]
    frames: str
    frame_samples: int
    speech_s: float


class DetectorShare(Frozen):
    """Seconds that one detector alone would have lost (`lost`) or invented (`invented`) against what was kept."""

    detector: str
    lost_s: float
    invented_s: float


class SpeakerActivity(Artifact):
    """Speech as two detectors agree on it, and who-like-whom in each short window, in sample time.

    `frames` is a .npy file of float16, shape (n_frames, 2), values 0..1: the probability of speech, and of two or
    more voices. `windows` is a .npy file of uint8, shape (n_windows, frames_per_window, local_speakers): probability
    times 255 that a local speaker speaks; column k of one window and column k of the next need not be one person.
    Frame i of window w is centred on w * `step_s` + `first_frame_s` + i * `frame_s`; frame i of `frames` on
    `first_frame_s` + i * `frame_s`.
    """

    stage: ClassVar[str] = "pyannote-vad"
    spans: tuple[SpeechSpan, ...]
    speech_s: float
    frames: str
    windows: str
    window_s: float
    step_s: float
    first_frame_s: float
    frame_s: float
    shares: tuple[DetectorShare, ...]


class Speaker(Frozen):
    """One voice of the film. `label` is neutral: S1, S2… by first word."""

    label: str
    speech_s: float


class SpeakerTurns(Artifact):
    """Who speaks when, in sample time; turns may overlap. No speakers and no turns where it was not asked for."""

    stage: ClassVar[str] = "diarization"
    speakers: tuple[Speaker, ...]
    turns: tuple[Turn, ...]
    overlaps: tuple[Span, ...]
    rttm: str | None
    """File with the turns in NIST's RTTM; None where it was not asked for."""
    method: str


class LanguageVote(Frozen):
    """How the language was found. `shares` are mean probabilities over the `windows` that were heard."""

    language: str
    how: Literal["pinned", "voted", "model", "silence"]
    windows: int
    shares: dict[str, float]


class Dropped(Frozen):
    """Text that the recogniser gave and a guard did not believe. `hearing` is the first or the second one."""

    start: float
    end: float
    text: str
    guard: str
    reason: str
    hearing: Literal[1, 2] = 1


class Decision(Frozen):
    """Text that was heard again because it contradicted the film: `before` and what came instead, `after`."""

    start: float
    end: float
    before: str
    after: str
    reason: str


class Transcript(Artifact):
    """Segments with words, in sample time. `language` is that of the text; `spoken` that of the sound.

    `script` is the ISO 15924 code of the text (Deva, Latn); empty where it may hold several or another.
    """

    stage: ClassVar[str] = "asr"
    language: str
    spoken: LanguageVote
    task: Literal["transcribe", "translate"]
    model: str
    segments: tuple[Segment, ...]
    dropped: tuple[Dropped, ...]
    unheard: tuple[Span, ...] = ()
    """Speech, as the detector has it, that got no words in either hearing."""
    songs: tuple[Song, ...] = ()
    """Sections whose words are sung."""
    script: str = ""
    decisions: tuple[Decision, ...] = ()


class NameChange(Frozen):
    """One repair of the text, or one that a person forbade (`vetoed`). Times in sample time, seconds."""

    start: float
    end: float
    before: str
    after: str
    reason: str
    score: float
    vetoed: bool = False


class NamedTranscript(Artifact):
    """The transcript with its names repaired; words keep their times."""

    stage: ClassVar[str] = "post-ner"
    language: str
    segments: tuple[Segment, ...]
    changes: tuple[NameChange, ...]


class SubtitleFile(Frozen):
    format: str
    file: str


class Subtitles(Artifact):
    """Cues in film time, and the same in files of each asked format."""

    stage: ClassVar[str] = "subtitle-gen"
    language: str
    profile: str
    """Name of the rules they keep."""
    cues: tuple[Cue, ...]
    files: tuple[SubtitleFile, ...]


class StreamFate(Frozen):
    """What became of one stream of the film."""

    index: int
    kind: str
    codec: str
    language: str | None
    fate: Literal["kept", "converted", "dropped", "replaced"]
    reason: str = ""


class SubtitledFilm(Artifact):
    """The film with its soft subtitles, or the reason why there is none (`file` is None)."""

    stage: ClassVar[str] = "mux"
    file: str | None
    container: str | None
    reason: str
    streams: tuple[StreamFate, ...]
