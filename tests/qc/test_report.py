"""The report as files: what a program reads, and a page in which no text of the film is code."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest

from cp_whisperx.qc import Change, Drop, QcData, Voice, write_report
from cp_whisperx.qc.page import clock
from cp_whisperx.timeline import Breach, Cue, Span, Turn


@dataclass(frozen=True)
class Finding:
    cue: int
    value: str


@dataclass(frozen=True)
class Outcome:
    rule: str
    about: str
    limit: str
    result: Literal["passed", "failed", "not checked", "off"]
    findings: Sequence[Finding] = ()
    reason: str = ""


EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)> & <!--RULES--> \u2028 \"quoted\""
SPEED = Outcome("chars_per_s", "Reading speed", "20", "failed",
                (Finding(2, "24.0"), Finding(2, "24.0"), Finding(3, "21.5")))
DATA = QcData(
    film="The Night Train", language="en", profile="netflix-en", duration_s=60.0,
    cues=(Cue(1.0, 2.5, ("Hello there.",)),
          Cue(3.0, 4.0, ("Two lines", "of it"), breaches=(Breach("cps_target", 24.0, 20.0),)),
          Cue(5.0, 6.0, ("नमस्ते",))),
    rules=(Outcome("lines", "Lines of a cue", "2", "passed"), SPEED,
           Outcome("shots", "Near a cut", "12 frames", "not checked", reason="nobody looked for shot changes"),
           Outcome("words_per_minute", "Words a minute", "", "off")),
    speeds=(8.0, 24.0, 21.5), speed_limit=20.0, speech=(Span(1.0, 6.0),), unheard=(Span(20.0, 23.0),),
    songs=(Span(40.0, 50.0),), cuts=(2.9, 30.0),
    voices=Voice.of([Turn(3, 4, "S2"), Turn(1, 2, "S1")], {"S1": "Simran"}),
    dropped=(Drop(10.0, 11.0, "Thanks for watching!", "ghost", "often invented", 2),),
    changes=(Change(1.0, "Simon", "Simran", "in the cast", 0.9), Change(2.0, "Amrica", "Amrita", "alike", 0.7, True)),
    warnings=("a warning",), peaks=bytes(range(250)))


class Page(HTMLParser):
    """Tags as a browser sees them, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
            self._in_script = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data
        else:
            self.words += data + " "

    def cells(self) -> str:
        return re.sub(r"\s+", " ", self.words)


def page(tmp_path: Path, data: QcData) -> Page:
    return Page(write_report(tmp_path, data)[1].read_text(encoding="utf-8"))


def test_what_a_program_reads(tmp_path: Path) -> None:
    written, _ = write_report(tmp_path, DATA)
    read = json.loads(written.read_text(encoding="utf-8"))
    assert read["cues_that_pass"] == 0.3333
    assert [cue["no_room"] for cue in read["cues"]] == [[], ["cps_target 24, limit 20"], []]
    assert [cue["breaks"] for cue in read["cues"]] == [
        [], ["Reading speed: 24.0 (limit 20)"] * 2, ["Reading speed: 21.5 (limit 20)"]]
    assert [(rule["rule"], rule["result"], rule["count"]) for rule in read["rules"]][:2] == [
        ("lines", "passed", 0), ("chars_per_s", "failed", 3)]
    assert read["unheard"] == [[20.0, 23.0]] and read["cuts"] == [2.9, 30.0] and read["chars_per_s"]["median"] == 21.5
    assert [(one["label"], one["turns"]) for one in read["speakers"]] == [("Simran", [[1, 2]]), ("S2", [[3, 4]])]
    assert read["dropped"][0]["guard"] == "ghost" and read["names"][1]["vetoed"] is True
    assert "peaks" not in read


def test_what_a_person_sees(tmp_path: Path) -> None:
    seen = page(tmp_path, DATA).cells()
    for words in ("The Night Train", "33.3 % break no rule of netflix-en", "3 s of speech without a cue", "a warning",
                  "failed Reading speed 20 2 2 3", "passed Lines of a cue 2 0", "nobody looked for shot changes",
                  "0:00:10.0 Thanks for watching! ghost often invented second", "Simon Simran 0.90", "limit 20"):
        assert words in seen, words
    assert "Words a minute" not in seen


def test_nothing_found_is_said_too(tmp_path: Path) -> None:
    empty = QcData("Film", "und", "bbc", 0.0, (), ())
    seen = page(tmp_path, empty).cells()
    for words in ("no cues", "no rule was checked", "everything that was recognised was believed", "all speech has"):
        assert words in seen
    assert "100 %" in seen


def test_no_text_of_the_film_becomes_code(tmp_path: Path) -> None:
    evil = QcData(EVIL, EVIL, EVIL, 60.0, (Cue(1.0, 2.0, (EVIL, EVIL)),),
                  (Outcome(EVIL, EVIL, EVIL, "failed", (Finding(1, EVIL),), EVIL),), (8.0,), 20.0, (), (), (), None,
                  (Voice(EVIL, (Span(1, 2),)),), (Drop(1.0, 2.0, EVIL, EVIL, EVIL),),
                  (Change(1.0, EVIL, EVIL, EVIL, 0.5),), (EVIL,), b"")
    found, plain = page(tmp_path, evil), page(tmp_path, DATA)
    assert len(found.scripts) == 2 and found.scripts[1] == plain.scripts[1]
    assert json.loads(found.scripts[0])["cues"][0]["lines"] == [EVIL, EVIL]
    assert "img" not in {tag for tag, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert found.cells().count("alert(1)") >= 8


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = write_report(tmp_path, DATA)[1].read_text(encoding="utf-8")
    assert "://" not in text and "@import" not in text and "url(" not in text
    assert not [tag for tag, attributes in Page(text).tags if tag in ("link", "iframe") or attributes.get("src")]
    policy = next(attributes for tag, attributes in Page(text).tags if "http-equiv" in attributes)
    assert "default-src 'none'" in str(policy["content"])


def test_the_waveform_is_in_the_page(tmp_path: Path) -> None:
    assert base64.b64decode(json.loads(page(tmp_path, DATA).scripts[0])["peaks"]) == bytes(range(250))


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files.append([path.read_bytes() for path in write_report(tmp_path / name, DATA)])
    assert files[0] == files[1]


def test_two_hours_stay_small(tmp_path: Path) -> None:
    cues = tuple(Cue(3.6 * number, 3.6 * number + 2, ("A line of dialogue as long as", "they usually are in a film."))
                 for number in range(2000))
    long = replace(DATA, duration_s=7200.0, cues=cues, speeds=(15.0,) * 2000, cuts=tuple(float(t) for t in range(1500)),
                   speech=tuple(Span(cue.start, cue.end) for cue in cues), peaks=bytes(72_000),
                   rules=(replace(SPEED, findings=tuple(Finding(n + 1, "24.0") for n in range(2000))),))
    _, written = write_report(tmp_path, long)
    assert written.stat().st_size < 2_000_000
    assert "and 1976 more" in Page(written.read_text(encoding="utf-8")).cells()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00:00.0"), (59.97, "0:01:00.0"), (3725.04, "1:02:05.0"),
                                               (-1, "0:00:00.0")])
def test_times_as_they_are_read(seconds: float, text: str) -> None:
    assert clock(seconds) == text
