"""The film again, every stream copied bit for bit, with one soft subtitle track of ours.

The streams are planned per container before anything is written, so that nothing is lost in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx import languages
from cp_whisperx.artifacts import StreamFate
from cp_whisperx.errors import EngineError
from cp_whisperx.media.probe import Media, StreamInfo, describe, opened
from cp_whisperx.timeline import Cue

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

MARK = "cp-whisperx"
"""Stands in the title of our track, so that a later run finds and replaces it."""

_BASE = Fraction(1, 1000)
_STATISTICS = ("_STATISTICS", "BPS", "DURATION", "NUMBER_OF", "ENCODER", "encoder", "vendor_id")


@dataclass(frozen=True, slots=True)
class Container:
    """How one kind of file takes text subtitles. `codec` is the media library's name."""

    format: str
    suffix: str
    codec: str
    attachments: bool


MKV = Container("matroska", ".mkv", "subrip", attachments=True)
MP4 = Container("mp4", ".mp4", "mov_text", attachments=False)
MOV = Container("mov", ".mov", "mov_text", attachments=False)


@dataclass(frozen=True, slots=True)
class Plan:
    container: Container
    reason: str
    fates: tuple[StreamFate, ...]


def plan(media: Media) -> Plan:
    """Keeps the film's own container if that holds everything; else Matroska, which holds nearly all."""
    if "mp4" not in media.container.split(","):
        own = "matroska" in media.container.split(",") and media.path.suffix.lower() != ".webm"
        reason = "as the film" if own else f"{media.path.suffix or media.container} holds no subtitles of this kind"
        return Plan(MKV, reason, fates(media, MKV))
    own_container = MOV if media.path.suffix.lower() == ".mov" else MP4
    kept = fates(media, own_container)
    # Chapters come back as chapters and timecode tracks mean nothing elsewhere: data is no reason to change.
    lost = [fate for fate in kept if fate.fate == "dropped" and fate.kind != "data"]
    if not lost:
        return Plan(own_container, "as the film", kept)
    what = ", ".join(f"stream {fate.index} ({fate.codec})" for fate in lost)
    return Plan(MKV, f"{own_container.suffix[1:]} cannot hold {what}", fates(media, MKV))


def write(film: Path, out: Path, planned: Plan, cues: Sequence[Cue], *, language: str,
          progress: Callable[[float, float], None] = lambda done, total: None) -> str:
    """Writes the film with its subtitles to `out`; returns a warning if the film broke off, else "".

    Raises EngineError if the muxer refuses; MediaError if the film cannot be read.
    """
    import av
    from av.error import FFmpegError

    with opened(film) as source:
        media = describe(film, source)
        try:
            with av.open(str(out), "w", format=planned.container.format) as target:
                streams = _streams(source, target, media, planned)
                subtitle = _subtitle_stream(target, planned.container, language,
                                            default=not _has_default_subtitle(media, planned))
                warning = _copy(source, target, media, planned, streams, subtitle, cues, progress)
        except FFmpegError as error:
            out.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in (28, 122):
                raise
            raise EngineError(f"the subtitles could not be put into {planned.container.suffix[1:]} ({error.strerror})",
                              hint="the subtitle files are complete; please report the film's format") from error
    return warning


def fates(media: Media, container: Container) -> tuple[StreamFate, ...]:
    supported = _supported(container)
    return tuple(_fate(stream, container, supported) for stream in media.streams)


def _fate(stream: StreamInfo, container: Container, supported: frozenset[str]) -> StreamFate:
    def so(fate: Any, reason: str = "") -> StreamFate:
        return StreamFate(index=stream.index, kind=stream.kind, codec=stream.codec, language=stream.language,
                          fate=fate, reason=reason)

    if stream.kind == "subtitle" and MARK in (stream.title or ""):
        return so("replaced", "our own track of an earlier run")
    if stream.kind == "attachment":
        return so("kept") if container.attachments else so("dropped", f"{container.format} holds no attachments")
    if stream.kind == "data":
        return so("dropped", "chapters and time code are written anew by the container")
    if stream.codec in supported:
        return so("kept")
    if stream.kind == "subtitle" and stream.codec == "mov_text":
        return so("converted", f"to {container.codec}: {container.format} has no mov_text")
    return so("dropped", f"{container.format} holds no {stream.codec}")


def _supported(container: Container) -> frozenset[str]:
    """Codec names that the container takes; asked of an output that is never written."""
    import io

    import av

    with av.open(io.BytesIO(), "w", format=container.format) as target:
        names = set(target.supported_codecs)
    # The library lists a codec under its descriptor's name, a stream under its decoder's.
    aliases = {"subrip": "srt", "ass": "ssa", "dvd_subtitle": "dvdsub", "hdmv_pgs_subtitle": "pgssub",
               "dvb_subtitle": "dvbsub", "vp9": "libvpx-vp9", "vp8": "libvpx", "av1": "libdav1d"}
    return frozenset(names | {alias for name, alias in aliases.items() if name in names})


