"""What else a film file may hold: chapters, a cover, an attached font."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from av.container import OutputContainer
from av.stream import Disposition
from PIL import Image

from scenes.picture import cover
from scenes.spec import SceneSpec


def add_extras(container: OutputContainer, spec: SceneSpec, end_s: float) -> None:
    """Adds the extras that `spec` asks for; chapters divide the film up to `end_s` in three."""
    matroska = spec.container == "mkv"
    if spec.chapters:
        parts = 3
        bounds = [round(end_s * 1000 * part / parts) for part in range(parts + 1)]
        titles = ("The platform", "The letter", "The night train")
        container.set_chapters(
            [
                {
                    "id": part + 1,
                    "start": bounds[part],
                    "end": bounds[part + 1],
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": titles[part]},
                }
                for part in range(parts)
            ]
        )
    if spec.attachment:
        # The head of a TrueType file with no tables: enough for a tool that copies it unread.
        font = b"\x00\x01\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00" + bytes(500)
        container.add_attachment("platform-sans.ttf", "font/ttf", font)
    if spec.cover_art and matroska:
        # Matroska keeps a cover as an attachment; its demuxer shows it as a picture stream.
        jpeg = io.BytesIO()
        Image.fromarray(cover()).save(jpeg, "JPEG", quality=88)
        container.add_attachment("cover.jpg", "image/jpeg", jpeg.getvalue())
    elif spec.cover_art:
        _add_cover_stream(container)


def _add_cover_stream(container: OutputContainer) -> None:
    pixels = cover()
    stream = container.add_stream("png", rate=1)
    stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], "rgb24"
    stream.disposition = Disposition.attached_pic
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
    frame.pts, frame.time_base = 0, Fraction(1, 1)
    container.mux([*stream.encode(frame), *stream.encode(None)])
