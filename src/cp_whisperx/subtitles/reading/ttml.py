"""TTML and its kin (IMSC, EBU-TT-D, DFXP): paragraphs with begin, end or dur, in any time form of TTML2 12.3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from cp_whisperx.errors import MediaError
from cp_whisperx.subtitles.reading.found import Notes, Parsed
from cp_whisperx.subtitles.reading.markup import SLANT, UPRIGHT, upright
from cp_whisperx.timeline import Cue

_CLOCK = re.compile(r"(\d{1,5}):(\d{2}):(\d{2})(?:\.(\d{1,9})|:(\d{1,3})(?:\.\d+)?)?$")
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|m|s|ms|f|t)$")
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DEEPEST = 50


@dataclass(frozen=True)
class _Rates:
    frame: float
    tick: float
    says_frames: bool


def is_ttml(text: str) -> bool:
    return re.search(r"<(?:\w+:)?tt[\s>]", text[:4000]) is not None


def ttml(text: str, notes: Notes, frame_rate: float | None) -> Parsed:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise MediaError("this TTML declares a document type, which the format forbids",
                         hint="remove the <!DOCTYPE …> part")
    try:
        # The declaration may name an encoding that the decoded text no longer has.
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except (ElementTree.ParseError, ValueError) as error:
        raise MediaError(f"this TTML is no well-formed XML ({error})", hint="mend it in an editor") from None
    rates = _rates(root, frame_rate)
    tops = {_attribute(region, "id") for region in root.iter() if _name(region) == "region"
            and _attribute(region, "displayAlign") == "before"}
    cues = tuple(_cues(root, 0.0, None, rates, tops - {""}, notes, 0))
    return Parsed(cues, frame_rate=rates.frame if rates.says_frames else None)


def _cues(element: ElementTree.Element, begin: float, end: float | None, rates: _Rates, tops: set[str],
          notes: Notes, depth: int) -> Iterator[Cue]:
    """Times of what is inside count from the start of what is around it."""
    if depth > _DEEPEST:
        notes.add("elements nested too deeply were left out")
        return
    inner = begin + (_time(_attribute(element, "begin"), rates) or 0.0)
    until = _time(_attribute(element, "end"), rates)
    length = _time(_attribute(element, "dur"), rates)
    ends = [limit for limit in (end, begin + until if until is not None else None,
                                inner + length if length is not None else None) if limit is not None]
    until = min(ends) if ends else None
    if _name(element) == "p":
        text = "\n".join(" ".join(line.split()) for line in "".join(_text(element, notes, depth)).split("\n"))
        if until is None:
            notes.add("cues without an end were left out")
            return
        lines, italic, slanted = upright(text)
        if _attribute(element, "fontStyle") == "italic":
            italic, slanted = bool(lines), ()
        yield Cue(round(inner, 3), round(until, 3), lines, italic=italic, slanted=slanted,
                  top=_attribute(element, "region") in tops)
        return
    for child in element:
        yield from _cues(child, inner, until, rates, tops, notes, depth + 1)


def _text(element: ElementTree.Element, notes: Notes, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        notes.add("elements nested too deeply were left out")
        return
    yield _clean(element.text)
    for child in element:
        if _name(child) == "br":
            yield "\n"
        elif _name(child) != "metadata":
            style = _attribute(child, "fontStyle")
            yield {"italic": SLANT, "normal": UPRIGHT}.get(style, "")
            yield from _text(child, notes, depth + 1)
            yield {"italic": UPRIGHT, "normal": SLANT}.get(style, "")
        yield _clean(child.tail)


def _clean(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace(SLANT, "").replace(UPRIGHT, "")


def _rates(root: ElementTree.Element, frame_rate: float | None) -> _Rates:
    said = _number(_attribute(root, "frameRate"))
    frames = frame_rate or said or 30.0
    over, _, under = _attribute(root, "frameRateMultiplier").replace(":", " ").partition(" ")
    if said and not frame_rate and _number(over) and _number(under):
        frames = said * (_number(over) or 1.0) / (_number(under) or 1.0)
    tick = _number(_attribute(root, "tickRate")) or (frames if said else 1.0)
    return _Rates(frames, tick, bool(said or frame_rate))


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}", text) and int(text) else None


def _time(text: str, rates: _Rates) -> float | None:
    text = text.strip()
    if found := _CLOCK.match(text):
        hours, minutes, whole, decimals, frames = found.groups()
        return (int(hours) * 3600 + int(minutes) * 60 + int(whole) + float(f"0.{decimals or 0}")
                + int(frames or 0) / rates.frame)
    if found := _OFFSET.match(text):
        unit = found[2]
        step = _UNIT_S[unit] if unit in _UNIT_S else 1 / (rates.frame if unit == "f" else rates.tick)
        return float(found[1]) * step
    return None


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attribute(element: ElementTree.Element, name: str) -> str:
    """By its local name: files of older drafts have other namespaces."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
