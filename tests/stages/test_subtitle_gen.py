from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from pydantic import ValidationError

from cp_whisperx import settings
from cp_whisperx.artifacts import (
    AudioTrack,
    Downmix,
    Glossary,
    LanguageVote,
    Name,
    NamedTranscript,
    Speaker,
    SpeakerActivity,
    SpeakerTurns,
    Subtitles,
    TrackChoice,
    Transcript,
)
from cp_whisperx.errors import ConfigError
from cp_whisperx.job import Job, Request
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stage import Inputs, Stage, Tools
from cp_whisperx.stages import subtitle_gen
from cp_whisperx.timeline import Anchor, Segment, Song, SpeechSpan, TimeMap, Turn, Word


def transcript(words: list[tuple[float, float, str]], language: str = "en") -> NamedTranscript:
    made = tuple(Word(start, end, text, 0.9) for start, end, text in words)
    segments = (Segment(made[0].start, made[-1].end, "", made, -0.2, 0.0, 1.0),) if made else ()
    return NamedTranscript(language=language, segments=segments, changes=())


def track(time_map: TimeMap) -> AudioTrack:
    return AudioTrack(
        file="audio.wav", samples=16_000, sample_rate=16_000, duration_s=1.0, film_duration_s=1.0, has_picture=True,
        frame_rate=24.0, warnings=(), time_map=time_map,
        track=TrackChoice(index=0, codec="aac", language=None, title=None, channels="mono", reason=""),
        downmix=Downmix(rule="mono", levels_dbfs={}, reason=""))


def as_heard(made: NamedTranscript, songs: tuple[Song, ...] = ()) -> Transcript:
    vote = LanguageVote(language=made.language, how="pinned", windows=0, shares={})
    return Transcript(language=made.language, spoken=vote, task="transcribe", model="base", segments=made.segments,
                      dropped=(), songs=songs)




def active(*spans: SpeechSpan) -> SpeakerActivity:
    return SpeakerActivity(spans=spans, speech_s=0.0, frames="frames.npy", windows="windows.npy", window_s=5.0,
                           step_s=0.5, first_frame_s=0.03, frame_s=0.017, shares=())


SILENT = active()
NOBODY = SpeakerTurns(speakers=(), turns=(), overlaps=(), rttm=None, method="off")


