from __future__ import annotations

import codecs

import pytest

from cp_whisperx.errors import MediaError
from cp_whisperx.subtitles.reading.encodings import decoded
from cp_whisperx.subtitles.reading.found import Notes

TEXTS = {
    "cp1252": "Perché non ammetti che la mia mano robotica ti spaventa? Così è più facile, no? È già finita.",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy. Řekni mi, proč to nemůžeš přiznat, že se bojíš?",
    "cp1251": "Послушай, мы должны следовать нашим желаниям. Почему ты не признаешь, что боишься?",
    "koi8_r": "Послушай, мы должны следовать нашим желаниям. Почему ты не признаешь, что боишься?",
    "cp1253": "Άκου, πρέπει να ακολουθήσουμε τα πάθη μας. Γιατί δεν παραδέχεσαι ότι φοβάσαι;",
    "cp1255": "תקשיבי, אנחנו חייבים ללכת אחרי התשוקות שלנו. למה את לא מודה שאת מפחדת?",
    "cp1256": "اسمعي، يجب أن نتبع شغفنا. لماذا لا تعترفين أنك خائفة من يدي الآلية؟",
    "shift_jis": "聞いてくれ、僕たちは情熱に従わなければならない。どうして怖いと認めないの？",
    "gb18030": "听着，我们必须追随自己的激情。你为什么不承认你害怕我的机械手？",
}


def subtitle(text: str) -> str:
    return f"1\n00:00:23,000 --> 00:00:24,500\n{text}\n\n2\n00:00:25,000 --> 00:00:27,000\n{text}\n"


@pytest.mark.parametrize("encoding", TEXTS)
def test_legacy_encodings_are_guessed(encoding: str) -> None:
    notes = Notes()
    text, found = decoded(subtitle(TEXTS[encoding]).encode(encoding), "a.srt", notes)
    assert text == subtitle(TEXTS[encoding])
    assert notes.all() == (f"encoding guessed: {found}",)


@pytest.mark.parametrize(("data", "encoding", "note"), [
    (codecs.BOM_UTF8 + "né\r\n".encode(), "utf-8", ""),
    (codecs.BOM_UTF16_LE + "né\r\n".encode("utf-16-le"), "utf-16-le", ""),
    (codecs.BOM_UTF16_BE + "né\r\n".encode("utf-16-be"), "utf-16-be", ""),
    (codecs.BOM_UTF32_LE + "né\r\n".encode("utf-32-le"), "utf-32-le", ""),
    ("né\r".encode(), "utf-8", ""),
    (b"ne\r\n", "ascii", ""),
    (b"\xff\xfen\0e\0\0\xd8", "utf-16-le", "replaced by U+FFFD"),
])
def test_what_says_its_encoding(data: bytes, encoding: str, note: str) -> None:
    notes = Notes()
    text, found = decoded(data, "a.srt", notes)
    assert found == encoding
    assert "\r" not in text and "\ufeff" not in text and text.startswith("n")
    assert any(note in one for one in notes.all()) if note else notes.all() == ()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(encoding: str) -> None:
    text, found = decoded(subtitle("Послушай").encode(encoding), "a.srt", Notes())
    assert (text, found) == (subtitle("Послушай"), encoding)


def test_one_damaged_byte_does_not_change_the_encoding() -> None:
    data = subtitle(TEXTS["cp1251"] * 3).encode()
    notes = Notes()
    text, found = decoded(data[:400] + b"\xff" + data[400:], "a.srt", notes)
    assert found == "utf-8"
    assert text.count("\ufffd") <= 3
    assert "replaced" in notes.all()[0]


def test_pictures_are_no_text() -> None:
    with pytest.raises(MediaError, match="is no text"):
        decoded(b"PG\x00\x01\x86\xa0\x00\x00\x00\x00\x16\x00\x13\x07\x80\x04\x38" * 40, "a.sup", Notes())
