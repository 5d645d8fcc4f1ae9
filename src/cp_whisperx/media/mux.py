"""The film again, every stream copied bit for bit, with one soft subtitle track of ours.

The streams are planned per container before anything is written, so that nothing is lost in silence.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx import languages
from cp_whisperx.artifacts import StreamFate
from cp_whisperx.errors import EngineError
from cp_whisperx.media.probe import UNKNOWN, Media, StreamInfo, describe, in_words, opened, packets
from cp_whisperx.media.stamps import Stamps
from cp_whisperx.timeline import Cue

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

MARK = "cp-whisperx"
"""Stands in the title of our track, so that a later run finds and replaces it."""

_BASE = Fraction(1, 1000)
# Without it the muxer draws random track and segment identities, and no two runs give the same file.
_SAME_BYTES = {"fflags": "+bitexact"}
_STATISTICS = ("_STATISTICS", "BPS", "DURATION", "NUMBER_OF", "ENCODER", "encoder", "vendor_id")
_BRANDS = frozenset(("encoder", "major_brand", "minor_version", "compatible_brands"))
_HANDLERS = frozenset(("name", "handler_name"))
_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES))
_APPLE_HEVC = "hvc1"
"""The one tag under which Apple's players show HEVC; the muxer would write another."""


@dataclass(frozen=True, slots=True)
class Container:
    """How one kind of file takes text subtitles. `codec` is the media library's name."""

    format: str
    suffix: str
    codec: str
    attachments: bool
    """Fonts and covers are attachments, not streams."""
    edit_lists: bool
    """Can hold sound that is there for the decoder alone and not presented."""
    bibliographic: bool
    """Language tags are ISO 639-2/B, else 639-2/T."""


MKV = Container("matroska", ".mkv", "subrip", attachments=True, edit_lists=False, bibliographic=True)
MP4 = Container("mp4", ".mp4", "mov_text", attachments=False, edit_lists=True, bibliographic=False)
MOV = Container("mov", ".mov", "mov_text", attachments=False, edit_lists=True, bibliographic=False)


@dataclass(frozen=True, slots=True)
class Plan:
    container: Container
    reason: str
    fates: tuple[StreamFate, ...]
    impossible: str = ""
    """Why there would be no film left to watch or to hear, if so."""


def plan(media: Media) -> Plan:
    """Keeps the film's own container if that holds everything; else Matroska, which holds nearly all."""
    if "mp4" not in media.container.split(","):
        own = "matroska" in media.container.split(",") and media.path.suffix.lower() != ".webm"
        return plan_for(media, MKV, "as the film" if own else
                        f"{media.path.suffix or media.container} holds no subtitles of this kind")
    own_plan = plan_for(media, MOV if media.path.suffix.lower() == ".mov" else MP4, "as the film")
    # Chapters come back as chapters and timecode tracks mean nothing elsewhere: data is no reason to change.
    lost = [fate for fate in own_plan.fates if fate.fate == "dropped" and fate.kind != "data"]
    if not lost:
        return own_plan
    what = ", ".join(f"stream {fate.index} ({fate.codec})" for fate in lost)
    return plan_for(media, MKV, f"{own_plan.container.suffix[1:]} cannot hold {what}")


def plan_for(media: Media, container: Container, reason: str) -> Plan:
    """What becomes of each stream in a given container."""
    supported = _supported(container)
    fates = tuple(_fate(stream, container, supported) for stream in media.streams)
    kept = {fate.index for fate in fates if fate.fate == "kept"}
    impossible = ""
    for name, streams in (("picture", [stream for stream in media.streams if stream.is_picture]),
                          ("sound", media.audio)):
        if streams and not any(stream.index in kept for stream in streams):
            impossible = f"{container.suffix[1:]} cannot hold the {name} ({streams[0].codec})"
    return Plan(container, reason, fates, impossible)


def write(film: Path, out: Path, planned: Plan, cues: Sequence[Cue], *, language: str,
          progress: Callable[[float, float], None] = lambda done, total: None) -> str:
    """Writes the film with its subtitles to `out`; returns a warning if the film broke off, else "".

    Raises EngineError if the muxer refuses, MediaError if the film cannot be read, OSError if the disk does
    not take it. Nothing stays of a file that is not complete.
    """
    import av
    from av.error import FFmpegError

    try:
        # An absolute path cannot be taken for a URL.
        with opened(film) as source, av.open(str(out.absolute()), "w", format=planned.container.format,
                                             options=_SAME_BYTES) as target:
            media = describe(film, source)
            streams = _streams(source, target, media, planned)
            subtitle = _subtitle_stream(target, planned.container, language,
                                        default=not _has_default_subtitle(media, planned))
            return _copy(source, target, media, planned, streams, subtitle, cues, progress)
    except BaseException as error:
        out.unlink(missing_ok=True)
        if isinstance(error, (FFmpegError, ValueError)) and getattr(error, "errno", None) not in _DISK:
            raise EngineError(f"the subtitles could not be put into {planned.container.suffix[1:]} "
                              f"({in_words(error)})",
                              hint="the subtitle files are complete; please report the film's format") from error
        raise


