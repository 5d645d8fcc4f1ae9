from __future__ import annotations

import pytest

from cp_whisperx.guards.text import ghost, ghosts, loop, punctuation, tag
from tests.guards.making import context, segment

SIGNS = {" ... ": True, "!?": True, "♪": True, "": True, "Hm.": False, "नमस्ते": False, "5": False, "谢": False}


@pytest.mark.parametrize("text", SIGNS)
def test_nothing_but_signs(text: str) -> None:
    assert bool(punctuation(segment(text), context())) is SIGNS[text]


TAGS = {"[Music]": True, "(applause)": True, "*laughs* [sighs]": True, "♪ music plays ♪": True, "【音楽】": True,
        "[Music] Come in.": False, "He said (quietly) no.": False, "Come in.": False, "♪♪ [संगीत] ♪♪": True}


@pytest.mark.parametrize("text", TAGS)
def test_descriptions_of_sound(text: str) -> None:
    assert bool(tag(segment(text), context())) is TAGS[text]


LOOPS = {
    "no " * 5: False, "no " * 8: True,
    "Let me go! Let me go! Let me go!": False, "let me go " * 5: True,
    "I said no, no, no, no and I meant what I said to you on that night": False,
    "We will find him and we will bring him home. " * 2: False,
    "We will find him and we will bring him home. " * 3: True,
    "हाँ " * 8: True, "हाँ हाँ हाँ": False,
    "谢谢" * 2: False, "谢谢大家" * 6: True,
    "N" + "o" * 30 + "!": False, "a" * 60: True, "हा" * 40: True, "haha" * 5: False,
}


@pytest.mark.parametrize("text", LOOPS)
def test_loops(text: str) -> None:
    found = loop(segment(text), context())
    assert bool(found) is LOOPS[text]
    assert found is None or found.verdict == "re-decode"


UNSURE = {"sure": 0.5, "no_speech": 0.5}
GHOSTS = {
    "a credit, however sure": ("Subtitles by the Amara.org community", {}, {}, True),
    "a credit within": ("And so on. Untertitel im Auftrag des ZDF, 2018", {}, {}, True),
    "Russian": ("Субтитры сделал DimaTorzok", {}, {}, True),
    "Chinese": ("字幕由Amara.org社区提供", {}, {}, True),
    "a farewell that is unsure": ("Thanks for watching!", UNSURE, {}, True),
    "a farewell over music": ("Thanks for watching!", {}, {"mean": 0.6}, True),
    "a farewell well heard": ("Thanks for watching!", {"sure": 0.9}, {}, False),
    "Hindi farewell": ("वीडियो देखने के लिए धन्यवाद", UNSURE, {}, True),
    "Japanese farewell": ("ご視聴ありがとうございました", UNSURE, {}, True),
    "everyday words, a little unsure": ("Thank you.", UNSURE, {}, False),
    "everyday words over music": ("Thank you.", {}, {"mean": 0.2}, True),
    "everyday words, not sure at all": ("You", {"sure": 0.02}, {}, True),
    "everyday words in a sentence": ("Thank you, mother.", {"sure": 0.02}, {"mean": 0.2}, False),
    "धन्यवाद": ("धन्यवाद।", {}, {}, False),
    "subtitles spoken of": ("I watched it without subtitles.", {}, {}, False),
}


@pytest.mark.parametrize("name", GHOSTS)
def test_ghost_phrases(name: str) -> None:
    text, of_segment, of_context, doubted = GHOSTS[name]
    assert bool(ghost(segment(text, **of_segment), context(**of_context))) is doubted  # type: ignore[arg-type]


def test_every_phrase_of_the_list_can_match() -> None:
    found = ghosts()
    assert all(words for words in found.credits | found.farewells | found.common)
    assert not found.farewells & found.common
    assert len(found.credits) > 80 and len(found.farewells) > 90 and len(found.common) > 60
