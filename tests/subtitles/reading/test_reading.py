from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cp_whisperx.errors import MediaError
from cp_whisperx.subtitles import reading
from cp_whisperx.subtitles.formats import FORMATS, Sheet
from cp_whisperx.timeline import Cue

SHARED = {
    # file: format, encoding, cues, first cue, part of a note
    "TOS-en.srt": ("srt", "ascii", 76, (23.0, 24.5, "You're a jerk, Thom."), ""),
    "TOS-ru.srt": ("srt", "utf-8", 76, (23.0, 24.5, "Ты придурок, Том!"), ""),
    "TOS-no.srt": ("srt", "utf-16-le", 76, (23.0, 24.5, "Du er en dust, Thom."), ""),
    "TOS-it.srt": ("srt", "utf-8", 76, (23.0, 24.5, "Sei un idiota, Thom."), ""),
    "TOS-it-cp1252.srt": ("srt", "cp1252", 76, (23.0, 24.5, "Sei un idiota, Thom."), "encoding guessed"),
    "pysrt_bom-utf-8.srt": ("srt", "utf-8", 7, (6.5, 9.0, "About 2 months ago I found myself on"), ""),
    "pysrt_bom-utf-16-be.srt": ("srt", "utf-16-be", 7, (6.5, 9.0, "About 2 months ago I found myself on"), ""),
    "pysrt_no-indexes.srt": ("srt", "utf-8", 7, (6.5, 9.0, "About 2 months ago I found myself on"), "without a number"),
    "pysrt_empty.srt": ("srt", "utf-8", 7, (6.5, 9.0, "About 2 months ago I found myself on"), ""),
    "pysrt_capability_tester.srt": ("srt", "utf-8", 37, (0.0, 0.0, "Don't show this text it may be used to insert "
                                    "hidden data"), "markup was left out"),
    "exo_typical_with_tags.srt": ("srt", "ascii", 14, (0.0, 1.234, "This is the first subtitle."), "not written as"),
    "exo_typical_missing_sequence.srt": ("srt", "ascii", 3, (0.0, 1.234, "This is the first subtitle."), "cue 2"),
    "exo_typical_no_hours_and_millis.srt": (
        "srt", "ascii", 3, (0.0, 1.234, "This is the first subtitle."), "cues 1, 2"),
    "exo_typical_utf16le.srt": ("srt", "utf-16-le", 3, (0.0, 1.234, "This is the first subtitle."), ""),
    "exo_overlapping_timecodes.ass": ("ass", "ascii", 7, (1.0, 4.23, "First subtitle - end overlaps second"), "order"),
    "exo_with_overlapping_timestamps.vtt": (
        "vtt", "ascii", 4, (0.0, 3.0, "Displayed at the bottom for 3 seconds."), ""),
    "mds_microdvd.sub": ("microdvd", "ascii", 2, (137.387, 140.39, "Senator, we're making"), "guessed"),
    "jellyfin_example.ass": ("ass", "ascii", 1, (1.18, 6.85, "Like an Angel with pity on nobody"), "markup"),
}


@pytest.mark.media
@pytest.mark.parametrize("name", SHARED)
def test_the_shared_set(name: str, shared_media: Path) -> None:
    kind, encoding, count, first, note = SHARED[name]
    found = reading.read(shared_media / "subtitles" / name)
    assert (found.format, found.encoding, len(found.cues)) == (kind, encoding, count)
    assert (found.cues[0].start, found.cues[0].end, found.cues[0].lines[0]) == first
    assert any(note in one for one in found.notes) if note else found.notes == ()


@pytest.mark.media
def test_the_shared_set_is_all_there_is(shared_media: Path) -> None:
    assert {path.name for path in (shared_media / "subtitles").iterdir()} == set(SHARED)


@pytest.mark.media
def test_a_guessed_encoding_gives_the_same_text(shared_media: Path) -> None:
    one, other = (reading.read(shared_media / "subtitles" / name) for name in ("TOS-it.srt", "TOS-it-cp1252.srt"))
    assert one.cues == other.cues


def srt(body: str) -> str:
    return f"1\n00:00:01,000 --> 00:00:02,000\n{body}\n\n"