def _fate(stream: StreamInfo, container: Container, supported: frozenset[str]) -> StreamFate:
    def so(fate: Any, reason: str = "") -> StreamFate:
        return StreamFate(index=stream.index, kind=stream.kind, codec=stream.codec, language=stream.language,
                          fate=fate, reason=reason)

    if stream.kind == "subtitle" and MARK in (stream.title or ""):
        return so("replaced", "our own track of an earlier run")
    if stream.kind == "attachment":
        return so("kept") if container.attachments else so("dropped", f"{container.format} holds no attachments")
    if stream.kind == "data":
        return so("dropped", "data is not copied; chapters are written anew")
    if stream.codec in supported or (container.attachments and "attached_pic" in stream.flags):
        return so("kept")
    if stream.kind == "subtitle" and stream.codec == "mov_text":
        return so("converted", f"to {container.codec}: {container.format} has no mov_text")
    if stream.codec == UNKNOWN:
        return so("dropped", "its codec is not known here")
    return so("dropped", f"{container.format} holds no {stream.codec}")


def _supported(container: Container) -> frozenset[str]:
    """Names of the codecs that the container takes; asked of an output that is never written."""
    import io

    import av

    names = set()
    with av.open(io.BytesIO(), "w", format=container.format) as target:
        for coder in target.supported_codecs:
            for mode in ("r", "w"):
                with contextlib.suppress(av.codec.codec.UnknownCodecError):
                    names.add(av.Codec(coder, mode).canonical_name)
    return frozenset(names)


def _streams(source: InputContainer, target: OutputContainer, media: Media, planned: Plan) -> dict[int, Any]:
    """Output streams by input index, with language, title, dispositions, chapters and attachments."""
    target.metadata.update({key: value for key, value in source.metadata.items() if key.lower() not in _BRANDS})
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
                              if key.lower() not in _HANDLERS and not key.startswith(_STATISTICS)})
        if title := media.streams[fate.index].title:
            copy.metadata.update({"title": title, **_handler(planned.container, title)})
        copy.disposition = stream.disposition
        if planned.container.edit_lists and stream.codec_tag == _APPLE_HEVC:
            copy.codec_context.codec_tag = _APPLE_HEVC
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
    tag = "und" if not known else known.bibliographic if container.bibliographic else known.three
    if container.codec == "mov_text":
        # The encoder is never fed, but it writes the style box that players expect in the sample description.
        stream: Any = target.add_stream("mov_text")
        stream.codec_context.subtitle_header = _ASS_HEADER
        stream.time_base = _BASE
    else:
        stream = target.add_mux_stream(container.codec, time_base=_BASE)
    stream.metadata.update({"language": tag, "title": title, **_handler(container, title)})
    stream.disposition = Disposition.default if default else Disposition(0)
    return stream


def _handler(container: Container, title: str) -> dict[str, str]:
    """Some players show the handler's name of an MP4 track instead of its title."""
    return {"handler_name": title} if container.edit_lists else {}


def _has_default_subtitle(media: Media, planned: Plan) -> bool:
    kept = {fate.index for fate in planned.fates if fate.fate in ("kept", "converted")}
    return any(stream.kind == "subtitle" and stream.index in kept and "default" in stream.flags
               for stream in media.streams)


def _copy(source: InputContainer, target: OutputContainer, media: Media, planned: Plan, streams: dict[int, Any],
          subtitle: Any, cues: Sequence[Cue], progress: Callable[[float, float], None]) -> str:
    converted = {fate.index for fate in planned.fates if fate.fate == "converted"}
    waiting = iter(cues)
    cue = next(waiting, None)
    covers = frozenset(stream.index for stream in media.streams if "attached_pic" in stream.flags)
    stamps = Stamps(media.origin_s, covers)
    leaves_edit_lists = "mp4" in media.container.split(",") and not planned.container.edit_lists
    broken: list[str] = []
    wanted = packets(source, [source.streams[index] for index in streams], broken.append)
    for packet in chain(chain.from_iterable(map(stamps.put, wanted)), stamps.rest()):
        index = packet.stream.index
        if leaves_edit_lists and _is_hidden(packet):
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
    return f"the film breaks off ({broken[0]}): what was there is kept" if broken else ""


def _is_hidden(packet: Any) -> bool:
    """Sound before 0, which the film's edit list hides.

    Without the list it would be heard, and all else would be moved behind it: up to a frame at the very start
    is given up instead. Opus has its own place for what comes before 0.
    """
    return bool(packet.stream.type == "audio" and
                (packet.is_discard or (packet.pts < 0 and packet.stream.codec_context.codec.canonical_name != "opus")))


def _cue_packet(cue: Cue, stream: Any, container: Container) -> Any:
    from av.packet import Packet

    text = "\n".join(cue.lines).encode()
    packet = Packet(len(text).to_bytes(2, "big") + text if container.codec == "mov_text" else text)
    packet.stream = stream
    packet.time_base = _BASE
    packet.pts = packet.dts = max(0, round(cue.start * 1000))
    packet.duration = round(cue.end * 1000) - packet.pts
    packet.is_keyframe = True
    return packet


def _converted(packet: Any) -> Iterator[Any]:
    """A mov_text sample (3GPP TS 26.245: length, UTF-8 text, style boxes) as a subrip packet; empty ones are gaps."""
    from av.packet import Packet

    data = bytes(packet)
    text = data[2:2 + int.from_bytes(data[:2], "big")]
    if text.startswith(codecs.BOM_UTF16_BE):
        text = text.decode("utf-16", errors="replace").encode()
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
