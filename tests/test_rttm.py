from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx import rttm
from cp_whisperx.errors import ConfigError
from cp_whisperx.timeline import Span, Turn


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    turns = (Turn(0.0, 1.5, "S1"), Turn(1.25, 2.0, "S2"))
    (tmp_path / "a.rttm").write_text(rttm.write(turns, "My film"))
    assert (tmp_path / "a.rttm").read_text().startswith("SPEAKER My_film 1 0.000 1.500 <NA> <NA> S1 <NA> <NA>\n")
    assert rttm.read(tmp_path / "a.rttm") == turns


def test_names_with_spaces_stay_one_field(tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_text(rttm.write([Turn(0, 1, "Simran Singh ;; #1")], ""))
    assert rttm.read(tmp_path / "a.rttm") == (Turn(0, 1, "Simran_Singh_1"),)


@pytest.mark.parametrize(("text", "turns"), [
    ("", ()),
    ("\ufeffSPEAKER f 1 1 2 <NA> <NA> A <NA>\n", (Turn(1, 3, "A"),)),
    (";; made by hand\n\nspeaker f 1 1.0 2.0 <NA> <NA> A <NA> <NA> ;; sure\r\n", (Turn(1, 3, "A"),)),
    ("SPKR-INFO f 1 <NA> <NA> <NA> unknown A <NA>\nSPEAKER\tf 1\t1 2 <NA> <NA> A <NA> <NA>", (Turn(1, 3, "A"),)),
    ("SPEAKER f 1 1 0 <NA> <NA> A <NA> <NA>\n", ()),
    ("SPEAKER f 1 4 1 <NA> <NA> B <NA> <NA>\nSPEAKER f 1 1 1 <NA> <NA> A <NA> <NA>\n",
     (Turn(1, 2, "A"), Turn(4, 5, "B"))),
], ids=["empty", "mark and nine fields", "comments, lower case, CRLF", "other types, tabs", "no length", "any order"])
def test_reading_is_lenient(text: str, turns: tuple[Turn, ...], tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_bytes(text.encode())
    assert rttm.read(tmp_path / "a.rttm") == turns


@pytest.mark.parametrize("text", [
    b"SPEAKER f 1 one 2 <NA> <NA> A <NA> <NA>", b"SPEAKER f 1 1 nan <NA> <NA> A <NA> <NA>",
    b"SPEAKER f 1 -1 2 <NA> <NA> A <NA> <NA>", b"SPEAKER f 1 1 2", b"1\n00:00:01,000 --> 00:00:02,000\nHi\n",
    b"\xff\xfe\x00", b"{}", b"SPEAKER f 1 1 1e300 <NA> <NA> A <NA> <NA>",
])
def test_what_is_no_rttm_is_refused_in_one_sentence(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_bytes(text)
    with pytest.raises(ConfigError, match=r"a\.rttm") as caught:
        rttm.read(tmp_path / "a.rttm")
    assert "\n" not in caught.value.message and caught.value.hint


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        rttm.read(tmp_path / "a.rttm")


def test_uem(tmp_path: Path) -> None:
    (tmp_path / "a.uem").write_text("f NA 5 9.5\nf 1 0 2\n")
    assert rttm.read_uem(tmp_path / "a.uem") == (Span(0, 2), Span(5, 9.5))


@pytest.mark.parametrize("text", ["f 1 0", "f 1 2 1", "f 1 a b"])
def test_what_is_no_uem_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.uem").write_text(text)
    with pytest.raises(ConfigError, match="no UEM"):
        rttm.read_uem(tmp_path / "a.uem")


@pytest.mark.media
def test_the_references_of_the_shared_media(shared_media: Path) -> None:
    files = sorted(shared_media.glob("*/*.rttm"))
    assert len(files) >= 6
    assert all(rttm.read(file) for file in files)
