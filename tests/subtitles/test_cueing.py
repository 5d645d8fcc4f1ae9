from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cp_whisperx.subtitles.cueing import CueRules, cues, lines
from cp_whisperx.subtitles.text import width
from cp_whisperx.timeline import Word

RULES = CueRules(line_chars=42, max_lines=2, min_duration_s=0.833, max_duration_s=7.0, min_gap_s=0.083,
                 chars_per_s=20.0, linger_s=0.5, pause_s=1.0)


def spoken(text: str, start: float = 0.0, each_s: float = 0.3, gap_s: float = 0.05) -> list[Word]:
    words = []
    for position, word in enumerate(text.split()):
        at = start + position * (each_s + gap_s)
        words.append(Word(at, at + each_s, f" {word}", 0.9))
    return words


def text_of(made: object) -> str:
    return " ".join(" ".join(cue.lines) for cue in made)  # type: ignore[attr-defined]


BREAKS = {
    "fits on one line": ("Why did nobody tell me?", ("Why did nobody tell me?",)),
    "after punctuation": ("Yes, my daughter, but the train is late again tonight.",
                          ("Yes, my daughter,", "but the train is late again tonight.")),
    "never after an article": ("My father told me that somebody from the village would meet me here.",
                               ("My father told me that somebody", "from the village would meet me here.")),
}


@pytest.mark.parametrize("name", BREAKS)
def test_lines_break_at_the_best_place(name: str) -> None:
    text, expected = BREAKS[name]
    assert lines(spoken(text), RULES) == expected


def test_text_that_does_not_fit_is_refused() -> None:
    assert lines(spoken("word " * 30), RULES) is None


def test_sentences_become_cues_of_their_own() -> None:
    made = cues(spoken("We wanted to be sure before we gave you hope. Take your bags, all of them, and stay close."),
                RULES)
    assert [" ".join(cue.lines) for cue in made] == ["We wanted to be sure before we gave you hope.",
                                                     "Take your bags, all of them, and stay close."]


def test_a_cue_starts_with_its_first_word_and_stays_to_be_read() -> None:
    (cue,) = cues([Word(5.0, 5.2, " Extraordinary.", 0.9)], RULES)
    assert cue.start == 5.0
    assert cue.end == pytest.approx(5.7)


def test_a_pause_and_a_break_end_a_cue() -> None:
    words = [*spoken("and then", 0.0), *spoken("he came", 3.0)]
    assert len(cues(words, RULES)) == 2
    joined = spoken("and then he came")
    assert len(cues(joined, RULES)) == 1
    assert [cue.start for cue in cues(joined, RULES, {2})] == [0.0, joined[2].start]


def test_nothing_gives_nothing() -> None:
    assert cues([], RULES) == ()


def test_a_word_longer_than_a_line_is_cut_and_shares_its_time() -> None:
    made = cues([Word(0.0, 4.0, " " + "a" * 100, 0.9)], RULES)
    assert all(width(line) <= 42 for cue in made for line in cue.lines)
    assert text_of(made).replace(" ", "") == "a" * 100


WORDS = st.builds(
    lambda text, length, gap: (text, length, gap),
    st.text(st.characters(categories=("L", "N", "Mn"), include_characters=",.?!"), min_size=1, max_size=50)
    .filter(lambda text: text.strip() == text),
    st.floats(0, 3), st.floats(0, 2))


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=60))
def test_limits_hold_whatever_is_said(spoken_words: list[tuple[str, float, float]]) -> None:
    clock, words = 0.0, []
    for text, length, gap in spoken_words:
        words.append(Word(clock + gap, clock + gap + length, f" {text}", 0.5))
        clock += gap + length
    made = cues(words, RULES)
    assert text_of(made).replace(" ", "") == "".join(text for text, _, _ in spoken_words).replace(" ", "")
    before = 0.0
    for cue in made:
        assert 1 <= len(cue.lines) <= RULES.max_lines
        assert all(width(line) <= RULES.line_chars for line in cue.lines)
        assert cue.start >= before - 1e-9
        assert 0 < cue.duration <= RULES.max_duration_s + 1e-3
        before = cue.end
