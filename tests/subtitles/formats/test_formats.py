"""Each format literally: what goes in, and the file that comes out."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.subtitles.formats import ENCODINGS, FLAVOURS, FORMATS, Sheet, by_suffix, encoded, file_name, write
from cp_whisperx.timeline import Cue, Word

SHEET = Sheet(
    (Cue(0.0, 1.5, ("Tom & Jerry", "<b>run</b>")),
     Cue(3661.0495, 3662.9996, ("चलो",), ("S1",), italic=True),
     Cue(3663.0, 3664.0, ("-Who?", "-{Me}\\"), ("S1", "S2"), top=True)),
    language="hi", title="Dil Se", frame_rate=24000 / 1001,
    words=(Word(0.1, 0.4, " Tom", 0.9), Word(3661.05, 3661.4, " चलो", 0.5)),
    names={"S1": "Asha", "S2": "Ben"}, colours={"S2": "#FFFF00"})

SRT = """1
00:00:00,000 --> 00:00:01,500
Tom & Jerry
<b>run</b>

2
01:01:01,050 --> 01:01:03,000
<i>चलो</i>

3
01:01:03,000 --> 01:01:04,000
{\\an8}-Who?
-{Me}\\

"""

VTT = """WEBVTT

STYLE
::cue(.s1) { color: #FFFF00 }

00:00:00.000 --> 00:00:01.500
Tom &amp; Jerry
&lt;b&gt;run&lt;/b&gt;

01:01:01.050 --> 01:01:03.000
<v Asha><i>चलो</i></v>

01:01:03.000 --> 01:01:04.000 line:0
<v Asha>-Who?</v>
<v Ben><c.s1>-{Me}\\</c></v>

"""

TRANSCRIPT = """Tom & Jerry <b>run</b>

Asha: चलो -Who?

Ben: -{Me}\\
"""


@pytest.mark.parametrize(("name", "text"), [("srt", SRT), ("vtt", VTT), ("txt", TRANSCRIPT)])
def test_literally(name: str, text: str) -> None:
    assert FORMATS[name].text(SHEET) == text


def test_ass_dialogues() -> None:
    text = FORMATS["ass"].text(SHEET)
    head, _, events = text.partition("[Events]\n")
    assert events.splitlines()[1:] == [
        "Dialogue: 0,0:00:00.00,0:00:01.50,Default,,0,0,0,,Tom & Jerry\\N<b>run</b>",
        "Dialogue: 0,1:01:01.05,1:01:03.00,Default,Asha,0,0,0,,{\\i1}चलो",
        "Dialogue: 0,1:01:03.00,1:01:04.00,Top,Asha / Ben,0,0,0,,-Who?\\N{\\c&H00FFFF&}-\\{Me\\}\\\u2060{\\c}"]
    fields = next(line for line in head.splitlines() if line.startswith("Format:")).count(",")
    styles = [line for line in head.splitlines() if line.startswith("Style:")]
    assert [style.count(",") for style in styles] == [fields, fields]
    assert [style.split(",")[0] for style in styles] == ["Style: Default", "Style: Top"]


def test_ttml_is_imsc_text() -> None:
    tt, ttp, tts = (f"{{http://www.w3.org/ns/ttml{part}}}" for part in ("", "#parameter", "#styling"))
    root = ElementTree.fromstring(FORMATS["ttml"].text(SHEET).encode())
    assert root.tag == f"{tt}tt"
    assert (root.get(f"{ttp}frameRate"), root.get(f"{ttp}frameRateMultiplier")) == ("24", "1000 1001")
    assert root.get(f"{ttp}contentProfiles") == "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "hi"
    cues = root.findall(f".//{tt}p")
    assert [(cue.get("begin"), cue.get("end"), cue.get("region")) for cue in cues] == [
        ("00:00:00.000", "00:00:01.500", "foot"), ("01:01:01.050", "01:01:03.000", "foot"),
        ("01:01:03.000", "01:01:04.000", "top")]
    assert ["".join(cue.itertext()) for cue in cues] == ["Tom & Jerry<b>run</b>", "चलो", "-Who?-{Me}\\"]
    spans = [span for cue in cues for span in cue.findall(f"{tt}span")]
    assert [span.get(f"{tts}fontStyle") for span in spans] == [None, None, "italic", None, None]
    assert [span.get(f"{tts}color") for span in spans] == [None, None, None, None, "#FFFF00"]
    # Every style and region that is referred to is there.
    named = {element.get("{http://www.w3.org/XML/1998/namespace}id") for element in root.iter()}
    used = {element.get(key) for element in root.iter() for key in ("style", "region")} - {None}
    assert used <= named


@pytest.mark.parametrize(("rate", "attributes"), [
    (None, ""), (25.0, 'frameRate="25" ttp:frameRateMultiplier="1 1"'),
    (29.97, 'frameRate="30" ttp:frameRateMultiplier="1000 1001"'),
    (23.976, 'frameRate="24" ttp:frameRateMultiplier="1000 1001"'),
    (12.5, 'frameRate="12" ttp:frameRateMultiplier="10417 10000"')])
def test_ttml_frame_rate(rate: float | None, attributes: str) -> None:
    text = FORMATS["ttml"].text(Sheet((), frame_rate=rate))
    assert attributes in text
    assert ("frameRate" in text) == (rate is not None)


def test_json_has_every_word_once() -> None:
    made = json.loads(FORMATS["json"].text(SHEET))
    assert [[word["text"] for word in cue["words"]] for cue in made["cues"]] == [["Tom"], ["चलो"], []]
    assert made["cues"][1] | {"words": []} == {
        "number": 2, "start": 3661.05, "end": 3663.0, "lines": ["चलो"], "speakers": ["S1"], "italic": True,
        "slanted": [], "top": False, "words": []}


@pytest.mark.parametrize(("name", "empty"), [("srt", ""), ("vtt", "WEBVTT\n\n"), ("txt", "")])
def test_no_cues_is_a_valid_file(name: str, empty: str) -> None:
    assert FORMATS[name].text(Sheet(())) == empty


def test_control_characters_do_not_break_xml() -> None:
    ElementTree.fromstring(FORMATS["ttml"].text(Sheet((Cue(0, 1, ("a\x00\x0b\ufffe]]>",)),), title="\x01")).encode())


def test_a_line_without_text_is_not_written() -> None:
    assert FORMATS["srt"].text(Sheet((Cue(0, 1, ("a", "", "b\n\nc")),))).endswith("\na\nb\nc\n\n")


@pytest.mark.parametrize(("language", "flavour", "expected"), [
    ("en", "", "Film.en.srt"), ("hi", "forced", "Film.hi.forced.srt"), ("en", "sdh", "Film.en.sdh.srt"),
    ("und", "", "Film.srt"), ("und", "sdh", "Film.sdh.srt")])
def test_media_servers_find_it(language: str, flavour: str, expected: str) -> None:
    assert flavour in FLAVOURS
    assert file_name("Film", language, "srt", flavour) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(encoding: str) -> None:
    assert encoded("Ja\n", encoding, "crlf").decode(encoding) == "Ja\r\n"


@pytest.mark.parametrize(("text", "encoding", "message"), [
    ("Né ♪", "cp1252", "♪ (U+266A) cannot be written in cp1252"), ("", "rot13", "rot13 is no encoding")])
def test_what_cannot_be_encoded(text: str, encoding: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        encoded(text, encoding)
    assert message in raised.value.message


def test_write_names_encodes_and_keeps_utf8_where_it_is_prescribed(tmp_path: Path) -> None:
    paths = write(SHEET, ("srt", "vtt", "srt"), tmp_path, "Film", flavour="sdh", encoding="utf-16", newline="crlf")
    assert {name: path.name for name, path in paths.items()} == {"srt": "Film.hi.sdh.srt", "vtt": "Film.hi.sdh.vtt"}
    assert paths["srt"].read_bytes().startswith((b"\xff\xfe1\0\r\0", b"\xfe\xff\x001"))
    assert paths["vtt"].read_bytes() == VTT.replace("\n", "\r\n").encode()


def test_nothing_is_written_if_one_format_fails(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cp1252"):
        write(SHEET, ("vtt", "srt"), tmp_path, "Film", encoding="cp1252")
    with pytest.raises(ConfigError, match="no format of ours"):
        write(SHEET, ("srt", "doc"), tmp_path, "Film")
    assert not list(tmp_path.iterdir())


def test_a_name_says_its_format() -> None:
    assert [by_suffix(Path(name)) for name in ("a.SRT", "b.en.vtt", "c.dfxp", "d.ssa")] == ["srt", "vtt", "ttml", "ass"]
    with pytest.raises(ConfigError, match="no suffix"):
        by_suffix(Path("subtitle"))
