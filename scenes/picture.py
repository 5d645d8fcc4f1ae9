"""The drawn picture: a railway platform at dusk, four people on it, and a burnt-in timecode."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Pixels = NDArray[np.uint8]

_SKY = ((24, 22, 58), (84, 48, 104), (206, 104, 96), (250, 178, 112))
_SKY_STOPS = (0.0, 0.42, 0.78, 1.0)
_HORIZON = 0.62
_PLATFORM = 0.80
_PAN_SHARE = 0.30
_PAN_PERIOD_S = 180.0
_DARK = (17, 14, 30)
_LIT = (255, 214, 150)


class Painter:
    """Draws frames of `width` x `height`; `speakers` stand on the platform from left to right.

    The still parts are drawn once, so a frame costs a few copies.
    """

    def __init__(self, width: int, height: int, fps: int, speakers: tuple[str, ...], *, moving: bool) -> None:
        self._width, self._height, self._fps = width, height, fps
        self._pan = int(width * _PAN_SHARE) if moving else 0
        wide = width + int(width * _PAN_SHARE)
        self._sky = _sky(wide, height)
        self._stages = {name: _stage(width, height, speakers, name) for name in (None, *speakers)}
        self._digits = _digits(height)
        self._last: tuple[tuple[str | None, float], Pixels] | None = None

    def frame(self, number: int, speaking: str | None) -> Pixels:
        """Frame `number` (from 0) as RGB, (height, width, 3), with the person `speaking` lit."""
        phase = 2 * np.pi * number / (self._fps * _PAN_PERIOD_S)
        # Quarter pixels look smooth, and several frames in a row share one composition.
        shift = round((0.5 - 0.5 * float(np.cos(phase))) * self._pan * 4) / 4
        if self._last is None or self._last[0] != (speaking, shift):
            self._last = (speaking, shift), self._composed(speaking, shift)
        image = self._last[1].copy()
        self._burn_in(image, timecode(number, self._fps))
        return image

    def _composed(self, speaking: str | None, shift: float) -> Pixels:
        # Between whole pixels the two neighbours are blended, or the slow pan would visibly step.
        whole, part = int(shift), shift - int(shift)
        weight = np.uint16(part * 256)
        near = self._sky[:, whole : whole + self._width].astype(np.uint16)
        far = self._sky[:, whole + 1 : whole + 1 + self._width] if weight else near
        sky = (near * (256 - weight) + far * weight) >> 8
        colour, alpha = self._stages[speaking]
        return ((sky * (256 - alpha) + colour * alpha) >> 8).astype(np.uint8)

    def _burn_in(self, image: Pixels, text: str) -> None:
        cell_h, cell_w = self._digits["0"].shape
        left = self._width - cell_w * len(text) - cell_w
        top = cell_h // 2
        box = image[top : top + cell_h, left - cell_w // 2 : left + cell_w * len(text) + cell_w // 2]
        box //= 4
        for place, character in enumerate(text):
            x = left + place * cell_w
            area = image[top : top + cell_h, x : x + cell_w]
            np.maximum(area, self._digits[character][:, :, None], out=area)


def timecode(number: int, fps: int) -> str:
    """HH:MM:SS:FF of frame `number`."""
    seconds, frame = divmod(number, fps)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}"


def cover(size: int = 300) -> Pixels:
    """The cover art, RGB, (size, size, 3)."""
    colour, alpha = _stage(size, size, ("left", "right"), "left")
    sky = _sky(size, size).astype(np.uint16)
    return ((sky * (256 - alpha) + colour * alpha) >> 8).astype(np.uint8)


def _sky(width: int, height: int) -> Pixels:
    """Dusk with a moon, stars, far hills and the lights of a town; RGB, (height, width, 3)."""
    rng = np.random.default_rng(7)
    rows = np.linspace(0, 1 / _HORIZON, height).clip(0, 1)
    gradient = np.stack([np.interp(rows, _SKY_STOPS, [c[i] for c in _SKY]) for i in range(3)], axis=1)
    image = Image.fromarray(np.repeat(gradient[:, None, :], width, axis=1).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(110):
        x, y = int(rng.integers(width)), int(rng.integers(int(height * 0.34)))
        glow = int(rng.integers(110, 230))
        draw.point((x, y), (glow, glow, min(255, glow + 20)))

    moon_x, moon_y, moon_r = int(width * 0.30), int(height * 0.20), height // 13
    halo = Image.new("RGB", image.size)
    halo_draw = ImageDraw.Draw(halo)
    for spread, strength in ((4.2, 16), (2.6, 26), (1.6, 44)):
        r = int(moon_r * spread)
        halo_draw.ellipse((moon_x - r, moon_y - r, moon_x + r, moon_y + r), (strength, strength, strength))
    halo = halo.filter(ImageFilter.GaussianBlur(moon_r * 0.8))
    glowing = np.asarray(image).astype(np.uint16) + np.asarray(halo)
    image = Image.fromarray(glowing.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    box = (moon_x - moon_r, moon_y - moon_r, moon_x + moon_r, moon_y + moon_r)
    draw.ellipse(box, (250, 240, 214))
    for dx, dy, share in ((-0.3, -0.2, 0.22), (0.25, 0.3, 0.28), (0.3, -0.4, 0.15)):
        sea_x, sea_y, sea_r = moon_x + dx * moon_r, moon_y + dy * moon_r, share * moon_r
        draw.ellipse((sea_x - sea_r, sea_y - sea_r, sea_x + sea_r, sea_y + sea_r), (232, 219, 192))

    for share, lift, tint in ((0.016, 0.10, (92, 56, 92)), (0.03, 0.045, (56, 38, 72))):
        xs = np.arange(width + 1)
        wave = np.sin(xs * share * 360 / height) + 0.5 * np.sin(xs * share * 830 / height + 1.3)
        ys = height * (_HORIZON - lift) - wave * height * 0.022
        points = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
        draw.polygon([*points, (width, height), (0, height)], tint)
    for _ in range(70):
        x, y = int(rng.integers(width)), int(height * (_HORIZON + rng.uniform(0.0, 0.06)))
        draw.point((x, y), (255, 206, 120) if rng.random() < 0.7 else (190, 160, 140))
    return np.asarray(image)


def _stage(
    width: int, height: int, speakers: tuple[str, ...], speaking: str | None
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Everything before the sky: colour (height, width, 3) and opacity (height, width, 1) of 0..256."""
    scale = 2
    w, h = width * scale, height * scale
    image = Image.new("RGBA", (w, h), (*_DARK, 0))
    draw = ImageDraw.Draw(image)
    floor = int(h * _PLATFORM)

    draw.polygon([(0, 0), (w, 0), (w, h * 0.045), (0, h * 0.085)], (*_DARK, 255))
    for x in np.arange(-0.02, 1.1, 0.06) * w:
        draw.polygon([(x, h * 0.04), (x + w * 0.03, h * 0.04), (x + w * 0.015, h * 0.105)], (*_DARK, 255))
    for share in (0.06, 0.94):
        x = w * share
        draw.rectangle((x - w * 0.006, 0, x + w * 0.006, floor), (*_DARK, 255))
        draw.line((x, h * 0.20, x - w * 0.05, h * 0.05), (*_DARK, 255), width=max(2, w // 160))
        draw.line((x, h * 0.20, x + w * 0.05, h * 0.05), (*_DARK, 255), width=max(2, w // 160))
    draw.rectangle((0, floor, w, h), (30, 24, 44, 255))
    draw.rectangle((0, floor, w, floor + h * 0.012), (74, 56, 78, 255))
    draw.rectangle((0, h * 0.93, w, h * 0.945), (196, 152, 74, 255))
    draw.rectangle((0, h * 0.955, w, h), (12, 10, 22, 255))

    for number, name in enumerate(speakers):
        x = w * (number + 1) / (len(speakers) + 1)
        if name == speaking:
            _light(image, x, floor, h)
        _person(image, x, floor, h * (0.40 + 0.022 * ((number * 7) % 4)), lit=name == speaking, kind=number)
    small = image.resize((width, height), Image.Resampling.LANCZOS)
    rgba = np.asarray(small).astype(np.uint16)
    alpha = rgba[:, :, 3:]
    return rgba[:, :, :3].copy(), alpha + (alpha >> 7)


def _light(image: Image.Image, x: float, floor: int, h: int) -> None:
    """A soft cone from a lamp above and its pool on the floor."""
    glow = Image.new("L", image.size)
    draw = ImageDraw.Draw(glow)
    top, spread = h * 0.10, h * 0.20
    draw.polygon([(x - h * 0.02, top), (x + h * 0.02, top), (x + spread, floor), (x - spread, floor)], 92)
    draw.ellipse((x - spread, floor - h * 0.03, x + spread, floor + h * 0.05), 120)
    glow = glow.filter(ImageFilter.GaussianBlur(h * 0.02))
    image.alpha_composite(Image.merge("RGBA", (*(Image.new("L", image.size, c) for c in _LIT), glow)))
    lamp = ImageDraw.Draw(image)
    lamp.line((x, 0, x, top - h * 0.02), (*_DARK, 255), width=max(2, h // 180))
    lamp.ellipse((x - h * 0.018, top - h * 0.024, x + h * 0.018, top + h * 0.012), (255, 240, 200, 255))


def _person(image: Image.Image, x: float, floor: int, tall: float, *, lit: bool, kind: int) -> None:
    """A standing figure `tall` pixels high with its feet at (x, floor)."""
    draw = ImageDraw.Draw(image)
    tints = ((150, 58, 72), (74, 92, 128), (176, 120, 52), (66, 104, 88))
    cloth = (*tints[kind % 4], 255) if lit else (*_DARK, 255)
    skin = (196, 142, 104, 255) if lit else (*_DARK, 255)
    hair = (38, 26, 34, 255) if lit else (*_DARK, 255)
    head = tall * 0.072
    neck, hip = floor - tall * 0.84, floor - tall * 0.46
    shoulder, foot = tall * 0.125, floor + tall * 0.01
    head_y = floor - tall + head

    for side in (-1, 1):
        leg = ((0.0, hip), (0.10, hip), (0.085, foot), (0.02, foot))
        draw.polygon([(x + side * tall * out, y) for out, y in leg], hair)
        draw.line(
            (x + side * shoulder * 0.9, neck + tall * 0.05, x + side * tall * 0.15, hip + tall * 0.05),
            cloth,
            width=max(2, int(tall * 0.055)),
        )
    hem = hip + tall * (0.26 if kind % 2 == 0 else 0.06)
    flare = tall * (0.15 if kind % 2 == 0 else 0.11)
    draw.polygon(
        [
            (x - shoulder, neck + tall * 0.03),
            (x - shoulder * 0.5, neck),
            (x + shoulder * 0.5, neck),
            (x + shoulder, neck + tall * 0.03),
            (x + flare, hem),
            (x - flare, hem),
        ],
        cloth,
    )
    draw.rectangle((x - head * 0.45, head_y, x + head * 0.45, neck + tall * 0.02), skin)
    if kind % 2 == 0:
        draw.ellipse((x - head * 1.25, head_y - head * 1.15, x + head * 1.25, head_y + head * 2.3), hair)
    draw.ellipse((x - head * 0.88, head_y - head, x + head * 0.88, head_y + head * 1.15), skin)
    fringe = (x - head * 1.05, head_y - head * 1.25, x + head * 1.05, head_y + head * 0.9)
    draw.pieslice(fringe, 180, 360, hair)
    if kind == 1:
        turban = (214, 132, 44, 255) if lit else (*_DARK, 255)
        draw.ellipse((x - head * 1.3, head_y - head * 1.7, x + head * 1.3, head_y + head * 0.1), turban)


def _digits(height: int) -> dict[str, Pixels]:
    """Each character of a timecode as a bright mask in a cell of one common size."""
    size = max(10, height // 16)
    font = ImageFont.load_default(size)
    characters = "0123456789:"
    cell = int(max(font.getlength(c) for c in characters[:-1])) + 1, int(size * 1.35)
    masks = {}
    for character in characters:
        image = Image.new("L", cell)
        place = (cell[0] / 2, cell[1] / 2)
        ImageDraw.Draw(image).text(place, character, fill=235, font=font, anchor="mm")
        masks[character] = np.asarray(image)
    return masks
