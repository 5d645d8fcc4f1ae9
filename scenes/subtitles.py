"""Subtitle tracks that a film already has when it arrives."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import OutputContainer
from av.stream import Disposition

from scenes.spec import SubtitleSpec
from scenes.truth import Line

_MILLISECOND = Fraction(1, 1000)

# Both encoders refuse to open without an ASS header; mov_text makes its sample description from it.
_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, \
MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


class SubtitleWriter:
    """Writes one subtitle track in step with the sound."""

    def __init__(self, container: OutputContainer, spec: SubtitleSpec, lines: tuple[Line, ...]) -> None:
        self._container = container
        self._lines = [line for line in lines if line.end_s > 0]
        self._next = 0
        self._mov_text = container.format.name != "matroska"
        self._stream = container.add_stream("mov_text" if self._mov_text else "subrip")
        self._stream.codec_context.subtitle_header = _HEADER
        self._stream.codec_context.time_base = _MILLISECOND
        self._stream.time_base = _MILLISECOND
        self._stream.metadata["language"] = spec.language
        if spec.title:
            self._stream.metadata["title"] = spec.title
        flags = Disposition(0)
        if spec.default:
            flags |= Disposition.default
        if spec.forced:
            flags |= Disposition.forced
        if spec.hearing_impaired:
            flags |= Disposition.hearing_impaired
        self._stream.disposition = flags

    def write_until(self, time_s: float) -> None:
        """Lines that start before `time_s`."""
        while self._next < len(self._lines) and self._lines[self._next].start_s < time_s:
            self._write(self._lines[self._next])
            self._next += 1

    def _write(self, line: Line) -> None:
        data = line.text.encode()
        if self._mov_text:
            data = len(data).to_bytes(2, "big") + data
        packet = av.Packet(data)
        packet.stream, packet.time_base = self._stream, _MILLISECOND
        packet.pts = packet.dts = max(0, round(line.start_s * 1000))
        packet.duration = round(line.end_s * 1000) - packet.pts
        self._container.mux(packet)
