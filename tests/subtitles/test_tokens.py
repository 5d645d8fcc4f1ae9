from __future__ import annotations

import pytest

from cp_whisperx.subtitles import breaks
from cp_whisperx.subtitles.tokens import Token, tokens
from cp_whisperx.timeline import Word

ENGLISH = breaks.language("en", ("article",))


def made(*texts: str, longest: int = 42, **options: object) -> list[Token]:
    words = [Word(float(number), number + 0.5, text, 0.9) for number, text in enumerate(texts)]
    return tokens(words, longest, ENGLISH, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("words", "expected"), [
    ((" one", " two"), ["one", "two"]),
    ((" twenty", "-five", "%"), ["twenty-five%"]),
    (("東", "京"), ["東", "京"]),
    (("ก", "\u0e34น"), ["กิน"]),                       # a vowel sign of the letter before it
    ((" 2025", "年"), ["2025年"]),
    ((" ", " one", "  "), ["one"]),
])
def test_what_a_token_is(words: tuple[str, ...], expected: list[str]) -> None:
    assert [token.text for token in made(*words)] == expected


def test_a_token_knows_its_words() -> None:
    assert [token.words for token in made(" twenty", "-five", " men")] == [(0, 2), (2, 3)]


def test_a_long_word_becomes_several_that_share_its_time() -> None:
    found = made(" " + "a" * 25, longest=10)
    assert [(token.width, token.spaced, token.words) for token in found] == [
        (10, False, (0, 1)), (10, False, (0, 1)), (5, False, (0, 1))]
    assert (found[0].start, found[-1].end) == (0.0, 0.5)
    assert [token.end for token in found[:-1]] == [token.start for token in found[1:]]


def test_written_words_do_not_grow_over_a_line() -> None:
    assert [token.text for token in made(" aaaaaa", "bbbbbb", longest=10)] == ["aaaaaa", "bbbbbb"]


def test_times_never_run_backwards() -> None:
    words = [Word(5.0, 5.5, " a", 1), Word(4.0, 4.5, " b", 1), Word(6.0, 5.0, " c", 1)]
    assert [(token.start, token.end) for token in tokens(words, 42, ENGLISH)] == [(5.0, 5.5), (5.0, 5.0), (6.0, 6.0)]


def test_a_word_without_a_speaker_has_that_of_its_neighbour() -> None:
    words = [Word(0, 1, " a", 1), Word(1, 2, " b", 1, speaker="S1"), Word(2, 3, " c", 1),
             Word(3, 4, " d", 1, speaker="S2")]
    assert [token.speaker for token in tokens(words, 42, ENGLISH)] == ["S1", "S1", "S1", "S2"]


def test_sung_words_can_be_left_out() -> None:
    assert [token.text for token in made(" la", " la", " he", sung={0, 1}, leave_out=True)] == ["he"]
    assert [token.sung for token in made(" la", " he", sung={0})] == [True, False]


@pytest.mark.parametrize(("text", "speakers", "expected"), [
    ("I was there all day", "11211", "11111"), ("I was. No. All day", "11211", "11211"),
    ("I was, yes, all day", "11211", "11211"), ("I was there all day", "11222", "11222"),
    ("I was there all day", "11221", "11221")])
def test_one_word_inside_a_sentence_is_no_turn(text: str, speakers: str, expected: str) -> None:
    words = [Word(number, number + 0.5, f" {word}", 1.0, speaker=speaker)
             for number, (word, speaker) in enumerate(zip(text.split(), speakers, strict=True))]
    assert "".join(token.speaker for token in tokens(words, 42, ENGLISH)) == expected
