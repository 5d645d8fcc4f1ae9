from __future__ import annotations

import pytest

from cp_whisperx.subtitles import breaks, profiles
from cp_whisperx.subtitles.breaks import Break

KINDS = profiles.named("netflix-en").no_split
SIGNS = {".": Break.SENTENCE, ",": Break.CLAUSE, "^": Break.CONJUNCTION, " ": Break.PLAIN, "_": Break.BOUND}

# Language, words, and what lies between them: . a sentence ends, `,` a clause ends, ^ a new part of the sentence begins
# behind it, _ the two belong together.
CASES = [
    ("en", "the train is late", "_ _"),
    ("en", "Yes, I know. He left", ",_._"),
    ("en", "Mr. Smith came", "_ "),
    ("en", "saw him and left", " ^_"),
    ("en", "my old friend", "_ "),
    ("en", "told John Smith that", " _^"),
    ("en", "New York City", " _"),
    ("en", "he hurt himself badly", "__ "),
    ("en", "they gave up hope", "__ "),
    ("en", "did not see", "__"),
    ("en", 'stay "here." Now', " ."),
    ("en", "wait - what", "_,"),
    ("en", "I thought-- no", "_,"),
    ("hi", "राम के घर में है", "_ __"),
    ("hi", "मैं भी आया। तुम कहाँ", "_ . "),
    ("hi", "मेरी माँ और पिता", "_^_"),
    ("hi", "वह गया था कि नहीं", "__^_"),
    ("hi", "है । तुम", "_."),
    ("hi-Latn", "Ram ke ghar mein hai", "_ __"),
    ("hi-Latn", "wo aaya aur gaya", " ^_"),
    ("de", "Das Haus Gottes ist", "   "),
    ("ja", "東京 は、 夜", " ,"),
]


@pytest.mark.parametrize(("language", "text", "signs"), CASES, ids=[text for _, text, _ in CASES])
def test_what_lies_between(language: str, text: str, signs: str) -> None:
    words = breaks.language(language, KINDS)
    assert breaks.between(text.split(), words) == [*(SIGNS[sign] for sign in signs), Break.SENTENCE]


def test_known_names_are_not_torn() -> None:
    words = breaks.language("hi", KINDS)
    text = ["तब", "शाहरुख़", "ख़ान,", "आए"]
    assert breaks.between(text, words)[1] == Break.PLAIN
    assert breaks.between(text, words, ["शाहरुख़ ख़ान"])[1] == Break.BOUND


def test_a_kind_that_the_profile_leaves_out_holds_nothing() -> None:
    assert breaks.between(["the", "train"], breaks.language("en", ()))[0] == Break.PLAIN


def test_nothing_lies_between_nothing() -> None:
    assert breaks.between([], breaks.language("en", KINDS)) == []


@pytest.mark.parametrize(("code", "text", "tag"), [
    ("hi", "तुम कहाँ थे", "hi"), ("hi", "tum kahan the", "hi-Latn"), ("hi", "", "hi"), ("en", "where", "en"),
    ("hi", "मैं OK हूँ", "hi")])
def test_the_table_follows_the_script(code: str, text: str, tag: str) -> None:
    assert breaks.language_tag(code, text) == tag


def test_profiles_name_only_kinds_that_there_are() -> None:
    for name in profiles.names():
        assert set(profiles.named(name).no_split) <= breaks.kinds()