def _streams(source: InputContainer, target: OutputContainer, media: Media, planned: Plan) -> dict[int, Any]:
    """Output streams by input index, with language, title, dispositions, chapters and attachments."""
    target.metadata.update({key: value for key, value in source.metadata.items() if key.lower() != "encoder"})
    target.set_chapters(source.chapters())
    streams: dict[int, Any] = {}
    for fate in planned.fates:
        stream: Any = source.streams[fate.index]
        if fate.fate not in ("kept", "converted"):
            continue
        if fate.kind == "attachment":
            target.add_attachment(stream.name or stream.metadata.get("filename", f"attachment-{fate.index}"),
                                  stream.mimetype or "application/octet-stream", stream.data)
            continue
        if planned.container.attachments and "attached_pic" in media.streams[fate.index].flags:
            # Matroska keeps a cover as an attachment; as a stream it would become a second picture track.
            kind = stream.metadata.get("mimetype") or f"image/{fate.codec.replace('mjpeg', 'jpeg')}"
            name = stream.metadata.get("filename") or f"cover.{kind.rsplit('/', 1)[-1].replace('jpeg', 'jpg')}"
            target.add_attachment(name, kind, _picture(media.path, fate.index))
            continue
        copy: Any = (target.add_mux_stream(planned.container.codec, time_base=_BASE) if fate.fate == "converted"
                     else target.add_stream_from_template(stream, opaque=True))
        copy.metadata.update({key: value for key, value in stream.metadata.items()
                              if not key.startswith(_STATISTICS)})
        copy.disposition = stream.disposition
        streams[fate.index] = copy
    return streams


def _picture(film: Path, index: int) -> bytes:
    """The bytes of a cover: an attached picture is one packet, given before all others."""
    with opened(film) as source:
        for packet in source.demux(source.streams[index]):
            if packet.size:
                return bytes(packet)
    return b""


def _subtitle_stream(target: OutputContainer, container: Container, language: str, *, default: bool) -> Any:
    from av.stream import Disposition

    known = languages.find(language)
    title = f"{known.name if known else 'Subtitles'} ({MARK})"
    if container.codec == "mov_text":
        # The encoder is never fed, but it writes the style box that players expect in the sample description.
        stream: Any = target.add_stream("mov_text")
        stream.codec_context.subtitle_header = _ASS_HEADER
        stream.time_base = _BASE
    else:
        stream = target.add_mux_stream(container.codec, time_base=_BASE)
    stream.metadata.update({"language": known.three if known else "und", "title": title, "handler_name": title})
    stream.disposition = Disposition.default if default else Disposition(0)
    return stream


def _has_default_subtitle(media: Media, planned: Plan) -> bool:
    kept = {fate.index for fate in planned.fates if fate.fate in ("kept", "converted")}
    return any(stream.kind == "subtitle" and stream.index in kept and "default" in stream.flags
               for stream in media.streams)


def _copy(source: InputContainer, target: OutputContainer, media: Media, planned: Plan, streams: dict[int, Any],
          subtitle: Any, cues: Sequence[Cue], progress: Callable[[float, float], None]) -> str:
    from av.error import FFmpegError

    converted = {fate.index for fate in planned.fates if fate.fate == "converted"}
    waiting = iter(cues)
    cue = next(waiting, None)
    packets = source.demux([source.streams[index] for index in streams])
    clocks: dict[int, int] = {}
    warning = ""
    while True:
        try:
            packet: Any = next(packets)
        except StopIteration:
            break
        except (FFmpegError, OSError) as error:
            warning = f"the film breaks off ({error}): what was there is kept"
            break
        index = packet.stream.index
        if not _stamp(packet, clocks, index, media.origin_s):
            continue
        now_s = float(packet.dts * packet.time_base)
        # Subtitles go in just ahead of the picture that they belong to: players read a film front to back.
        while cue is not None and cue.start <= now_s + 1.0:
            target.mux(_cue_packet(cue, subtitle, planned.container))
            cue = next(waiting, None)
        for ready in _converted(packet) if index in converted else (packet,):
            ready.stream = streams[index]
            target.mux(ready)
        progress(max(0.0, now_s), media.duration_s or 0.0)
    while cue is not None:
        target.mux(_cue_packet(cue, subtitle, planned.container))
        cue = next(waiting, None)
    return warning


def _stamp(packet: Any, clocks: dict[int, int], index: int, origin_s: float) -> bool:
    """Gives a packet time stamps that a muxer takes: on the film's clock, never backwards. False: leave it out."""
    if (packet.dts is None and packet.pts is None) or packet.size == 0:
        return False
    shift = round(origin_s / packet.time_base)
    dts = (packet.dts if packet.dts is not None else packet.pts) - shift
    pts = (packet.pts if packet.pts is not None else packet.dts) - shift
    if index in clocks:
        dts = max(dts, clocks[index] + 1)
    packet.dts, packet.pts = dts, max(pts, dts)
    clocks[index] = dts
    return True


def _cue_packet(cue: Cue, stream: Any, container: Container) -> Any:
    from av.packet import Packet

    text = "\n".join(cue.lines).encode()
    packet = Packet(len(text).to_bytes(2, "big") + text if container.codec == "mov_text" else text)
    packet.stream = stream
    packet.time_base = _BASE
    packet.pts = packet.dts = round(cue.start * 1000)
    packet.duration = round(cue.duration * 1000)
    packet.is_keyframe = True
    return packet


def _converted(packet: Any) -> Iterator[Any]:
    """A mov_text sample (3GPP TS 26.245: length, UTF-8 text, style boxes) as a subrip packet; empty ones are gaps."""
    from av.packet import Packet

    data = bytes(packet)
    text = data[2:2 + int.from_bytes(data[:2], "big")]
    if not text:
        return
    plain = Packet(text)
    plain.time_base, plain.pts, plain.dts, plain.duration = packet.time_base, packet.pts, packet.dts, packet.duration
    plain.is_keyframe = True
    yield plain


_ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, \
MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
