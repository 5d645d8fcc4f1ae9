"""A publisher's rules as one typed value. The numbers are in profiles/*.toml, each with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model

from cp_whisperx.artifacts import Frozen

Mark = Literal["1st", "2nd", "unv", "own"]
"""How well a number is founded: read in the publisher's own text; quoted by somebody else; unverified; our choice."""

FRAMES = "frames"
FRAMES_24 = "frames at 24 per second"
"""A stretch of time that is written in frames: it grows with the film's frame rate, as half a second does."""
NO_UNIT = "-"


def _rule(description: str, unit: str = NO_UNIT, **limits: Any) -> Any:
    return Field(description=description, json_schema_extra={"unit": unit}, **limits)


def _split(value: object) -> object:
    """The environment has no lists: words with commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Origin(Frozen):
    """Where a value comes from. `profile` is the file that states it: a profile may have it from what it extends."""

    source: str
    mark: Mark
    profile: str


class Rules(Frozen):
    """Every rule of a profile. Lengths count extended grapheme clusters; None means that there is no such rule."""

    max_cpl: int = _rule("Most characters on a line", "characters", ge=10)
    max_lines: int = _rule("Most lines of a cue", "lines", ge=1, le=3)

    cps_target: float = _rule("Reading speed that no cue should exceed", "characters per second", gt=0)
    cps_hard_flag: float | None = _rule("Reading speed that is reported as an error", "characters per second", gt=0)
    min_duration_s: float = _rule("A cue is shown at least this long", "s", ge=0)
    min_s_per_word: float | None = _rule("A cue is shown at least this long for each of its words", "s", ge=0)
    max_duration_s: float | None = _rule("A cue is never shown longer", "s", gt=0)

    min_gap_frames: int = _rule("Least gap between two cues", FRAMES, ge=0)
    chain_below_s: float = _rule("A shorter gap is closed to the least gap", "s", ge=0)
    linger_s: float = _rule("A cue may stay this long after its last word, to be read", "s", ge=0)
    in_tolerance_frames: int = _rule("How far an in-cue may be from the first sound", FRAMES, ge=0)
    pause_s: float = _rule("A longer silence between two words always ends a cue", "s", gt=0)

    shot_in_after_frames: int = _rule("An in-cue fewer frames after a cut goes to the cut", FRAMES_24, ge=0)
    shot_in_near_frames: int = _rule("An in-cue fewer frames before a cut goes to the cut", FRAMES_24, ge=0)
    shot_in_far_frames: int = _rule(
        "An in-cue before a cut, not near it but fewer frames from it, goes this far before it", FRAMES_24, ge=0)
    shot_out_before_frames: int = _rule("An out-cue at a cut, or nearer before it, goes this far before it",
                                        FRAMES, ge=0)
    shot_out_after_frames: int = _rule("An out-cue fewer frames after a cut goes before the cut", FRAMES_24, ge=0)

    no_split: Words = _rule("Pairs of words that no line and no cue divides, by the names in breaks.toml")

    two_speakers: bool = _rule("Two speakers may share a cue, a line each")
    dash: str = _rule("Put before each line of a cue with two speakers")
    speaker_label: str = _rule("How a speaker is named; {name} as it is, {NAME} in capitals")
    speaker_colours: Words = _rule("Colours of the speakers where the format has colours; none: no colours")

    song_policy: Literal["mark", "leave-out", "plain"] = _rule(
        "What becomes of sung words. mark: song_mark is put around them; leave-out: they have no cue; plain: no sign")
    song_mark: str = _rule("Sign of sung words")
    song_mark_end: Literal["cue", "song"] = _rule("Where the closing sign stands: after each cue, or after the song")
    song_italic: bool = _rule("Sung words are in italics where the format has them")

    ellipsis: str = _rule("How an ellipsis is written")
    numbers_spelled_to: int = _rule("Numbers up to this one are to be spelt out; 0: no rule", ge=0)
    sdh: bool = _rule("For the deaf and hard of hearing: sounds are described, speakers named")
    sound_label: str = _rule("How a sound is described, {text} being its description")


class Profile(Rules):
    """A complete set of rules, with its name and where each of them comes from."""

    name: str
    title: str
    origins: dict[str, Origin]


def unit_of(rule: str) -> str:
    """The unit of a rule by its name; raises KeyError if there is none of that name."""
    extra = Rules.model_fields[rule].json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["unit"])


def _changes() -> Any:
    fields: dict[str, Any] = {}
    for rule, its in Rules.model_fields.items():
        unit = f", {unit_of(rule)}" if unit_of(rule) != NO_UNIT else ""
        kind: Any = Annotated[(its.annotation, *its.metadata)] if its.metadata else its.annotation
        fields[rule] = (kind | None, Field(None, description=f"{its.description}{unit}; empty: as the profile says"))
    return create_model("RuleChanges", __base__=Frozen, **fields)


if TYPE_CHECKING:
    class RuleChanges(Frozen):
        pass
else:
    RuleChanges = _changes()
    """Every rule as an option that is empty: what is given stands in the place of what the profile says."""
