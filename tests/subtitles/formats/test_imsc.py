"""Our TTML read by the reader of its standard's editors (ttconv), and held against IMSC's model of a slow renderer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import pytest
from imschrm import doc_sequence, hrm
from ttconv.imsc import reader
from ttconv.isd import ISD

from cp_whisperx.subtitles.formats import FORMATS, Sheet
from cp_whisperx.timeline import Cue

SHEET = Sheet((
    Cue(0.0, 1.5, ("Tom & Jerry", "run")), Cue(1.583, 3.0, ("♪ La la ♪",), sung=True, italic=True),
    Cue(3.0, 4.0, ("मैं नहीं आऊँगा",), slanted=(1,)), Cue(3661.05, 3663.0, ("-Who?", "-{Me}\\"), ("S1", "S2"), top=True)),
    "en", "Film", 24000 / 1001, names={"S1": "Asha", "S2": "Ben"}, colours={"S2": "#FFFF00"})

SPOILT = {
    # what is put in the place of what, and what the reader makes of it
    "a word for an enumeration": ('tts:displayAlign="after"', 'tts:displayAlign="below"'),
    "a region that is not there": ('region="foot"', 'region="feet"'),
    "a style that is not there": ('style="text"', 'style="test"'),
    "a colour that is none": ('tts:color="#FFFFFF"', 'tts:color="#FFF"'),
    "a time that is none": ('begin="00:00:01.583"', 'begin="1,583"'),
}


def complaints(text: str, log: pytest.LogCaptureFixture) -> list[str]:
    """What a strict reader says of a document."""
    log.clear()
    with log.at_level(logging.WARNING):
        try:
            made = reader.to_model(ElementTree.ElementTree(ElementTree.fromstring(text)))
            ISD.generate_isd_sequence(made)
        except Exception as error:
            return [repr(error)]
    return [record.getMessage() for record in log.records]


def test_it_is_read_without_a_complaint(caplog: pytest.LogCaptureFixture) -> None:
    assert complaints(FORMATS["ttml"].text(SHEET), caplog) == []
    assert complaints(FORMATS["ttml"].text(Sheet(())), caplog) == []


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_spoilt_is_complained_of(name: str, caplog: pytest.LogCaptureFixture) -> None:
    right, wrong = SPOILT[name]
    text = FORMATS["ttml"].text(SHEET)
    assert right in text
    assert complaints(text.replace(right, wrong, 1), caplog)


def test_what_is_shown_and_when() -> None:
    made = reader.to_model(ElementTree.ElementTree(ElementTree.fromstring(FORMATS["ttml"].text(SHEET))))
    shown = {float(at): "".join(_texts(isd)) for at, isd in ISD.generate_isd_sequence(made)}
    assert shown == {0.0: "Tom & Jerryrun", 1.5: "", 1.583: "♪ La la ♪", 3.0: "मैं नहीं आऊँगा", 4.0: "",
                     3661.05: "-Who?-{Me}\\", 3663.0: ""}


def _texts(isd: Any) -> Iterator[str]:
    for region in isd.iter_regions():
        for element in region.dfs_iterator():
            if hasattr(element, "get_text"):
                yield element.get_text()


class Slow(hrm.EventHandler):
    def __init__(self) -> None:
        self.errors: list[str] = []

    def error(self, msg: str, *details: Any) -> None:
        self.errors.append(msg)


@pytest.mark.parametrize(("seconds", "fits"), [(0.5, True), (0.02, False)])
def test_a_slow_renderer_keeps_up(seconds: float, fits: bool) -> None:
    """IMSC 1.1, hypothetical render model: full cues one behind the other; so many in a second that none could."""
    lines = ("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNO", "अआइईउऊऋएऐओऔकखगघङचछजझञटठडढणतथदधनपफबभमयरलव")
    cues = tuple(Cue(place * seconds, (place + 1) * seconds, tuple(line[place % 20:] + line[:place % 20]
                                                                   for line in lines)) for place in range(40))
    found = Slow()
    text = FORMATS["ttml"].text(Sheet(cues, "hi"))
    hrm.validate(doc_sequence.iter_isd([(Fraction(0), None, text)]), found)
    assert (not found.errors) == fits