def generate(tmp_path: Path, time_map: TimeMap, made: NamedTranscript, *, turns: SpeakerTurns = NOBODY,
             songs: tuple[Song, ...] = (), glossary: tuple[str, ...] = (), speech: SpeakerActivity = SILENT,
             **options: object) -> tuple[Subtitles, Path]:
    from cp_whisperx import log as logs
    from cp_whisperx.progress import Progress

    job = Job.create(tmp_path, Request(film="/films/Dil Se (1998).mkv", fingerprint="sampled:abcdef012345",
                                       options={}))
    known = Glossary(names=tuple(Name(canonical=name, kind="person", source="test", weight=1.0) for name in glossary))
    for artifact in (track(time_map), speech, turns, known, as_heard(made, songs), made):
        folder = job.stage_folder(artifact.stage)
        folder.mkdir()
        artifact.write(folder)
    with wave.open(str(job.stage_folder("demux") / "audio.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    work = tmp_path / "work"
    work.mkdir()
    stage: Stage[subtitle_gen.Options, Subtitles] = subtitle_gen.STAGE
    log = logs.get("subtitle-gen")
    tools = Tools(work, Path("/films/Dil Se (1998).mkv"), job.request.name, None, ModelStore(tmp_path), "cpu", 1, log,
                  Progress("subtitle-gen", log, terminal=False))
    return stage.run(Inputs(job, stage.needs), subtitle_gen.Options(**options), tools), work  # type: ignore[arg-type]


WORDS = [(1.0, 1.4, " Where"), (1.4, 1.8, " were"), (1.8, 2.2, " you?")]


def test_files_are_named_for_media_servers(tmp_path: Path) -> None:
    made, work = generate(tmp_path, TimeMap(), transcript(WORDS, "hi"))
    assert [file.file for file in made.files] == ["Dil Se (1998).hi.srt", "Dil Se (1998).hi.vtt"]
    assert (work / "Dil Se (1998).hi.srt").read_text() == "1\n00:00:01,000 --> 00:00:02,208\nWhere were you?\n\n"


@pytest.mark.parametrize("start_s", [-1.0, 0.0, 0.5, 4.9])
def test_cues_are_in_film_time(tmp_path: Path, start_s: float) -> None:
    made, _ = generate(tmp_path, TimeMap((Anchor(0.0, start_s),)), transcript(WORDS))
    # On the nearest frame of 1/24 s, rounded down to the millisecond.
    assert made.cues[0].start == pytest.approx(1.0 + start_s, abs=0.5 / 24 + 0.001)


def test_a_hole_ends_a_cue(tmp_path: Path) -> None:
    hole = TimeMap((Anchor(0.0, 0.0), Anchor(1.6, 4.6)))
    made, _ = generate(tmp_path, hole, transcript(WORDS))
    assert [(cue.start, cue.lines) for cue in made.cues] == [(1.0, ("Where were",)), (4.791, ("you?",))]
    assert made.cues[0].end <= 2.4


def test_before_the_film_there_is_no_cue_time(tmp_path: Path) -> None:
    made, _ = generate(tmp_path, TimeMap((Anchor(0.0, -1.5),)), transcript(WORDS))
    assert made.cues[0].start == 0.0


TURNS = SpeakerTurns(
    speakers=(Speaker(label="S1", speech_s=0.8), Speaker(label="S2", speech_s=0.4)),
    turns=(Turn(1.0, 1.8, "S1"), Turn(1.8, 2.3, "S2")), overlaps=(), rttm=None, method="test")


@pytest.mark.parametrize(("speakers", "lines"), [
    ("off", [("-Where were", "-you?")]), ("labels", [("-[S1] Where were", "-[S2] you?")]),
    ("names", [("-[Simran] Where were", "-you?")])])
def test_who_speaks_is_shown_as_it_is_asked_for(tmp_path: Path, speakers: str, lines: list[tuple[str, ...]]) -> None:
    made, _ = generate(tmp_path, TimeMap(), transcript(WORDS), turns=TURNS, speakers=speakers, names="S1=Simran")
    assert [cue.lines for cue in made.cues] == lines
    assert made.cues[0].speakers == ("S1", "S2")


@pytest.mark.parametrize(("turns", "said"), [
    (TURNS, "there is no speaker S7: 2 were found"), (NOBODY, None)], ids=["one too many", "nobody was asked for"])
def test_a_name_for_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture, turns: SpeakerTurns,
                           said: str | None) -> None:
    turns = turns.model_copy(update={"rttm": "turns.rttm"}) if turns.turns else turns
    made, _ = generate(tmp_path, TimeMap(), transcript(WORDS), turns=turns, speakers="names", names="S1=Simran,S7=Raj")
    assert (said in caplog.text) if said else "no speaker" not in caplog.text
    assert ("Simran" in "".join(made.cues[0].lines)) == bool(said)


@pytest.mark.parametrize("names", ["Raj", "S1=A,S1=B"])
def test_a_map_of_names_that_cannot_be(names: str) -> None:
    with pytest.raises(ConfigError, match=r"stages\.subtitle-gen\.names"):
        settings.load({"stages.subtitle-gen.names": names}, environment={})


SUNG = {
    # what the user asks for: the cue's line, and whether it is in italics; None: no cue
    "by the profile": ({}, ("♪ Where were you? ♪", True)),
    "marked": ({"song_policy": "mark", "song_italic": False}, ("♪ Where were you? ♪", False)),
    "styled": ({"song_policy": "plain", "song_italic": True}, ("Where were you?", True)),
    "plain": ({"song_policy": "plain", "song_italic": False}, ("Where were you?", False)),
    "left out": ({"song_policy": "leave-out"}, None),
}


@pytest.mark.parametrize("name", SUNG)
def test_what_is_sung_is_marked_styled_or_left_out(name: str, tmp_path: Path) -> None:
    rules, expected = SUNG[name]
    made, work = generate(tmp_path, TimeMap(), transcript(WORDS), songs=(Song(0.5, 3.0, 0.8),), rules=rules,
                          formats=("srt", "ass"), speech=active(SpeechSpan(0.8, 2.4, 1.0, 2.2, 0.9, 1.0)))
    assert [(cue.lines[0], cue.italic) for cue in made.cues] == ([expected] if expected else [])
    srt, ass = (work / file.file for file in made.files)
    assert ("<i>" in srt.read_text()) == ("{\\i1}" in ass.read_text()) == bool(expected and expected[1])
    # What was to be left out is not missing.
    (rule,) = (rule for rule in json.loads((work / "qc.json").read_text())["rules"]
               if rule["rule"] == "speech-without-cue")
    assert rule["result"] == "passed"


def test_songs_by_flag_and_by_a_profile_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('song_policy = "leave-out"\n')
    for flags in ({"stages.subtitle-gen.rules.song_policy": "leave-out"}, {"stages.subtitle-gen.profile": str(own)}):
        options = subtitle_gen.Options(**settings.load(flags, environment={}).stage_options["subtitle-gen"])
        assert options.resolved("en", "Where were you?").song_policy == "leave-out"


def test_a_name_is_not_torn(tmp_path: Path) -> None:
    spoken = "Yesterday in the old market everybody saw Simran Singh buying flowers"
    words = [(1.0 + 0.3 * place, 1.25 + 0.3 * place, f" {word}") for place, word in enumerate(spoken.split())]
    made, _ = generate(tmp_path, TimeMap(), transcript(words), glossary=("Simran Singh",))
    assert any("Simran Singh" in line for cue in made.cues for line in cue.lines)


def test_the_report_says_what_the_validator_says(tmp_path: Path) -> None:
    fast = [(1.0 + 0.05 * number, 1.05 + 0.05 * number, f" extraordinarily{number}") for number in range(8)]
    made, work = generate(tmp_path, TimeMap(), transcript(fast))
    report = json.loads((work / "qc.json").read_text())
    broken = {finding["cue"] for rule in report["rules"] for finding in rule["findings"]}
    assert broken == {number for number, cue in enumerate(made.cues, start=1) if cue.breaches} != set()
    assert "extraordinarily0" in (work / "qc.html").read_text()


@pytest.mark.parametrize(("onset", "early"), [(1.0, False), (1.12, False), (1.17, True)])
def test_the_report_knows_where_speech_begins(tmp_path: Path, onset: float, early: bool) -> None:
    """Three frames are allowed, and what was padded for the recogniser is no speech."""
    speech = SILENT.model_copy(update={"spans": (SpeechSpan(0.8, 2.4, onset, 2.2, 0.9, 1.0),)})
    _, work = generate(tmp_path, TimeMap((Anchor(0.0, 2.0),)), transcript(WORDS), speech=speech)
    rules = {rule["rule"]: rule for rule in json.loads((work / "qc.json").read_text())["rules"]}
    assert rules["in-cue"]["result"] == ("failed" if early else "passed")


def test_without_a_report_there_is_none(tmp_path: Path) -> None:
    _, work = generate(tmp_path, TimeMap(), transcript(WORDS), report=False)
    assert not list(work.glob("qc.*"))


def test_nobody_speaks(tmp_path: Path) -> None:
    made, work = generate(tmp_path, TimeMap(), transcript([], "und"), formats="srt")
    assert made.cues == ()
    assert (work / "Dil Se (1998).srt").read_bytes() == b""


def test_the_rules_follow_the_language(tmp_path: Path) -> None:
    made, _ = generate(tmp_path, TimeMap(), transcript([(1.0, 1.4, " तुम"), (1.4, 1.8, " कहाँ")], "hi"))
    assert made.profile == "netflix-hi"


def test_a_profile_and_single_rules(tmp_path: Path) -> None:
    long = [(float(number), number + 0.9, f" word{number}") for number in range(6)]
    made, _ = generate(tmp_path, TimeMap(), transcript(long), profile="bbc", rules={"max_cpl": 12, "max_lines": 1})
    assert made.profile == "bbc"
    assert {len(cue.lines) for cue in made.cues} == {1}
    assert max(len(line) for cue in made.cues for line in cue.lines) == 11


def test_a_profile_of_the_user_s_own_goes_into_the_request(tmp_path: Path) -> None:
    """The container of the stage sees the job alone: what the file says is in the option, not where it is."""
    file = tmp_path / "house.toml"
    file.write_text("max_cpl = 20\nmax_lines = 1\n")
    chosen = settings.load({"stages.subtitle-gen.profile": str(file)}, environment={})
    frozen = chosen.stage_options["subtitle-gen"]
    file.unlink()
    made, _ = generate(tmp_path, TimeMap(), transcript(WORDS), **frozen)
    assert [cue.lines for cue in made.cues] == [("Where were you?",)]
    assert subtitle_gen.Options(**frozen).resolved("en", "").max_cpl == 20


@pytest.mark.parametrize(("value", "message"), [
    ("netflx-en", "no subtitle profile netflx-en"), ("none.toml", "no profile none.toml"),
    ("max_cp = 3\n", "no rule max_cp")])
def test_a_profile_that_cannot_be_had(value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        subtitle_gen.Options(profile=value).resolved("en", "")


def test_a_rule_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"stages\.subtitle-gen\.rules\.max_cpl"):
        settings.load({"stages.subtitle-gen.rules.max_cpl": 2}, environment={})
    with pytest.raises(ConfigError, match="there is no such setting") as raised:
        settings.load({"stages.subtitle-gen.rules.max_cp": 20}, environment={})
    assert raised.value.hint == "did you mean stages.subtitle-gen.rules.max_cpl?"


@pytest.mark.parametrize(("options", "first"), [
    ({}, b"1\n"), ({"newline": "crlf"}, b"1\r\n"), ({"encoding": "utf-8-sig"}, b"\xef\xbb\xbf1\n"),
    ({"encoding": "utf-16", "newline": "crlf"}, b"\xff\xfe1\0\r\0\n\0")])
def test_line_ends_and_encodings(tmp_path: Path, options: dict[str, str], first: bytes) -> None:
    _, work = generate(tmp_path, TimeMap(), transcript(WORDS), **options)
    assert (work / "Dil Se (1998).en.srt").read_bytes().startswith(first)
    # WebVTT is UTF-8 by its specification.
    assert (work / "Dil Se (1998).en.vtt").read_bytes().startswith(b"WEBVTT")


def test_what_speech_leaves_no_room_for_is_written_down(tmp_path: Path) -> None:
    fast = [(number * 0.05, number * 0.05 + 0.05, " extraordinary") for number in range(6)]
    made, _ = generate(tmp_path, TimeMap(), transcript(fast))
    assert [[breach.rule for breach in cue.breaches] for cue in made.cues] == [["cps_target"]]
    assert made.cues[0].words == (0, 6)


def test_the_artifact_survives_its_file(tmp_path: Path) -> None:
    made, work = generate(tmp_path, TimeMap(), transcript(WORDS))
    made.write(work)
    assert Subtitles.read(work) == made


def test_formats() -> None:
    assert subtitle_gen.Options(formats="vtt, srt,vtt").formats == ("vtt", "srt")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="no format of ours"):
        subtitle_gen.Options(formats=("doc",))
