"""What a film's container says of itself and of its streams."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.errors import MediaError

if TYPE_CHECKING:
    from av.container import InputContainer

_MICROSECONDS = 1_000_000
# Broadcast and disc formats count from an arbitrary moment; players show their first one as 0.
_CLOCK_WITHOUT_ZERO = frozenset(("mpegts", "mpeg", "vob", "dvd"))

UNKNOWN = "unknown"
"""Stands for a codec that the media library has no decoder for."""
_MUXER = re.compile("andle|@GPAC|Core Media|ISO Media|^$")
"""In the handler names that muxers and phones write by themselves."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream. `kind` is video, audio, subtitle, data, attachment or unknown; times in seconds."""

    index: int
    kind: str
    codec: str
    """The codec's own name (`mp3`, `subrip`), whichever decoder serves it; UNKNOWN where none does."""
    language: str | None
    title: str | None
    flags: frozenset[str]
    """Dispositions by their names in the media library: default, comment, attached_pic…"""
    start_s: float | None
    duration_s: float | None
    channels: str = ""
    frame_rate: float | None = None

    @property
    def is_picture(self) -> bool:
        """Moving picture; a cover is none although containers call it video."""
        return self.kind == "video" and "attached_pic" not in self.flags


@dataclass(frozen=True, slots=True)
class Media:
    path: Path
    container: str
    """Name of the format in the media library, such as `matroska,webm`."""
    duration_s: float | None
    origin_s: float
    """The container's time stamp that a player shows as 0:00."""
    streams: tuple[StreamInfo, ...]

    @property
    def audio(self) -> tuple[StreamInfo, ...]:
        return tuple(stream for stream in self.streams if stream.kind == "audio")

    @property
    def picture(self) -> StreamInfo | None:
        return next((stream for stream in self.streams if stream.is_picture), None)


def probe(path: Path) -> Media:
    """Raises MediaError for what is no file or no film."""
    with opened(path) as container:
        return describe(path, container)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The film, open for reading. Raises MediaError with one sentence if it cannot be."""
    import av

    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise MediaError(f"there is no file {path}", hint="check the path; quote names with spaces") from None
    except (OSError, ValueError) as error:
        # A loop of links, a file taken for a folder, a name too long or with a zero byte in it.
        raise MediaError(f"{str(path)!r:.150} cannot be opened ({in_words(error)})", hint="check the path") from None
    if not stat.S_ISREG(mode):
        raise MediaError(f"{path} is not a file", hint="give the film's file, not a folder or a device")
    if not path.stat().st_size:
        raise MediaError(f"{path} is empty", hint="fetch or copy the film again")
    try:
        # An absolute path cannot be taken for a URL; genpts: AVI and others store no presentation times.
        container = av.open(str(path.absolute()), options={"fflags": "+genpts"}, metadata_errors="replace")
    except PermissionError:
        raise MediaError(f"{path} may not be read", hint="check its permissions") from None
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise MediaError(f"{path} cannot be read as a film ({in_words(error)})",
                         hint="it may be cut off or damaged, or no film at all: try to play it") from error
    with container:
        yield container


def packets(container: InputContainer, streams: Sequence[Any], ended: Callable[[str], None]) -> Iterator[Any]:
    """The packets of `streams` in file order; `ended` is told the reason if the file breaks off before its end."""
    import av

    if not streams:
        # To the library no streams are all streams.
        return
    reader = container.demux(list(streams))
    while True:
        try:
            packet = next(reader)
        except (StopIteration, IndexError):
            # IndexError: the library stumbles, at the end, over a stream that had begun in mid-film.
            return
        except (av.error.FFmpegError, OSError) as error:
            ended(in_words(error))
            return
        if packet.stream in streams:
            yield packet


def describe(path: Path, container: InputContainer) -> Media:
    start = container.start_time or 0
    origin = start / _MICROSECONDS if set(container.format.name.split(",")) & _CLOCK_WITHOUT_ZERO else 0.0
    duration = container.duration / _MICROSECONDS if container.duration and container.duration > 0 else None
    return Media(path, container.format.name, duration, origin, tuple(map(_stream, container.streams)))


def _stream(stream: Any) -> StreamInfo:
    context = stream.codec_context
    base = float(stream.time_base) if stream.time_base else None
    rate = stream.average_rate or stream.guessed_rate if stream.type == "video" else None
    return StreamInfo(
        index=stream.index,
        kind=stream.type,
        codec=context.codec.canonical_name if context else UNKNOWN,
        language=stream.language or stream.metadata.get("language"),
        title=_title(stream.metadata),
        flags=frozenset(flag.name for flag in type(stream.disposition) if flag.name and flag in stream.disposition),
        start_s=stream.start_time * base if base and stream.start_time is not None else None,
        duration_s=stream.duration * base if base and stream.duration else None,
        channels=context.layout.name if stream.type == "audio" and context and context.layout else "",
        frame_rate=float(rate) if rate else None,
    )


def _title(metadata: Mapping[str, str]) -> str | None:
    """Matroska has `title`; MP4 gives it back as `name`, and names of muxers (`SoundHandler`) are no titles."""
    handler = metadata.get("handler_name", "")
    return metadata.get("title") or metadata.get("name") or (None if _MUXER.search(handler) else handler or None)


def in_words(error: BaseException) -> str:
    """What the media library says of an error, in one line and without its own bookkeeping."""
    return str(getattr(error, "strerror", None) or error).splitlines()[0]
