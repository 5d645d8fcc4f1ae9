"""TTML in the text profile of IMSC 1.1 (W3C): UTF-8, media time, one region at the foot and one at the top."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from cp_whisperx.subtitles.formats.sheet import Sheet, clock, runs_of
from cp_whisperx.timeline import Cue

_PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, production 2."""

_LAYOUT = """    <styling>
      <style xml:id="text" tts:fontFamily="proportionalSansSerif" tts:fontSize="100%" tts:lineHeight="normal" \
tts:textAlign="center" tts:color="#FFFFFF"/>
      <style xml:id="behind" tts:backgroundColor="#000000C0"/>
    </styling>
    <layout>
      <region xml:id="foot" tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="after" \
tts:showBackground="whenActive" tts:overflow="visible"/>
      <region xml:id="top" tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="before" \
tts:showBackground="whenActive" tts:overflow="visible"/>
    </layout>
"""


def ttml(sheet: Sheet) -> str:
    language = "" if sheet.language == "und" else sheet.language
    cues = "".join(_paragraph(number, cue, sheet) for number, cue in enumerate(sheet.cues, 1))
    # IMSC 1.1, 7.12.4: a div is not needed, but older processors expect one.
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'
            f' xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"'
            f' xml:lang={quoteattr(language)} ttp:timeBase="media" ttp:cellResolution="32 15"{_rate(sheet.frame_rate)}'
            f' ttp:contentProfiles={quoteattr(_PROFILE)}>\n'
            f'  <head>\n    <metadata>\n      <ttm:title>{_text(sheet.title)}</ttm:title>\n    </metadata>\n{_LAYOUT}'
            f'  </head>\n  <body>\n    <div>\n{cues}    </div>\n  </body>\n</tt>\n')


def _rate(frame_rate: float | None) -> str:
    """`ttp:frameRate` with its multiplier: 24000/1001 is 24 times 1000/1001."""
    if frame_rate is None:
        return ""
    whole = round(frame_rate)
    if abs(frame_rate - whole) < 1e-6:
        return f' ttp:frameRate="{whole}" ttp:frameRateMultiplier="1 1"'
    whole = round(frame_rate * 1.001)
    if abs(frame_rate - whole / 1.001) < 0.006:
        return f' ttp:frameRate="{whole}" ttp:frameRateMultiplier="1000 1001"'
    # 12.5 is 1250 hundredths: any rate as a fraction of its next whole number.
    whole = max(1, round(frame_rate))
    return f' ttp:frameRate="{whole}" ttp:frameRateMultiplier="{round(frame_rate / whole * 10000)} 10000"'


def _paragraph(number: int, cue: Cue, sheet: Sheet) -> str:
    italic = ' tts:fontStyle="italic"' if cue.italic else ""
    lines = runs_of(cue)
    shown = "<br/>".join(
        f'<span style="behind"{_colour(sheet.colours.get(speaker))}{italic}>{_slanted(runs, cue)}</span>'
        for runs, speaker in zip(lines, sheet.voices(cue, len(lines)), strict=True))
    return (f'      <p xml:id="c{number}" begin="{clock(cue.start, ".")}" end="{clock(cue.end, ".")}"'
            f' region="{"top" if cue.top else "foot"}" style="text">{shown}</p>\n')


def _slanted(runs: Sequence[tuple[str, bool]], cue: Cue) -> str:
    return "".join(f'<span tts:fontStyle="italic">{_text(text)}</span>' if slanted and not cue.italic else _text(text)
                   for text, slanted in runs)


def _colour(colour: str | None) -> str:
    return f" tts:color={quoteattr(colour)}" if colour else ""


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))
