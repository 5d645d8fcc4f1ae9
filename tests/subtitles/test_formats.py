from __future__ import annotations

from cp_whisperx.subtitles.formats import FORMATS
from cp_whisperx.timeline import Cue

CUES = (Cue(0.0, 1.5, ("Tom & Jerry", "<b>run</b>")), Cue(3661.0495, 3662.9996, ("चलो",)))

SRT = """1
00:00:00,000 --> 00:00:01,500
Tom & Jerry
<b>run</b>

2
01:01:01,050 --> 01:01:03,000
चलो

"""

VTT = """WEBVTT

00:00:00.000 --> 00:00:01.500
Tom &amp; Jerry
&lt;b&gt;run&lt;/b&gt;

01:01:01.050 --> 01:01:03.000
चलो

"""


def test_formats_literally() -> None:
    assert {name: write(CUES) for name, write in FORMATS.items()} == {"srt": SRT, "vtt": VTT}


def test_no_cues_is_a_valid_file() -> None:
    assert FORMATS["srt"](()) == ""
    assert FORMATS["vtt"](()) == "WEBVTT\n\n"
