"""Which of a film's audio tracks is listened to, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cp_whisperx import languages
from cp_whisperx.errors import ConfigError, MediaError
from cp_whisperx.media.probe import Media, StreamInfo

_NOT_DIALOGUE_FLAGS = frozenset(
    ("comment", "visual_impaired", "descriptions", "karaoke", "clean_effects", "non_diegetic"))
# English first, then what German, French, Spanish and Italian discs write.
_NOT_DIALOGUE_TITLE = re.compile(
    r"comment|komment|coment|director.?s? track|descriptive|described|audio.?des[ck]ri|\bAD\b|\bDVS\b|hörfilm"
    r"|isolated|score only|music only|music (and|&) effects|\bM\s?&\s?E\b|karaoke",
    re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    stream: StreamInfo
    reason: str
    """For a person."""
    doubt: str = ""
    """Why the choice may be wrong, if it may."""


def choose(media: Media, *, language: str | None = None, original_language: str | None = None,
           index: int | None = None) -> Choice:
    """Asked index; else asked language; else the film's original language; else the default flag; else the first.

    Commentary and descriptive audio are taken only by index, or where there is nothing else. Languages are
    any code of `languages`. Raises MediaError if there is no audio, ConfigError if `index` is not audio.
    """
    tracks = media.audio
    if not tracks:
        raise MediaError(f"{media.path} has no audio track", hint="there is nothing to listen to: check the file")
    if index is not None:
        for track in tracks:
            if track.index == index:
                return Choice(track, "asked for by its index")
        raise ConfigError(f"stream {index} of {media.path} is not an audio track",
                          hint="audio tracks: " + ", ".join(map(_label, tracks)))
    dialogue = [track for track in tracks if not _is_aside(track)]
    if not dialogue:
        return Choice(tracks[0], "the only kind of track there is",
                      doubt=f"track {_label(tracks[0])} is marked as commentary or descriptive audio")
    for wanted, why in ((language, "the language asked for"), (original_language, "the film's original language")):
        if found := _of_language(dialogue, wanted):
            return Choice(_first_choice(found), why + (_among(found) if len(found) > 1 else ""))
    chosen = _first_choice(dialogue)
    doubt = ""
    tagged = languages.find(chosen.language)
    asked = languages.find(language) or languages.find(original_language)
    if asked and tagged and asked != tagged:
        doubt = f"no track is marked {asked.name}; track {_label(chosen)} was taken"
    if len(dialogue) == 1:
        return Choice(chosen, "the only track of dialogue" if len(tracks) > 1 else "the only track", doubt)
    return Choice(chosen, "the default track" if "default" in chosen.flags else "the first track", doubt)


def _is_aside(track: StreamInfo) -> bool:
    return bool(track.flags & _NOT_DIALOGUE_FLAGS or _NOT_DIALOGUE_TITLE.search(track.title or ""))


def _of_language(tracks: Sequence[StreamInfo], language: str | None) -> list[StreamInfo]:
    wanted = languages.find(language)
    return [track for track in tracks if wanted and languages.find(track.language) == wanted]


def _first_choice(tracks: Sequence[StreamInfo]) -> StreamInfo:
    return next((track for track in tracks if "default" in track.flags), tracks[0])


def _among(tracks: Sequence[StreamInfo]) -> str:
    return f", {'default' if 'default' in _first_choice(tracks).flags else 'first'} of {len(tracks)} such tracks"


def _label(track: StreamInfo) -> str:
    words = [track.codec, track.channels, track.language or "", repr(track.title) if track.title else ""]
    return f"{track.index} ({' '.join(word for word in words if word)})"