TEXTS = {
    "short times": ("0:1,5 --> 0:2\nHi", [(1.5, 2.0, ("Hi",))]),
    "spaces in times": ("00 : 00: 01, 000  -->00:00:02.000\nHi", [(1.0, 2.0, ("Hi",))]),
    "short arrow": ("00:00:01,000 -> 00:00:02,000\nHi", [(1.0, 2.0, ("Hi",))]),
    "negative time": ("1\n-00:00:01,000 --> 00:00:02,000\nHi", [(-1.0, 2.0, ("Hi",))]),
    "no blank line": ("1\n00:00:01,000 --> 00:00:02,000\nHi\n2\n00:00:03,000 --> 00:00:04,000\nHo",
                      [(1.0, 2.0, ("Hi",)), (3.0, 4.0, ("Ho",))]),
    "blank line inside": ("1\n00:00:01,000 --> 00:00:02,000\nHi\n\nyou\n\n2\n00:00:03,000 --> 00:00:04,000\nHo",
                          [(1.0, 2.0, ("Hi", "you")), (3.0, 4.0, ("Ho",))]),
    "a number as text": ("1\n00:00:01,000 --> 00:00:02,000\n42\n\n00:00:03,000 --> 00:00:04,000\nHo",
                         [(1.0, 2.0, ("42",)), (3.0, 4.0, ("Ho",))]),
    "old Mac line ends": ("1\r00:00:01,000 --> 00:00:02,000\rHi\r", [(1.0, 2.0, ("Hi",))]),
    "VTT that says nothing": ("WEBVTT", []),
    "VTT with all kinds of blocks": (
        "WEBVTT - a film\nKind: captions\n\nNOTE a note\nof two lines\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start line:10%\n<v Fred>A &amp; &lt;b&gt;\n\n"
        "00:00:03.000 --> 00:00:04.000\n<i>slanted</i>\n",
        [(1.0, 2.0, ("A & <b>",)), (3.0, 4.0, ("slanted",))]),
    "ASS with columns of its own": (
        "[Events]\nFormat: Layer, Text2, End, Start, Text\nDialogue: 0,x,0:00:02.00,0:00:01.50,One\\N{\\b1}two, three",
        [(1.5, 2.0, ("One", "two, three"))]),
    "a drawing": ("[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,{\\p1}m 0 0 l 1 1{\\p0}", []),
    "MicroDVD with its rate": ("{1}{1}25.000\n{25}{50}{y:i}Hi|you\n{75}{}Ho", [(1.0, 2.0, ("Hi", "you")),
                                                                            (3.0, 3.0, ("Ho",))]),
    "TTML in frames": (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="24" '
        'ttp:frameRateMultiplier="1000 1001"><body begin="1s"><div><p begin="00:00:01:13" end="72f">Hi<br/>'
        '<span> you</span></p></div></body></tt>', [(2.542, 4.003, ("Hi", "you"))]),
    "TTML in ticks": (
        '<?xml version="1.0" encoding="UTF-16"?><tt:tt xmlns:tt="http://www.w3.org/ns/ttml" '
        'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:tickRate="1000"><tt:body><tt:div>'
        '<tt:p begin="1500t" dur="0.5s">Hi</tt:p></tt:div></tt:body></tt:tt>', [(1.5, 2.0, ("Hi",))]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    text, cues = TEXTS[name]
    found = reading.parse(text.encode(), "a")
    assert [(cue.start, cue.end, cue.lines) for cue in found.cues] == cues


@pytest.mark.parametrize(("text", "lines", "italic", "top"), [
    ("<i>all of it</i>", ("all of it",), True, False), ("<i>one</i>\n<i>two</i>", ("one", "two"), True, False),
    ("<i>a part</i> of it", ("a part of it",), False, False), ("{\\an8}up", ("up",), False, True),
    ("{\\an8}<i>up</i>", ("up",), True, True), ("{\\an2}down", ("down",), False, False),
    ("2 < 3 > 1", ("2 < 3 > 1",), False, False), ("<font color='red'>red</font>", ("red",), False, False),
    ("{curly} text", ("{curly} text",), False, False)])
def test_markup(text: str, lines: tuple[str, ...], italic: bool, top: bool) -> None:
    (cue,) = reading.parse(srt(text).encode(), "a").cues
    assert (cue.lines, cue.italic, cue.top) == (lines, italic, top)


@pytest.mark.parametrize(("text", "slanted", "italic"), [
    ("<i>a part</i> of it", (0, 1), False), ("of\nthe <i>part</i>", (2,), False),
    ("a <i>two\nlines</i> b", (1, 2), False), ("a <i>b - c</i> d", (1, 2, 3), False),
    ("he said: <i>“No.”</i>", (2,), False), ("- <i>Who?</i>\n- <i>Me.</i>", (), True),
    ("a {\\i1}b{\\i0} c", (1,), False),
    ("<I>a</I> b", (0,), False), ("<i></i>plain", (), False), ("un<i>believ</i>able", (), False),
    ("<i> </i>", (), False)])
def test_italics_of_single_words(text: str, slanted: tuple[int, ...], italic: bool) -> None:
    found = reading.parse(srt(text).encode(), "a")
    (cue,) = found.cues
    assert (cue.slanted, cue.italic, found.notes) == (slanted, italic, ())


@pytest.mark.parametrize(("data", "message"), [
    (b"", "is empty"), (b"\xef\xbb\xbf \r\n", "is empty"), (b"Dear diary,\nnothing happened.", "is no subtitle file"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is no text"), (b"PK\x03\x04\x00\x00" * 20, "is no text"),
    (b"\0" * 100, "is empty"), (b'{"cues": 3}', "does not hold"), (b'{"cues": [{"start": 1e999}]}', "does not hold"),
    (b'{"cues": [' + b"[" * 100_000, "does not hold"), (b"<tt><body><p begin='1s'>", "no well-formed XML"),
    (b'<!DOCTYPE tt [<!ENTITY a "aaaa">]><tt>&a;</tt>', "declares a document type"),
])
def test_what_is_no_subtitle_file(data: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message) as raised:
        reading.parse(data, "a.srt")
    assert raised.value.hint and "\n" not in raised.value.message


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.srt")
    for path in (tmp_path, tmp_path / "missing.srt", tmp_path / "pipe.srt"):
        with pytest.raises(MediaError, match=r"can(not)? be read"):
            reading.read(path)
    large = tmp_path / "large.srt"
    with large.open("wb") as file:
        file.truncate(reading.MAX_BYTES + 1)
    with pytest.raises(MediaError, match="32 MB"):
        reading.read(large)


CUES = (Cue(0.0, 1.5, ("Tom & Jerry <3", "{run}")), Cue(61.04, 63.0, ("चलो भगवान्",), italic=True),
        Cue(70.0, 72.0, ("On the Titanic 2 I <saw>", "that & no more."), slanted=(2, 3, 8, 9)),
        Cue(3663.0, 3664.0, ("-Who?", "-Me: 1 > 0"), ("Asha", "Ben"), top=True))


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "txt"])
def test_what_we_write_we_read(name: str) -> None:
    sheet = Sheet(CUES, "hi", "A film", 24.0, names={"Asha": "Asha", "Ben": "Ben"}, colours={"Ben": "#FFFF00"})
    found = reading.parse(FORMATS[name].text(sheet).encode(), "a")
    assert found.format == name and found.notes in ((), ("markup was left out: cue 4",))
    assert [(cue.start, cue.end, cue.lines, cue.italic, cue.top, cue.slanted) for cue in found.cues] == [
        (cue.start, cue.end, cue.lines, cue.italic, cue.top, cue.slanted) for cue in CUES]
    if name in ("vtt", "ass", "json"):
        assert found.cues[3].speakers == ("Asha", "Ben")


PARTS = ("1\n", "00:00:01,000 --> 00:00:02,000", "\n", "\n\n", "WEBVTT\n\n", "-->", "{\\an8}", "{1}{25}", "{", "}",
         "<i>",
         "</i>", "[Events]\n", "Format: Start, End, Text\n", "Dialogue: 0:00:01.00,0:00:02.00,", "Style: a,b", "<tt ",
         "<p begin='1s' end='2f'>", "</p>", "</tt>", "<br/>", ">", "&amp;", "\\N", "{\"cues\": [", "]}", "क्ष",
         "\ud7ff", "9" * 30,
         "\u2028", "\x85", "\0", ",", ":", "00:", "NOTE", "STYLE", "<v ", " line:0", "{y:i}", "|", "[Script Info]\n")


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=5), max_size=30),
       st.sampled_from(("utf-8", "utf-16", "utf-16-le")))
