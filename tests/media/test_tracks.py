"""Which track is listened to: the policy as data, and the same read back from films."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.errors import ConfigError, MediaError
from cp_whisperx.media import probe, tracks
from cp_whisperx.media.probe import Media, StreamInfo
from scenes import Scene, SceneSpec, TrackSpec
from tests.media.helpers import scene

Make = Callable[[SceneSpec], Scene]


def track(index: int, language: str | None = None, title: str | None = None, *flags: str) -> StreamInfo:
    return StreamInfo(index, "audio", "aac", language, title, frozenset(flags), 0.0, 60.0, "stereo")


def media(*streams: StreamInfo) -> Media:
    return Media(Path("film.mkv"), "matroska,webm", 60.0, 0.0, streams)


ENG = track(1, "eng", None, "default")
HIN = track(2, "hin")
RUS = track(3, "rus", "Original")
TALK = track(4, "hin", "Director's Commentary")

CASES: list[tuple[str, tuple[StreamInfo, ...], dict[str, Any], int, str]] = [
    # what, tracks, what is asked, index chosen, part of the reason
    ("alone", (HIN,), {}, 2, "the only track"),
    ("default before the first", (HIN, ENG), {}, 1, "the default track"),
    ("first where none is default", (HIN, RUS), {}, 2, "the first track"),
    ("asked in two letters", (ENG, HIN), {"language": "hi"}, 2, "the language asked for"),
    ("asked in three letters", (ENG, HIN), {"language": "hin"}, 2, "the language asked for"),
    ("asked by name", (ENG, HIN), {"language": "Hindi"}, 2, "the language asked for"),
    ("asked with a region", (ENG, HIN), {"language": "hi-IN"}, 2, "the language asked for"),
    ("track tagged in two letters", (ENG, track(2, "hi")), {"language": "hin"}, 2, "the language asked for"),
    ("asked by the other ISO code", (ENG, track(2, "ger")), {"language": "deu"}, 2, "the language asked for"),
    ("original before default", (ENG, RUS), {"original_language": "ru"}, 3, "original language"),
    ("asked before original", (ENG, HIN, RUS), {"language": "hi", "original_language": "ru"}, 2, "asked for"),
    ("asked is missing, original is there", (ENG, RUS), {"language": "fr", "original_language": "ru"}, 3, "original"),
    ("default among those of a language", (track(1, "hin"), track(2, "hin", None, "default")), {"language": "hi"}, 2,
     "default of 2 such tracks"),
    ("first among those of a language", (track(1, "hin"), track(2, "hin")), {"language": "hi"}, 1,
     "first of 2 such tracks"),
    ("commentary by title", (TALK, HIN), {"language": "hi"}, 2, "asked for"),
    ("commentary though it is default", (track(1, "hin", None, "default", "comment"), HIN), {}, 2, "of dialogue"),
    ("commentary in the language asked for", (ENG, TALK), {"language": "hi"}, 1, "the only track of dialogue"),
    ("commentary alone", (TALK,), {}, 4, "the only kind"),
    ("commentary by index", (ENG, TALK), {"index": 4}, 4, "index"),
    ("index before language", (ENG, HIN, RUS), {"index": 3, "language": "hi"}, 3, "index"),
    ("no tags at all", (track(1), track(2)), {}, 1, "the first track"),
    *((f"not dialogue: {flag}", (track(1, "eng", None, flag, "default"), track(2, "eng")), {}, 2, "of dialogue")
      for flag in ("comment", "visual_impaired", "descriptions", "karaoke", "clean_effects", "non_diegetic")),
    *((f"not dialogue: {title}", (track(1, "eng", title, "default"), track(2, "eng")), {}, 2, "of dialogue")
      for title in ("Commentary by the cast", "Audio Description", "Descriptive Audio", "English [AD]", "DVS",
                    "Audiokommentar", "Hörfilm", "Audiodeskription", "Comentarios del director",
                    "Commentaires", "audiodescrizione",
                    "Isolated score", "Music & Effects", "Karaoke")),
    *((f"dialogue: {title}", (track(1, "eng", title, "default"), track(2, "eng")), {}, 1, "default")
      for title in ("Surround 5.1", "Stereo", "Loaded", "Remastered", "Theatrical mix", "DTS-HD MA", "Radio play")),
]


@pytest.mark.parametrize(("streams", "asked", "index", "why"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_policy(streams: tuple[StreamInfo, ...], asked: dict[str, Any], index: int, why: str) -> None:
    choice = tracks.choose(media(*streams), **asked)
    assert choice.stream.index == index
    assert why in choice.reason


@pytest.mark.parametrize(("streams", "asked", "doubt"), [
    ((ENG,), {"language": "hi"}, "no track is marked Hindi"),
    ((ENG,), {"original_language": "ru"}, "no track is marked Russian"),
    ((TALK,), {}, "marked as commentary"),
    ((track(1),), {"language": "hi"}, ""),
    ((ENG,), {"language": "en"}, ""),
    ((ENG,), {}, "")])
def test_doubt_is_told(streams: tuple[StreamInfo, ...], asked: dict[str, Any], doubt: str) -> None:
    told = tracks.choose(media(*streams), **asked).doubt
    assert doubt in told and bool(doubt) == bool(told)


def test_what_cannot_be_chosen() -> None:
    with pytest.raises(MediaError, match="no audio track"):
        tracks.choose(media(StreamInfo(0, "video", "h264", None, None, frozenset(), 0.0, 60.0)))
    with pytest.raises(ConfigError, match="stream 0") as caught:
        tracks.choose(media(ENG, HIN), index=0)
    assert caught.value.hint == "audio tracks: 1 (aac stereo eng), 2 (aac stereo hin)"


_ASIDES = {"comment": True}, {"visual_impaired": True}, {"title": "Director's commentary"}


@pytest.mark.parametrize("container", ["mkv", "mp4"])
@pytest.mark.parametrize("aside", _ASIDES, ids=["comment", "visual_impaired", "title"])
def test_asides_in_films(make_scene: Make, container: str, aside: dict[str, Any]) -> None:
    spoken = (TrackSpec("hin", content="dialogue_b", **aside), TrackSpec("hin", "Hindi"), TrackSpec("eng", "English"))
    film = probe.probe(make_scene(scene(container=container, tracks=spoken)).film)
    assert tracks.choose(film, language="hi").stream.title == "Hindi"
    assert tracks.choose(film).stream.title == "Hindi"
    assert tracks.choose(film, language="en").stream.title == "English"
    assert tracks.choose(film, index=1).stream.index == 1