def test_no_text_breaks_a_reader(parts: list[str], encoding: str) -> None:
    _survives("".join(parts).encode(encoding, "replace"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(json.dumps({"cues": [{"start": 0, "end": 1, "lines": []}], "frame_rate": 1e400}).encode())
def test_no_bytes_break_a_reader(data: bytes) -> None:
    _survives(data)
    _survives(b"1\n00:00:01,000 --> 00:00:02,000\n" + data)


TIME = "00:00:01,000 --> 00:00:02,000\n"
HARD = {
    "italics that end in plain text": TIME + "<i></i>" * 3000 + "x",
    "spaces before no time": "1\n" + TIME + " " * 400_000 + "->",
    "blank lines": "\n" * 400_000 + TIME,
    "spaces for a time": "[Events]\nDialogue: 0," + " " * 400_000 + "," + " " * 400_000 + ",x",
    "drawings without an end": "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,,,,,{" + "\\p1" * 200_000,
    "braces": TIME + "{\\" * 200_000,
    "angles": TIME + "<i " * 200_000,
    "nested elements": "<tt><body><div><p begin='1s' end='2s'>" + "<span>" * 5000 + "x" + "</span>" * 5000
                       + "</p></div></body></tt>",
    "nested divisions": "<tt>" + "<div>" * 5000 + "</div>" * 5000 + "</tt>",
    "notes": TIME + "♪" * 200_000 + "x",
}


@pytest.mark.parametrize("name", HARD)
def test_nothing_takes_for_ever(name: str) -> None:
    """Time grows with the length of the file, or this test would not end."""
    _survives(HARD[name].encode())


def _survives(data: bytes) -> None:
    try:
        found = reading.parse(data, "a.srt")
    except MediaError:
        return
    for cue in found.cues:
        assert abs(cue.start) <= 1e9 and abs(cue.end) <= 1e9
        assert all("\n" not in line for line in cue.lines)
